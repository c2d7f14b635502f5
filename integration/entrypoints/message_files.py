"""Reads the messages of files and folders: HL7 v2, in MLLP frames or not, and FHIR JSON; many in a file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from fhir_mappers.from_fhir.split import holds_fhir, is_json, snapshots_in
from hl7_listener.framing import END, START
from hl7_listener.header import split_messages
from integration.entrypoints.printing import warn
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STANDARD_INPUT: Final = "-"
HELP: Final = "HL7 v2 messages or FHIR JSON: files, or folders of them; - is standard input"
_HEADER: Final = re.compile(rb"(?:^|[\r\n\x00\x0b])[ \t\xef\xbb\xbf]{0,80}MSH[^A-Za-z0-9\s]")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_messages(files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each file's name with each of its messages, in order; `-` is standard input.

    A folder stands for every file below it, in order of name; of these, one without any message is passed
    over and said so. One file at a time is read. Raises Refused for what cannot be read, is empty or, of a
    folder, holds no message; for what is seen at once to be so, before the first message.
    """
    found = [(name, _below(name)) for name in files]
    for name, below in found:
        if below is None and name != STANDARD_INPUT:
            _open(name).close()
    return _all(found)


def messages_in(content: bytes) -> list[bytes]:
    """The messages of one file; what is no message stays one, so that its refusal is seen."""
    if content.startswith(_UTF16):
        content = content.decode("utf-16", "replace").encode()
    if is_json(content):
        return snapshots_in(content)
    if not _HEADER.search(content):
        return [content]
    frames = [part.partition(END)[0] for part in content.split(START)]
    return [message for frame in frames if frame.strip() for message in split_messages(frame)]


def _all(found: Iterable[tuple[str, list[str] | None]]) -> Iterator[tuple[str, bytes]]:
    for named, below in found:
        if below is None:
            content = _content(named)
            yield from ((named, message) for message in messages_in(content))
            continue
        others = []
        for file in below:
            content = _open_and_read(file)
            if not (_HEADER.search(content) or content.startswith(_UTF16) or holds_fhir(content)):
                others.append(file)
                continue
            yield from ((file, message) for message in messages_in(content))
        if len(others) == len(below):
            raise Refused(f"{named}: no file in it holds a message")
        if others:
            warn(f"{named}: passed over what holds no message, {len(others)} files such as {others[0]}")


def _below(name: str) -> list[str] | None:
    """Every file below a folder, hidden ones left out; None when it is no folder."""
    folder = Path(name)
    try:
        if name == STANDARD_INPUT or not folder.is_dir():
            return None
        next(folder.iterdir(), None)
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from None
    if not files:
        raise Refused(f"{name}: holds no file")
    return [str(path) for path in files]


def _content(name: str) -> bytes:
    content = sys.stdin.buffer.read() if name == STANDARD_INPUT else _open_and_read(name)
    if not content.strip():
        raise Refused(f"{name}: is empty")
    return content


def _open_and_read(name: str) -> bytes:
    with _open(name) as file:
        return file.read()


def _open(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from None
