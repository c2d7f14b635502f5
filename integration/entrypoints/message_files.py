"""Reads the HL7 v2 messages of files a person names: one or several in a file, in MLLP frames or not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hl7_listener.framing import END, START
from hl7_listener.header import split_messages
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def read_messages(files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each file's name with each of its messages, in order; `-` is standard input.

    Raises Refused for a file that cannot be read or is empty, before the first message.
    """
    contents = [(name, _content(name)) for name in files]
    return ((name, message) for name, content in contents for message in messages_in(content))


def messages_in(content: bytes) -> list[bytes]:
    """The messages of one file; what is no message stays one, so that its refusal is seen."""
    frames = [part.partition(END)[0] for part in content.split(START)]
    return [message for frame in frames if frame.strip() for message in split_messages(frame)]


def _content(name: str) -> bytes:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from None
    if not content.strip():
        raise Refused(f"{name}: is empty")
    return content
