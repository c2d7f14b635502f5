"""Whether a reminder that was due and useful went out, or what spoke against it all the while it was useful.

A reminder is missing when there were twenty minutes in its time during which nothing forbade it, and no
text of that time named the visit. The dues are reckoned here anew, from the plan as its page tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tests.simulation.oracle import CLOSES, OPENS, OUTRANK
from tests.simulation.site import CLINICS
from tests.simulation.year import FEED_OUTAGES, OUTAGE, PLAN_CHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from tests.simulation.feed import VisitFacts
    from tests.simulation.oracle import Oracle, Visit

    Lost = Mapping[str, Sequence[datetime]]  # when what was meant for a number met a fault

SETTLE = timedelta(seconds=180)
GRAIN, ENOUGH = timedelta(minutes=10), 3
AFTERWARDS = timedelta(minutes=40)  # for looking up what an outage left uncertain
STRADDLES = timedelta(days=9)  # around the change of plan, dues may follow either


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which a visit stood, as told: from when, and until when."""

    facts: VisitFacts
    since: datetime
    until: datetime

    @property
    def start(self) -> datetime:
        """When the visit begins."""
        return self.facts.start


@dataclass(frozen=True, slots=True)
class Due:
    """A step that is due in [at, until] for a slot."""

    step: str
    at: datetime
    until: datetime


def judge_visit(oracle: Oracle, lost: Lost, key: str, now: datetime) -> None:
    """Note each reminder of the visit that should have gone out and did not."""
    visit = oracle.visits[key]
    slots = list(_slots(visit, now))
    dues = [
        (slot, due)
        for place, slot in enumerate(slots)
        for due in (*_ahead(oracle, slot), *_news(slots, place, visit))
    ]
    missed = [(slot, due) for slot, due in dues if not _covered(oracle, visit, slot, due)]
    off = _called_off(visit, slots)
    if off is not None:
        dues.append((slots[-1], off))
        if not any(step == "cancelled" and when >= off.at - SETTLE for when, step, _ in visit.texts):
            missed.append((slots[-1], off))
    for slot, due in missed:
        if _Chance(oracle, lost, visit, slot, due).was_there(now):
            oracle.wrong("missing", now, due.step, slot.facts.mrn, key, f"due {due.at.isoformat()}")
    oracle.counts.update(f"due {due.step}" for _, due in dues)


def _slots(visit: Visit, now: datetime) -> Iterator[Slot]:
    """The times at which it stood; news that changes neither time nor standing ends none."""
    current: Slot | None = None
    for at, facts in visit.told:
        same = current is not None and facts.expected and facts.start == current.start
        if current is not None and not same:
            yield Slot(current.facts, current.since, at)
            current = None
        if facts.expected and current is None:
            current = Slot(facts, at, now)
    if current is not None:
        yield Slot(current.facts, current.since, min(now, current.start))


def _ahead(oracle: Oracle, slot: Slot) -> Iterator[Due]:
    """The steps before the visit, by the plan in force."""
    practice, start = slot.facts.practice, slot.start
    zone = CLINICS[practice].zone
    late = start >= PLAN_CHANGE + STRADDLES
    if not late and start > PLAN_CHANGE - timedelta(days=1) and practice in {"riverside", "lakeview"}:
        return
    days = {"five_days": 5, "two_days": 3 if practice == "riverside" and late else 2}
    for step, ahead in days.items():
        day = start.astimezone(zone).date() - timedelta(days=ahead)
        at = datetime.combine(day, time(10), zone).astimezone(UTC)
        yield from _if_told_before(slot, step, at, at + (start - at) / 2)
    if not (practice == "lakeview" and late) and not slot.facts.confirmed:
        at = start - timedelta(hours=3)
        at = _decent(at, _zone(oracle, slot, at))
        yield from _if_told_before(slot, "three_hours", at, start - timedelta(minutes=45))


def _if_told_before(slot: Slot, step: str, at: datetime, until: datetime) -> Iterator[Due]:
    if slot.since + timedelta(minutes=1) < at < slot.until:
        yield Due(step, at, min(until, slot.until))


def _decent(at: datetime, zone: ZoneInfo) -> datetime:
    """The time itself, or the evening before."""
    there = at.astimezone(zone)
    if OPENS <= there.time() < CLOSES:
        return at
    day = there.date() if there.time() > time(19) else there.date() - timedelta(days=1)
    return datetime.combine(day, time(19), zone).astimezone(UTC)


