"""What commands print: tables for people, JSON Lines for programs."""

from __future__ import annotations

import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import orjson

from integration.entrypoints.terminal import Paint, may_paint, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NARROW: Final = 90  # columns below which facts stand one under another
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


def say(*lines: str, paint: Paint = Paint.PLAIN) -> None:
    """Lines for a person, on standard output."""
    before, after = (f"\x1b[{paint.value}m", "\x1b[0m") if paint.value and may_paint() else ("", "")
    sys.stdout.write("".join(f"{before}{_shown(line)}{after}\n" for line in lines))


def facts(head: Sequence[str], rows: Iterable[Sequence[str]], paint: Sequence[Paint] = ()) -> None:
    """Rows of which each says something by itself: a table, or on a narrow terminal a paragraph for each.

    On a terminal what is too long is folded; elsewhere nothing is. Rows may be painted, one by one.
    """
    listed = [[_shown(cell) for cell in row] for row in rows]
    paints = [*paint, *[Paint.PLAIN] * (len(listed) - len(paint))]
    columns = width()
    if columns is not None and columns < _NARROW:
        for row, how in zip(listed, paints, strict=True):
            say(*_folded("  ".join(row[:2]), columns, "  "), paint=how)
            rest = ", ".join(f"{name} {cell}" for name, cell in zip(head[2:], row[2:], strict=True) if cell)
            if rest:
                say(*_folded(rest, columns, "    "), paint=how)
        return
    widths = [max(map(len, column)) for column in zip(head, *listed, strict=True)]
    if columns is not None:
        _narrow(widths, columns)
    say(*_in_columns(head, widths), paint=Paint.FAINT)
    for row, how in zip(listed, paints, strict=True):
        say(*_in_columns(row, widths), paint=how)


def _narrow(widths: list[int], columns: int) -> None:
    """Take from the widest column until all fit."""
    while sum(widths) + 2 * len(widths) > columns:
        widths[widths.index(max(widths))] -= 1


def _in_columns(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    folded = [textwrap.wrap(cell, wide) or [""] for cell, wide in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, folded))):
        parts = [each[number] if number < len(each) else "" for each in folded]
        lines.append("  " + "  ".join(p.ljust(w) for p, w in zip(parts, widths, strict=True)).rstrip())
    return [line.rstrip() for line in lines]


def _folded(text: str, columns: int, indent: str) -> list[str]:
    wide = max(columns, 20)
    return textwrap.wrap(text, wide, initial_indent=indent, subsequent_indent=f"{indent}  ") or [indent]


def warn(*lines: str) -> None:
    """Lines for a person, on standard error."""
    sys.stderr.write("".join(f"{_shown(line)}\n" for line in lines))


def _shown(text: str) -> str:
    """Without the control characters by which what others sent could play with a terminal."""
    return _CONTROLS.sub("\ufffd", text)
