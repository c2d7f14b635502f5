"""A kept message without its people: its shape, codes and times stay, everything else is hidden (promise 10).

What is not named here is hidden, Z segments and free text above all: each letter becomes x, each digit 9, so
that lengths and punctuation still show how a number or a name is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.v2_message import NULL, V2Message
from integration.entrypoints.commands.inbox.masking_json import json_fields, masked_json

if TYPE_CHECKING:
    from collections.abc import Iterator

# Segment → its fields, or components of them, that hold no person: codes, times, whose identifier it is.
_SHOWN: Final = {
    "MSH": "1 2 3 4 5 6 7 9 10 11 12 13 15 16 17 18 19 20 21",
    "EVN": "1 2 3 4.1 6",
    "SCH": "1.2 2.2 6.1 6.3 7.1 7.3 8.1 8.3 9 10.1 10.2 11.1 11.2 11.3 11.4 11.5 11.6 25.1 25.2 25.3",
    "TQ1": "1 2 3 4 5 6 7 8 9.1 9.3",
    "RGS": "1 2 3.1 3.3",
    "AIS": "1 2 3.1 3.3 4 5 6 7 8 9 10.1",
    "AIG": "1 2 4.1 4.3 8 9 10 11 12 13 14.1",
    "AIL": "1 2 3.1 3.2 3.3 3.4 4.1 4.3 6 7 8 9 10 11 12.1",
    "AIP": "1 2 4.1 4.3 6 7 8 9 10 11 12.1",
    "PID": "1 2.4 2.5 3.4 3.5 4.4 4.5 8.1 13.2 13.3 13.13 13.14 13.15 13.18 14.2 14.3 14.18 15.1 15.2 15.3 30"
    " 40.2 40.3 40.18",
    "PD1": "11.1 11.3 12",
    "PV1": "1 2 3.1 3.2 3.3 3.4 10 18 19.4 19.5 44 45 50.4 50.5",
    "NK1": "1 3.1 3.3 5.2 5.3 6.2 6.3 7.1 7.3 20.1 40.2 40.3",
    "GT1": "1 6.2 6.3 7.2 7.3 11.1 11.3 36.1",
    "MRG": "1.4 1.5 2.4 2.5 4.4 4.5",
}
_FIELDS: Final = {segment: frozenset(fields.split()) for segment, fields in _SHOWN.items()}
# What a person may have written into the place of a code is hidden; a status is a word or two by nature.
_CODE: Final = re.compile(r"[\w.:/+&-]{1,20}")
_STATUS: Final = re.compile(r"[\w.:/+-]{1,20}( [\w.:/+-]{1,20})?")
_IN_WORDS: Final = frozenset({("SCH", 25), ("SCH", 8), ("PID", 15)})
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")


def fields(payload: bytes, *, charset: str | None, reveal: bool) -> list[tuple[str, str]]:
    """Every valued field, component by component, as (path, value); [] when it cannot be read.

    Values are unescaped; masked unless `reveal`.
    """
    found = json_fields(payload, mask, reveal=reveal)
    if found is not None:
        return found
    try:
        message = V2Message.parse(payload, fallback_charset=charset)
    except UnreadableMessage:
        return []
    return [
        (path, value if reveal or _is_shown(segment, field, component, value) else mask(value))
        for path, segment, field, component, value in _leaves(message)
    ]


def masked(payload: bytes, *, charset: str | None = None) -> str:
    """The message as it stands, a segment a line, masked; what cannot be read is masked from end to end."""
    tree = masked_json(payload, mask)
    if tree is not None:
        return tree
    try:
        message = V2Message.parse(payload, fallback_charset=charset)
    except UnreadableMessage:
        return mask(payload.decode("utf-8", "replace"))
    separators = message.delimiters
    lines = []
    for row in message.rows:
        segment, values = _row(row, separators[0])
        shown = [
            value if segment == "MSH" and number <= 2 else _masked_field(segment, number, value, separators)  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters
            for number, value in values
        ]
        lines.append(separators[0].join([segment, *shown[segment == "MSH" :]]))
    return "\n".join(lines)


def mask(text: str) -> str:
    """Every letter an x, every digit a 9; HL7 null stays."""
    return text if text == NULL else _DIGIT.sub("9", _LETTER.sub("x", text))


def _masked_field(segment: str, field: int, value: str, separators: str) -> str:
    component, repetition = separators[1], separators[2]
    return repetition.join(
        component.join(
            part if _is_shown(segment, field, number, part) else mask(part)
            for number, part in enumerate(each.split(component), start=1)
        )
        for each in value.split(repetition)
    )


def _is_shown(segment: str, field: int, component: int, value: str) -> bool:
    known = _FIELDS.get(segment, frozenset())
    if not (str(field) in known or f"{field}.{component}" in known):
        return False
    shape = _STATUS if (segment, field) in _IN_WORDS else _CODE
    return segment == "MSH" or not value or value == NULL or shape.fullmatch(value) is not None


def _row(row: list[str], separator: str) -> tuple[str, list[tuple[int, str]]]:
    """A segment's name and its numbered fields; MSH-1 is the separator itself."""
    values = row if len(row) > 1 else row[0].split(separator)
    segment = values[0][:3]
    if len(row) == 1 and segment == "MSH":
        values = [values[0], separator, *values[1:]]
    return segment, list(enumerate(values))[1:]


def _leaves(message: V2Message) -> Iterator[tuple[str, str, int, int, str]]:
    """Every valued leaf with its path; a path names only what is not the first or the only one."""
    component, repetition, subcomponent = (message.delimiters[place] for place in (1, 2, 4))
    counts: dict[str, int] = {}
    for row in message.rows:
        segment, values = _row(row, message.delimiters[0])
        counts[segment] = counts.get(segment, 0) + 1
        name = segment if counts[segment] == 1 else f"{segment}[{counts[segment]}]"
        for field, value in values:
            if segment == "MSH" and field <= 2:  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters
                yield f"MSH-{field}", segment, field, 1, value
                continue
            for n, repeated in enumerate(value.split(repetition), start=1):
                place = f"{name}-{field}" + (f"[{n}]" if n > 1 else "")
                parts = repeated.split(component)
                for c, part in enumerate(parts, start=1):
                    below = part.split(subcomponent)
                    for s, leaf in enumerate(below, start=1):
                        if leaf:
                            path = (
                                f"{place}.{c}.{s}" if s > 1 else f"{place}.{c}" if len(parts) > 1 else place
                            )
                            yield path, segment, field, c, leaf if leaf == NULL else message.clean(leaf)
