"""Turns a message's bytes into text, whatever it declares and however wrongly.

Order: MSH-18, then the feed's setting, then UTF-8 if the bytes are UTF-8, else Windows-1252.
Most senders leave MSH-18 empty and send what they like (standards §1.8), so nothing here raises.
"""

from typing import NamedTuple

# HL7 table 0211 (and names seen instead of its codes) → Python codec.
# UTF-16 and UTF-32 are absent: MLLP cannot frame them, so a message that declares them is not in them.
# 8859/1 is read as Windows-1252, its superset: C1 control characters never occur in a name.
CODECS = {
    "8859/1": "cp1252",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR6": "ascii",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "cp949",
    "CNS 11643-1992": "big5",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ASCII": "ascii",
    "US-ASCII": "ascii",
    "ISO-8859-1": "cp1252",
    "ISO8859-1": "cp1252",
    "ISO-8859-2": "iso8859-2",
    "ISO-8859-15": "iso8859-15",
    "LATIN1": "cp1252",
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
    "WINDOWS-1250": "cp1250",
    "WINDOWS-1251": "cp1251",
}
_LAST_RESORT = "cp1252"


class Decoded(NamedTuple):
    """A message as text."""

    text: str
    codec: str  # the Python codec that read it
    warning: str  # a key of findings.WARNINGS, '' when all was as declared


def decode(raw: bytes, declared: str, fallback: str | None) -> Decoded:
    """Decode `raw` by MSH-18 (`declared`, '' if empty), else `fallback`, else as found."""
    warning = ""
    for name in (declared, fallback or ""):
        if not name:
            continue
        codec = CODECS.get(name.strip().upper())
        if codec is None:
            warning = warning or "unknown-charset"
            continue
        # Windows-1252 has five holes; any other codec must fit exactly or it is not the one.
        errors = "replace" if codec == _LAST_RESORT else "strict"
        try:
            return Decoded(raw.decode(codec, errors), codec, warning)
        except UnicodeDecodeError:
            warning = "charset-contradicted"
    try:
        return Decoded(raw.decode("utf-8"), "utf-8", warning)
    except UnicodeDecodeError:
        return Decoded(raw.decode(_LAST_RESORT, "replace"), _LAST_RESORT, warning or "charset-guessed")