def _news(slots: Sequence[Slot], place: int, visit: Visit) -> Iterator[Due]:
    """The text about the booking, or about the move of who knew another time."""
    slot = slots[place]
    if any(low <= slot.since <= high + timedelta(hours=1) for low, high in FEED_OUTAGES):
        return  # the line was down, and the news may be too old to tell
    at = slot.since + SETTLE
    knew = [start for when, _, start in visit.texts if when < slot.since]
    ends = min(slot.start, knew[-1]) if knew and knew[-1] > at else slot.start
    if at < slot.until and at < ends:
        yield Due("moved" if knew else "booked", at, min(at + (ends - at) / 2, slot.until))


def _covered(oracle: Oracle, visit: Visit, slot: Slot, due: Due) -> bool:
    """Whether a text named this time of the visit when the step was due, or earlier that day."""
    zone = _zone(oracle, slot, due.at)
    morning = datetime.combine(due.at.astimezone(zone).date(), time(), zone)
    return any(
        start == slot.start
        and max(slot.since, morning) <= when <= due.until + timedelta(minutes=1)
        and occasion != "cancelled"
        for when, occasion, start in visit.texts
    )


def _zone(oracle: Oracle, slot: Slot, when: datetime) -> ZoneInfo:
    """By whose clocks the patient's days are counted."""
    facts = oracle.facts(slot.facts.mrn, when)
    return CLINICS[slot.facts.practice].zone if facts is None else oracle.zone(facts)


def _called_off(visit: Visit, slots: Sequence[Slot]) -> Due | None:
    """Whoever knew of a visit must hear that it is off, or that another took its place."""
    if not slots or visit.told[-1][1].status != "cancelled":
        return None
    off = visit.told[-1][0]
    if any(low <= off <= high + timedelta(hours=1) for low, high in FEED_OUTAGES):
        return None
    knew = [start for when, _, start in visit.texts if when < off]
    if not knew or knew[-1] <= off:
        return None
    at = off + SETTLE
    return Due("cancelled", at, at + (knew[-1] - at) / 2)


@dataclass(frozen=True, slots=True)
class _Chance:
    """A step that was due, and all that may have spoken against it."""

    oracle: Oracle
    lost: Lost
    visit: Visit
    slot: Slot
    due: Due

    def was_there(self, now: datetime) -> bool:
        """Whether there was time enough in which nothing forbade it.

        What a stop or a carrier's no forbade when it fell due stays unsaid, whatever is so later.
        """
        number = self._number(self.due.at)
        if number and self.oracle.phones[number].why_closed(self.due.at):
            return False
        free, at = 0, self.due.at
        while at <= min(self.due.until, now):
            free = free + 1 if self._allowed(at) else 0
            if free >= ENOUGH:
                return True
            at += GRAIN
        return False

    def _allowed(self, at: datetime) -> bool:
        """Whether nothing forbade the text at this moment."""
        oracle = self.oracle
        facts = oracle.facts(self.slot.facts.mrn, at)
        number = self._number(at)
        if facts is None or not number or self._stopped(at) or self._in_vain(number, at):
            return False
        phone, zone = oracle.phones[number], oracle.zone(facts)
        if phone.why_closed(at) or not OPENS <= at.astimezone(zone).time() < CLOSES:
            return False
        if self.due.step == "three_hours" and self._confirmed(at):
            return False
        return self.due.step in OUTRANK or not oracle.may_wait(phone, zone, at)

    def _stopped(self, at: datetime) -> bool:
        """Whether the provider was away, or a person had to let texts go on first."""
        return any(
            low <= at and (high is None or at <= high + AFTERWARDS)
            for low, high in (OUTAGE, *self.oracle.stoppages)
        )

    def _in_vain(self, number: str, at: datetime) -> bool:
        """Whether texts to it were lost twice: then a person looks."""
        return sum(abs(each - at) < timedelta(days=1) for each in self.lost.get(number, ())) > 1

    def _number(self, at: datetime) -> str:
        """Whom to text by what was known then, on the practice's day; empty: nobody."""
        facts = self.oracle.facts(self.slot.facts.mrn, at)
        day = at.astimezone(CLINICS[self.slot.facts.practice].zone).date()
        return "" if facts is None else facts.number_on(day)

    def _confirmed(self, at: datetime) -> bool:
        """Whether the chart said so, or anybody at a number of theirs has said yes since it was booked."""
        told = self.visit.at(at)
        numbers = self.oracle.numbers(self.slot.facts.mrn, at)
        said = any(
            self.slot.since <= each <= at
            for number in numbers
            for each in self.oracle.phones[number].confirms
        )
        return said or (told is not None and told.confirmed)
