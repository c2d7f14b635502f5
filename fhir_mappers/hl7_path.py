"""Reads HL7 paths such as PID-3[2].1 once, and remembers them.

    path = segment ["[" occurrence "]"] "-" field ["[" repetition "]"] ["." component ["." subcomponent]]

`PID-5.1` is the family name, `PID-3[2].1` the second identifier, `AIS[2]-4` the second AIS segment's start,
`PID-3.4.2` the universal id of the assigning authority. Numbers count from 1, as in the standard.
What a path leaves out is the first: `SCH-1` means `SCH[1]-1[1].1.1` (HL7 v2 2.5.3: a field read by an
older receiver is its first component).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from fhir_mappers.errors import BadPath

_NUMBER = r"([1-9]\d{0,2})"
PATTERN = (
    rf"([A-Z][A-Z0-9]{{2}})(?:\[{_NUMBER}\])?-{_NUMBER}(?:\[{_NUMBER}\])?(?:\.{_NUMBER}(?:\.{_NUMBER})?)?"
)
_PATH = re.compile(PATTERN, re.ASCII)


class HL7Path(NamedTuple):
    """One path, its numbers as list indices (0 is the first; fields keep HL7's own number)."""

    segment: str
    occurrence: int
    field: int
    repetition: int
    component: int
    subcomponent: int


@lru_cache(maxsize=4096)
def read_path(path: str) -> HL7Path:
    """Return the path's parts; raise BadPath when the string does not follow the grammar."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise BadPath(path)
    segment, occurrence, field, repetition, component, subcomponent = match.groups()
    return HL7Path(
        segment,
        int(occurrence or 1) - 1,
        int(field),
        int(repetition or 1) - 1,
        int(component or 1) - 1,
        int(subcomponent or 1) - 1,
    )
