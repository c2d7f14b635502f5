"""What happens in a simulated year: second thoughts, moves, deaths, merges, a network's bad days.

Everything is drawn from one seeded source, so that a seed tells the same year again.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import TYPE_CHECKING

from integration.sandbox.faults import Fault
from integration.sandbox.lifecycles import LIFECYCLES
from tests.simulation.feed import Message, VisitFacts, adt, siu
from tests.simulation.people import families
from tests.simulation.replies import choose
from tests.simulation.site import CLINICS, FEED_ZONE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from integration.sandbox.exchange import Exchange
    from tests.simulation.people import Facts, Family

BEGINS = date(2027, 1, 4)
DAYS = 364
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def local(day: date, at: str) -> datetime:
    """A time of the feed's zone."""
    return datetime.combine(day, time.fromisoformat(at), FEED_ZONE).astimezone(UTC)


BEGIN, END = local(BEGINS, "06:00"), local(BEGINS + timedelta(days=DAYS), "23:00")
OUTAGE = (local(date(2027, 5, 12), "12:00"), local(date(2027, 5, 12), "17:30"))
REFUSAL = local(date(2027, 9, 14), "09:59")
PLAN_CHANGE = local(date(2027, 7, 1), "14:00")
# While the feed's line is down nothing arrives; then everything does, in order.
FEED_OUTAGES = (
    (local(date(2027, 3, 9), "11:00"), local(date(2027, 3, 9), "14:00")),
    (local(date(2027, 10, 5), "16:00"), local(date(2027, 10, 6), "08:30")),
)
# how a hundredth of the numbers' texts fare; the rest are delivered as usual
PLAYS = {
    "landline": 1.5,
    "unknown-number": 0.7,
    "unreachable": 0.7,
    "filtered": 0.1,
    "slow": 3,
    "sent-only": 1,
    "stuck": 0.1,
    "lost": 2,
    "duplicated": 3,
    "out-of-order": 3,
}
FAULTS = (
    Fault("throttle"),
    Fault("drop"),
    Fault("drop", when="after"),
    Fault("error"),
    Fault("error", when="after"),
    Fault("truncate", when="after"),
    Fault("garbage", when="after"),
    Fault("silent", on="webhook"),
    Fault("twice", on="webhook"),
)
_DEAF = [LIFECYCLES[name] for name in ("landline", "unknown-number", "unreachable", "filtered", "stuck")]
_LEADS = ((0.1, 0, 1), (0.25, 1, 7), (0.45, 7, 30), (0.2, 30, 75))  # share, days from, days to


