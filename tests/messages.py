"""Builds the SIU messages that stories speak of; the people are invented."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

ZONE = ZoneInfo("America/New_York")
_STATUS = {
    "S12": "Booked",
    "S13": "Booked",
    "S14": "Booked",
    "S15": "Cancelled",
    "S16": "Discontinued",
    "S17": "Deleted",
    "S26": "Noshow",
}
_control_ids = count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who is not there."""

    mrn: str = "MRN1"
    family: str = "Sample"
    given: str = "Ana"
    phone: str = "(617)555-0123"
    born: str = "19800102"
    language: str = "en"
    address: str = "1 Sample St^^Boston^MA^02101"


ANA = Person()
BEN = Person(mrn="MRN2", given="Ben")
CARLA = Person(mrn="MRN3", given="Carla", phone="(617)555-0188", language="es")


def siu(
    trigger: str,
    *,
    at: datetime,
    visit: str = "A1",
    start: datetime | None,
    person: Person = ANA,
    status: str | None = None,
    control_id: str | None = None,
) -> bytes:
    """One SIU message as an EHR sends it at `at`; times are local, without an offset."""
    stamp = at.astimezone(ZONE).strftime("%Y%m%d%H%M%S")
    begins = "" if start is None else start.astimezone(ZONE).strftime("%Y%m%d%H%M")
    number = control_id or f"T{next(_control_ids):06}"
    status = _STATUS[trigger] if status is None else status
    segments = [
        f"MSH|^~\\&|SCHED|RIVER|TEXTS|RIVER|{stamp}||SIU^{trigger}|{number}|P|2.5.1",
        (
            f"SCH|P{visit}|{visit}|||||CHECKUP^Check-up^HL70276|NORMAL^Normal^HL70277|30|min|^^30^{begins}"
            f"||||||||||||||{status}"
        ),
        (
            f"PID|1||{person.mrn}^^^RIVER^MR||{person.family}^{person.given}||{person.born}|F|||"
            f"{person.address}||{person.phone}^PRS^CP||{person.language}"
        ),
        "RGS|1|A",
        "AIL|1|A|RIVER^^^RIVER",
        "AIP|1|A|1001^Sample^Drew",
    ]
    return "\r".join([*segments, ""]).encode()


def without(message: bytes, segment: str) -> bytes:
    """The message without its segments of one kind."""
    lines = message.split(b"\r")
    return b"\r".join(line for line in lines if not line.startswith(segment.encode()))


def called(person: Person, **changes: str) -> Person:
    """Someone alike."""
    return replace(person, **changes)
