"""What the simulated EHR sends: HL7 v2, each message a snapshot of a visit and its patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.people import HOMES
from tests.simulation.site import CLINICS, FEED_ZONE

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.people import Facts

REASON = "COLONOSCOPY"  # SCH-7: what no text may ever say
STATUS = {
    "S12": "Booked",
    "S13": "Booked",
    "S14": "Booked",
    "S15": "Cancelled",
    "S17": "Deleted",
    "S26": "Noshow",
}


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What the EHR says of one visit."""

    key: str  # SCH-2
    mrn: str
    practice: str
    start: datetime
    status: str = "booked"  # booked | cancelled | deleted | noshow | arrived
    confirmed: bool = False

    @property
    def expected(self) -> bool:
        """Whether it is to take place."""
        return self.status == "booked"


@dataclass(frozen=True, slots=True)
class Message:
    """One message and what it means, for who knows the truth."""

    payload: bytes
    control_id: str
    event_at: datetime
    trigger: str
    person: Facts
    visit: VisitFacts | None = None
    gone: str = ""  # the record that becomes part of the person's (A40)


def siu(trigger: str, number: int, at: datetime, visit: VisitFacts, person: Facts) -> Message:
    """A scheduling message; the visit's time is the clinic's, the header's the feed's."""
    control_id = f"S{number:08}"
    begins = visit.start.astimezone(CLINICS[visit.practice].zone).strftime("%Y%m%d%H%M")
    status = "Confirmed" if visit.confirmed else "Arrived" if visit.status == "arrived" else STATUS[trigger]
    lines = [
        _head(f"SIU^{trigger}", control_id, at),
        (
            f"SCH|P{visit.key}|{visit.key}|||||{REASON}^{REASON}^HL70276|NORMAL^Normal^HL70277|30|min"
            f"|^^30^{begins}||||||||||||||{status}"
        ),
        *_people(person),
        "RGS|1|A",
        f"AIL|1|A|{visit.practice.upper()}^^^{visit.practice.upper()}",
        f"NTE|1||{REASON}",
    ]
    return Message("\r".join([*lines, ""]).encode(), control_id, at, trigger, person, visit)


def adt(trigger: str, number: int, at: datetime, person: Facts, *, gone: str = "") -> Message:
    """News of a person: A08, or A40 when another record becomes part of theirs."""
    control_id = f"A{number:08}"
    stamp = at.astimezone(FEED_ZONE).strftime("%Y%m%d%H%M%S")
    lines = [_head(f"ADT^{trigger}", control_id, at), f"EVN|{trigger}|{stamp}", *_people(person)]
    if gone:
        lines.append(f"MRG|{gone}^^^RIVER^MR")
    return Message("\r".join([*lines, ""]).encode(), control_id, at, trigger, person, gone=gone)


def _head(kind: str, control_id: str, at: datetime) -> str:
    stamp = at.astimezone(FEED_ZONE).strftime("%Y%m%d%H%M%S")
    return f"MSH|^~\\&|SCHED|RIVER|TEXTS|RIVER|{stamp}||{kind}|{control_id}|P|2.5.1"


def _people(person: Facts) -> list[str]:
    home = HOMES[person.state]
    number = f"{person.number}^PRS^CP" if person.number else '""'
    lines = [
        (
            f"PID|1||{person.mrn}^^^RIVER^MR||{person.family}^{person.given}||{person.born:%Y%m%d}|F|||"
            f"1 Sample St^^{home.city}^{home.state}^{home.zip}^USA||{number}||{person.language}"
            f"|||||||||||||||{'Y' if person.dead else ''}"
        )
    ]
    if person.guardian:
        lines.append(f"NK1|1|{person.family}^Ana|MTH||{person.guardian}^PRS^CP" + "|" * 15 + person.language)
    return lines