class Year:
    """The script; `send` hands a message to the product's inbox when it arrives."""

    def __init__(
        self, rng: random.Random, people: int, visits: int, numbers: Iterator[str], first: int
    ) -> None:
        self.rng = rng
        self.now = BEGIN
        self.facts: dict[str, Facts] = {}
        self.visits: dict[str, VisitFacts] = {}
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._turn, self._control, self._keys = count(), count(first * 100 + 1), count(first * 100 + 1)
        self._numbers, self._first = numbers, first
        self._home: dict[str, Family] = {}
        self.receive: Callable[[Message, bytes], None] = lambda _message, _salt: None
        self.exchange: Exchange | None = None
        self.strangers: set[str] = set()
        self._people(people)
        self._bookings(visits)
        self._faults(visits)

    def at(self, when: datetime, deed: Callable[[], None]) -> None:
        """Let this happen then."""
        heapq.heappush(self._heap, (when, next(self._turn), deed))

    def next(self) -> datetime | None:
        """When something happens next."""
        return self._heap[0][0] if self._heap else None

    def run(self, now: datetime) -> None:
        """Let all happen that is due."""
        self.now = now
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()

    # --- Who lives there ------------------------------------------------------------------------

    def _people(self, people: int) -> None:
        rng, first = self.rng, self._first
        for share, clinic in zip((0.5, 0.3, 0.2), CLINICS.values(), strict=True):
            wanted = max(round(people * share), 1)
            for family in families(
                rng, self._numbers, count=wanted, first=first, year=BEGINS, state=clinic.state
            ):
                for member in family.members:
                    self.facts[member.mrn] = member
                    self._home[member.mrn] = family
                self._life(family)
            first += wanted

    def _sometime(self) -> datetime:
        return BEGIN + timedelta(days=self.rng.uniform(5, DAYS - 5))

    def _life(self, family: Family) -> None:
        rng = self.rng
        if rng.random() < 0.05:
            state = rng.choice(("MA", "IL", "CO", "AZ", "CA"))
            self.at(self._sometime(), lambda: self._change(family, state=state))
        if rng.random() < 0.05:
            self.at(self._sometime(), lambda: self._new_number(family))
        if rng.random() < 0.01:
            self.at(self._sometime(), lambda: self._change(family, language=rng.choice(("en", "es"))))
        for member in family.members:
            mrn = member.mrn
            if rng.random() < 0.008:
                self.at(self._sometime(), lambda mrn=mrn: self._die(mrn))  # type: ignore[misc]
            if rng.random() < 0.012:
                self.at(self._sometime(), lambda mrn=mrn: self._second_record(mrn))  # type: ignore[misc]

    def _tell(self, facts: Facts) -> None:
        self.facts[facts.mrn] = facts
        self._emit(adt("A08", next(self._control), self.now, facts))

    def _change(self, family: Family, **changes: str) -> None:
        for member in family.members:
            if member.mrn in self.facts:
                self._tell(replace(self.facts[member.mrn], **changes))  # type: ignore[arg-type]

    def _new_number(self, family: Family) -> None:
        assert self.exchange is not None
        old, family.phone = family.phone, next(self._numbers)
        if self.rng.random() < 0.5:
            self.exchange.choose(LIFECYCLES["unknown-number"], old)
        else:
            self.strangers.add(old)
        for member in family.members:
            facts = self.facts.get(member.mrn)
            if facts is not None and facts.number:
                self._tell(replace(facts, number=family.phone))
            elif facts is not None and facts.guardian:
                self._tell(replace(facts, guardian=family.phone))

    def _die(self, mrn: str) -> None:
        if mrn not in self.facts:
            return
        self._tell(replace(self.facts[mrn], dead=True))
        for visit in [each for each in self.visits.values() if each.mrn == mrn and each.expected]:
            if self.rng.random() < 0.5:
                later = self.now + self.rng.uniform(2, 40) * HOUR
                self.at(later, lambda key=visit.key: self._cancel(key))  # type: ignore[misc]

    def _second_record(self, mrn: str) -> None:
        """Registered once more by mistake, with visits of its own, until somebody sees it."""
        facts = self.facts.get(mrn)
        if facts is None or facts.dead:
            return
        double = f"X{mrn[1:]}"
        self.facts[double] = replace(facts, mrn=double)
        for _ in range(self.rng.randint(1, 2)):
            self._book(double, self._start(CLINICS[self._clinic(facts)].name, self.now + 8 * DAY))
        self.at(self.now + timedelta(days=self.rng.uniform(1, 20)), lambda: self._merge(mrn, double))

    def _merge(self, mrn: str, double: str) -> None:
        self._emit(adt("A40", next(self._control), self.now, self.facts[mrn], gone=double))
        self.facts.pop(double, None)
        for key, visit in list(self.visits.items()):
            if visit.mrn == double:
                self.visits[key] = replace(visit, mrn=mrn)

    # --- Visits ---------------------------------------------------------------------------------

    def _clinic(self, facts: Facts) -> str:
        return next((each.name for each in CLINICS.values() if each.state == facts.state), "riverside")

    def _start(self, clinic: str, after: datetime) -> datetime:
        """A quarter of an hour of a working day."""
        zone = CLINICS[clinic].zone
        day = after.astimezone(zone).date()
        while day.weekday() > 4:
            day += timedelta(days=1)
        minutes = self.rng.randint(32, 69) * 15
        return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)

    def _office(self, clinic: str, low: datetime, high: datetime) -> datetime:
        """Some time between, when somebody is at the desk if that can be."""
        when = low + (high - low) * self.rng.random()
        zone = CLINICS[clinic].zone
        wished = datetime.combine(
            when.astimezone(zone).date(), time(self.rng.randint(8, 17), self.rng.randint(0, 59)), zone
        ).astimezone(UTC) + timedelta(seconds=self.rng.randint(0, 59))
        return wished if low < wished < high else when

    def _bookings(self, wanted: int) -> None:
        rng, mrns = self.rng, list(self.facts)
        made = 0
        while made < wanted:
            mrn = rng.choice(mrns)
            clinic = self._clinic(self.facts[mrn])
            start = self._start(clinic, BEGIN + timedelta(days=rng.uniform(0.5, DAYS - 3)))
            who = [mrn]
            siblings = [each.mrn for each in self._home[mrn].members if each.mrn != mrn]
            if siblings and rng.random() < 0.3:
                who.append(rng.choice(siblings))
            [(_, low, high)] = rng.choices(_LEADS, weights=[share for share, _, _ in _LEADS])
            latest = start - timedelta(minutes=rng.randint(30, 300))
            earliest = max(BEGIN, start - timedelta(days=high))
            booked = self._office(clinic, earliest, max(latest - timedelta(days=low), earliest + MINUTE))
            if booked >= start:
                continue
            for place, one in enumerate(who):
                at = start + place * 15 * MINUTE
                self.at(
                    booked + timedelta(seconds=place * rng.randint(5, 60)),
                    lambda one=one, at=at: self._book(one, at),  # type: ignore[misc]
                )
            made += len(who)

    def _book(self, mrn: str, start: datetime) -> None:
        facts = self.facts.get(mrn)
        if facts is None or facts.dead or start <= self.now:
            return
        visit = VisitFacts(f"V{next(self._keys):08}", mrn, self._clinic(facts), start)
        self._say("S12", visit)
        self._fate(visit)

    def _fate(self, visit: VisitFacts) -> None:
        rng, key, drawn = self.rng, visit.key, self.rng.random()
        sometime = self._office(visit.practice, self.now + 20 * timedelta(seconds=1), visit.start)
        if drawn < 0.09:
            self.at(sometime, lambda: self._cancel(key))
        elif drawn < 0.18:
            self.at(sometime, lambda: self._move(key))
        elif drawn < 0.20:
            self.at(sometime, lambda: self._rebook(key))
        elif drawn < 0.205:
            self.at(sometime, lambda: self._end(key, "S17", "deleted"))
        elif drawn < 0.22:
            self.at(sometime, lambda: self._confirmed(key))
        elif drawn < 0.28:
            self.at(visit.start + HOUR, lambda: self._end(key, "S26", "noshow"))
            return
        if drawn >= 0.205:
            early = timedelta(minutes=rng.randint(-15, 8))
            self.at(max(visit.start + early, self.now), lambda: self._arrive(key, visit.start))

    def _say(self, trigger: str, visit: VisitFacts) -> None:
        self.visits[visit.key] = visit
        person = self.facts[visit.mrn]
        self._emit(siu(trigger, next(self._control), self.now, visit, person))
        if not visit.expected:
            del self.visits[visit.key]

    def _stands(self, key: str) -> VisitFacts | None:
        visit = self.visits.get(key)
        return visit if visit is not None and visit.start > self.now and visit.mrn in self.facts else None

    def _cancel(self, key: str) -> None:
        if (visit := self._stands(key)) is not None:
            self._say("S15", replace(visit, status="cancelled"))

    def _end(self, key: str, trigger: str, status: str) -> None:
        visit = self.visits.get(key)
        if visit is not None and visit.mrn in self.facts:
            self._say(trigger, replace(visit, status=status))

    def _arrive(self, key: str, start: datetime) -> None:
        visit = self.visits.get(key)
        if visit is not None and visit.start == start and not self.facts[visit.mrn].dead:
            self._say("S14", replace(visit, status="arrived"))

    def _confirmed(self, key: str) -> None:
        if (visit := self._stands(key)) is not None:
            self._say("S14", replace(visit, confirmed=True))

    def _move(self, key: str) -> None:
        visit = self._stands(key)
        if visit is None:
            return
        base = max(visit.start + timedelta(days=self.rng.uniform(-6, 14)), self.now + 3 * HOUR)
        start = self._start(visit.practice, base)
        if start <= self.now or start >= END - DAY or start == visit.start:
            return
        moved = replace(visit, start=start, confirmed=False)
        self._say("S13", moved)
        self._fate(moved)

    def _rebook(self, key: str) -> None:
        visit = self._stands(key)
        if visit is None:
            return
        start = self._start(visit.practice, self.now + timedelta(days=self.rng.uniform(1, 20)))
        if start >= END - DAY:
            return
        self._say("S15", replace(visit, status="cancelled"))
        later = self.now + timedelta(seconds=self.rng.randint(5, 100))
        self.at(later, lambda: self._book(visit.mrn, start))

    # --- The line to the product ----------------------------------------------------------------

    def _emit(self, message: Message) -> None:
        """Let it arrive: soon, at times late and overtaken, at times twice, or when the line is up again."""
        rng, drawn = self.rng, self.rng.random()
        wait = timedelta(seconds=rng.uniform(30, 600) if drawn < 0.04 else rng.uniform(0.2, 3))
        arrives = self.now + wait
        for low, high in FEED_OUTAGES:
            if low <= arrives < high:
                arrives = high + (arrives - low) / 1000
        self.at(arrives, lambda: self.receive(message, b""))
        if drawn > 0.98:
            again = arrives + timedelta(seconds=rng.uniform(1, 7200))
            salt = b"" if rng.random() < 0.5 else b"again"
            self.at(again, lambda: self.receive(message, salt))

    def _faults(self, visits: int) -> None:
        for _ in range(max(visits // 150, 10)):
            fault = self.rng.choice(FAULTS)
            self.at(self._sometime(), lambda fault=fault: self._order(fault))  # type: ignore[misc]
        for on in ("create", "list", "fetch"):
            broken = Fault("error" if on == "create" else "drop", on=on, times=None)
            self.at(OUTAGE[0], lambda broken=broken: self._order(broken))  # type: ignore[misc]
        self.at(OUTAGE[1], self._repair)
        self.at(REFUSAL, lambda: self._order(Fault("refuse", code=20003)))

    def _order(self, fault: Fault) -> None:
        assert self.exchange is not None
        self.exchange.faults.order(fault)

    def _repair(self) -> None:
        assert self.exchange is not None
        self.exchange.faults.clear()

    # --- The patient's side ---------------------------------------------------------------------

    def play_for(self, number: str) -> None:
        """Settle, at a number's first text, how its texts fare."""
        assert self.exchange is not None
        drawn = self.rng.random() * 100
        for name, share in PLAYS.items():
            drawn -= share
            if drawn < 0:
                self.exchange.choose(LIFECYCLES[name], number)
                return

    def read(
        self,
        number: str,
        language: str,
        visits: list[str],
        say: Callable[[str, str, str], None],
        *,
        asked: bool,
    ) -> None:
        """A text has come: perhaps somebody answers, and perhaps somebody at the desk acts on that."""
        assert self.exchange is not None
        if self.exchange.plays.get(number) in _DEAF:
            return
        drawn = choose(self.rng, language, asked=asked)
        if number in self.strangers:
            words = "numero equivocado" if language == "es" else "wrong number"
            drawn = ("wrong", words) if self.rng.random() < 0.3 else None
        if drawn is None:
            return
        meaning, words = drawn
        quick = self.rng.random() < 0.7
        delay = timedelta(minutes=self.rng.uniform(0.5, 20) if quick else self.rng.uniform(20, 900))
        self.at(self.now + delay, lambda: say(number, words, meaning))
        acted = self.now + delay + timedelta(minutes=self.rng.uniform(20, 300))
        if meaning == "stop" and self.rng.random() < 0.3:
            back = self.now + delay + timedelta(days=self.rng.uniform(0.01, 20))
            self.at(back, lambda: say(number, self.rng.choice(("START", "UNSTOP")), "start"))
        if meaning == "cancel" and len(visits) == 1:
            self.at(acted, lambda: self._cancel(visits[0]))
        if meaning == "reschedule" and len(visits) == 1:
            self.at(acted, lambda: self._move(visits[0]))
