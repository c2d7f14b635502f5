"""What a fuzzer begins with: our samples, those beside the checkout if there are any, streams, replies."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from hl7_listener.framing import frame

ROOT: Final = Path(__file__).parents[2]
_LARGEST: Final = 16_384  # bytes
_HL7: Final = frozenset({".hl7", ".txt", ".er7", ".dat"})


def messages() -> list[bytes]:
    """Messages as they were sent, or files of them."""
    folders = (ROOT / "tests" / "samples", ROOT.parent / "shared" / "samples" / "hl7v2")
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix.lower() in _HL7]
    found = [path.read_bytes() for path in paths if path.is_file()]
    return [raw for raw in dict.fromkeys(found) if 0 < len(raw) <= _LARGEST]


def replies() -> list[bytes]:
    """What patients wrote."""
    known = tomllib.loads((ROOT / "tests" / "domain" / "replies.toml").read_text(encoding="utf-8"))
    return [text.encode() for text in dict.fromkeys(_texts(known)) if text]


def _texts(known: object) -> list[str]:
    if isinstance(known, str):
        return [known]
    inner = known.values() if isinstance(known, dict) else known if isinstance(known, list) else ()
    return [text for each in inner for text in _texts(each)]


def seeds(target: str) -> list[bytes]:
    """For one target; those that read a few bytes first get a few."""
    if target == "reply":
        return replies()
    found = messages()
    if target == "frames":
        batch = b"FHS|^~\\&|\rBHS|^~\\&|\r" + b"\r".join(found[:2]) + b"\rBTS|2\rFTS|1\r"
        streams = [*map(frame, found), frame(found[0]) + b"\r\n\0" + frame(found[1])[:-1] + frame(batch)]
        streams += [b"\x0bMSH|half" + frame(found[0]), b"GET / HTTP/1.1\r\n\r\n" + frame(found[0])]
        return [bytes(range(1, 9)) + stream for stream in streams]
    if target == "answer":
        batch = b"FHS|^~\\&|A|B|C|D\rBHS|^~\\&|A|B|C|D|||||B1\r" + b"\r".join(found[:2]) + b"\rBTS|2\rFTS|1\r"
        return [bytes([number % 16]) + each for number, each in enumerate([*found, batch, batch, batch])]
    return found
