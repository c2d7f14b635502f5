"""A sample feed: invented people whose visits lie in the days after now, as an EHR would send them over MLLP.

Every way the product has to go is taken once: a visit soon and one later, two languages, a phone two people
share, a video visit, a move and a cancellation after the patient was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from hl7_listener.client import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

ANSWER_SECONDS = 10.0  # how long to wait for each acknowledgment
TOLD_AFTER = 8.0  # seconds; by then the first texts have gone out
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    number: str  # medical record number
    family: str
    given: str
    born: str
    phone: str  # area code and number, of a range kept for fiction
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of one person."""

    number: str
    person: Person
    days: int  # after today; a weekend day becomes the Monday after it
    at: time
    video: bool = False


MARIA = Person("SMP-1001", "Alvarez", "Maria", "19810512", "2025550141", "es")
JAMES = Person("SMP-1002", "Carter", "James", "19590303", "2025550142")
AVA = Person("SMP-1003", "Kimball", "Ava", "20040807", "2025550143")
NOAH = Person("SMP-1004", "Kimball", "Noah", "20060221", "2025550143")  # shares Ava's phone
GRACE = Person("SMP-1005", "Okafor", "Grace", "19721130", "2025550144")
HENRY = Person("SMP-1006", "Lindqvist", "Henry", "19900617", "2025550145")

TOMORROW = Visit("SMPV-1", JAMES, 1, time(10, 30))
NEXT_WEEK = Visit("SMPV-2", MARIA, 10, time(14, 30))
FIRST_OF_TWO = Visit("SMPV-3", AVA, 7, time(9, 0))
SECOND_OF_TWO = Visit("SMPV-4", NOAH, 7, time(9, 30))
BY_VIDEO = Visit("SMPV-5", GRACE, 4, time(16, 0), video=True)
TO_BE_MOVED = Visit("SMPV-6", HENRY, 9, time(11, 0))
MOVED = Visit("SMPV-6", HENRY, 12, time(15, 15))
BOOKED = (TOMORROW, NEXT_WEEK, FIRST_OF_TWO, SECOND_OF_TWO, BY_VIDEO, TO_BE_MOVED)


@dataclass(frozen=True, slots=True)
class SampleFeed:
    """The feed of one day; `now` is aware, `zone` the clinic's."""

    now: datetime
    zone: ZoneInfo

    def booked(self) -> list[bytes]:
        """The first messages: six visits are booked (SIU^S12)."""
        return [self._message("S12", visit, "Booked") for visit in BOOKED]

    def changed(self) -> list[bytes]:
        """The later ones: one visit is moved (SIU^S13), one called off (SIU^S15)."""
        return [self._message("S13", MOVED, "Booked"), self._message("S15", BY_VIDEO, "Cancelled")]

    def play(self, host: str, port: int, wait: Callable[[float], bool]) -> Iterator[str]:
        """Send all of it, in its time; yields what each message was answered (MSA-1).

        `wait(seconds)` says True when nothing more should be sent. Raises as `hl7_listener.client.send`.
        """
        yield from (answer.code for answer in send(host, port, self.booked(), ANSWER_SECONDS))
        if not wait(TOLD_AFTER):
            yield from (answer.code for answer in send(host, port, self.changed(), ANSWER_SECONDS))

    def _message(self, trigger: str, visit: Visit, status: str) -> bytes:
        person, start = visit.person, self._start(visit)
        sent = self.now.astimezone(self.zone).strftime("%Y%m%d%H%M%S%z")
        kind = "VIDEO^Video visit" if visit.video else "OFFICE^Office visit"
        phone = f"^PRS^CP^^1^{person.phone[:3]}^{person.phone[3:]}"
        header = f"{sent}||SIU^{trigger}^SIU_S12|{visit.number}-{trigger}-{sent[:14]}|P|2.5.1"
        name = f"{person.family}^{person.given}"
        segments = (
            f"MSH|^~\\&|SAMPLE|RIVERSIDE|TEXTS|RIVERSIDE|{header}",
            _segment("SCH", {2: f"{visit.number}^SAMPLE", 8: kind, 9: "30", 10: "min", 25: status}),
            _segment("TQ1", {1: "1", 7: start}),
            _segment(
                "PID",
                {3: f"{person.number}^^^SAMPLE^MR", 5: name, 7: person.born, 13: phone, 15: person.language},
            ),
            _segment("RGS", {1: "1"}),
            _segment("AIS", {1: "1", 3: kind, 4: start}),
            _segment("AIL", {1: "1", 3: "RIVERSIDE^^^RIVERSIDE"}),
        )
        return "".join(f"{segment}\r" for segment in segments).encode("ascii")

    def _start(self, visit: Visit) -> str:
        local = datetime.combine(self._day(visit.days), visit.at, self.zone)
        return local.strftime("%Y%m%d%H%M%S%z")

    def _day(self, days: int) -> date:
        day = self.now.astimezone(self.zone).date() + timedelta(days=days)
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= _SATURDAY else 0)


def _segment(name: str, fields: Mapping[int, str]) -> str:
    """A segment with these fields, by their number."""
    return "|".join((name, *(fields.get(number, "") for number in range(1, max(fields) + 1))))
