"""What commands print: tables for people, JSON Lines for programs."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # all but the line feed


def json_line(thing: Any) -> None:
    """One object, on one line of standard output."""
    sys.stdout.write(orjson.dumps(thing, default=str).decode() + "\n")


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A table whose columns are as wide as their widest cell; numbers stand to the right."""
    listed = [[("" if cell is None else _shown(str(cell))) for cell in row] for row in rows]
    numeric = [
        bool(listed) and all(row[place].replace(".", "", 1).isdigit() for row in listed if row[place])
        for place in range(len(head))
    ]
    widths = [max(map(len, column)) for column in zip(head, *listed, strict=True)]
    for row in (head, *listed):
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def say(*lines: str) -> None:
    """Lines for a person, on standard output."""
    sys.stdout.write("".join(f"{_shown(line)}\n" for line in lines))


def warn(*lines: str) -> None:
    """Lines for a person, on standard error."""
    sys.stderr.write("".join(f"{_shown(line)}\n" for line in lines))


def _shown(text: str) -> str:
    """Without the control characters by which what others sent could play with a terminal."""
    return _CONTROLS.sub("\ufffd", text)
