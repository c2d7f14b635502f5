"""Knows what was true when, and judges every text by it; shares no rule with the product.

It learns what the product was told (by the feed, by patients, by carriers) at the moment it was told. Of a
text it takes the product's word for whose visits it speaks of, and holds all else against its own books.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from tests.simulation.feed import REASON
from tests.simulation.people import HOMES
from tests.simulation.site import CLINICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from tests.simulation.feed import Message, VisitFacts
    from tests.simulation.people import Facts

OPENS, CLOSES = time(9), time(20)
PER_DAY, PER_WEEK = 1, 3
WEEK = timedelta(hours=168)
GOODBYE = timedelta(minutes=5)  # one confirmation of a STOP: 47 CFR 64.1200(a)(12)
OUTRANK = frozenset({"moved", "cancelled"})
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")


Meaning = tuple[str, str, str, str, datetime]  # number, record, visit, step, start


@dataclass(frozen=True, slots=True)
class Claim:
    """An accepted text, and what the product says it is."""

    number: str
    body: str
    answer: bool
    occasion: str
    language: str
    practice: str
    subjects: tuple[tuple[str, str], ...]  # record and visit that it speaks of
    steps: tuple[tuple[str, str, str], ...] = ()  # record, visit and step it stands for, said or not
    sid: str = ""


@dataclass(slots=True)
class Visit:
    """One visit as the product was told of it."""

    told: list[tuple[datetime, VisitFacts]] = field(default_factory=list)  # when, and what from then on
    newest: datetime | None = None  # of the events told
    texts: list[tuple[datetime, str, datetime]] = field(
        default_factory=list
    )  # when, occasion, the start told

    def at(self, when: datetime) -> VisitFacts | None:
        """What had been told by then."""
        return next((facts for since, facts in reversed(self.told) if since <= when), None)


@dataclass(slots=True)
class Phone:
    """What is known of a number."""

    texts: list[datetime] = field(default_factory=list)  # accepted, but for answers
    in_vain: list[datetime] = field(default_factory=list)  # of these, what the carrier did not deliver
    answers: list[datetime] = field(default_factory=list)
    heard: list[datetime] = field(default_factory=list)
    confirms: list[datetime] = field(default_factory=list)
    closed: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)  # stop | wrong | bad
    stopped_at: datetime | None = None

    def why_closed(self, when: datetime) -> frozenset[str]:
        """What forbade texts to it then."""
        return next((why for since, why in reversed(self.closed) if since <= when), frozenset())

    def bad_since(self, when: datetime) -> datetime | None:
        """Since when a carrier had said that it takes no texts; None when none had, or it was given anew."""
        since = None
        for at, why in reversed(self.closed):
            if at <= when:
                if "bad" not in why:
                    return since
                since = at
        return since

    def within(self, since: datetime, until: datetime) -> int:
        """How many texts it got in [since, until)."""
        return bisect_left(self.texts, until) - bisect_left(self.texts, since)


class Oracle:
    """The books, and what was found wrong."""

    def __init__(self) -> None:
        self.people: dict[str, list[tuple[datetime, Facts]]] = {}
        self._newest: dict[str, datetime] = {}
        self.survivors: dict[str, str] = {}
        self.visits: dict[str, Visit] = {}
        self.phones: defaultdict[str, Phone] = defaultdict(Phone)
        self._said: Counter[Meaning] = Counter()
        self._sent: dict[str, tuple[str, datetime, list[Meaning]]] = {}  # by SID, until it arrives
        self._retried: set[Meaning] = set()
        self.stoppages: list[tuple[datetime, datetime | None]] = []  # while a breaker was open
        self.violations: list[tuple[str, str]] = []
        self.counts: Counter[str] = Counter()

    def wrong(self, rule: str, now: datetime, *ids: object) -> None:
        """Note a violation, by ids alone."""
        self.violations.append((rule, f"{now.isoformat()} {' '.join(map(str, ids))}"))

    # --- What the product is told ---------------------------------------------------------------

    def told(self, message: Message, now: datetime) -> None:
        """A message has arrived: what is newest by its event's time is so, whenever it comes."""
        facts, at = message.person, message.event_at.replace(microsecond=0)  # MSH-7 counts seconds
        if message.gone:
            self.survivors[message.gone] = facts.mrn
        mrn = self.record(facts.mrn)
        if at >= self._newest.get(mrn, at):
            self._newest[mrn] = at
            known = self.people.setdefault(mrn, [])
            if not known or known[-1][1] != facts:
                self._freed(facts, known[-1][1] if known else None, at, now)
                known.append((now, facts))
        if message.visit is None:
            return
        visit = self.visits.setdefault(message.visit.key, Visit())
        if visit.newest is None or at >= visit.newest:
            visit.newest = at
            if not visit.told or visit.told[-1][1] != message.visit:
                visit.told.append((now, message.visit))

    def _freed(self, facts: Facts, before: Facts | None, at: datetime, now: datetime) -> None:
        """A number that a record gives anew may be tried again, whatever a carrier said of it before."""
        for number in {facts.number, facts.guardian} - {
            "",
            before.number if before else "",
            before.guardian if before else "",
        }:
            phone = self.phones[number]
            bad = phone.bad_since(now)
            if bad is not None and at > bad:
                phone.closed.append((now, phone.why_closed(now) - {"bad"}))

    def record(self, mrn: str) -> str:
        """The record that it has become part of, or itself."""
        while mrn in self.survivors:
            mrn = self.survivors[mrn]
        return mrn

    def facts(self, mrn: str, when: datetime) -> Facts | None:
        """What was known of somebody then."""
        known = self.people.get(self.record(mrn), ())
        return next((facts for since, facts in reversed(known) if since <= when), None)

    def numbers(self, mrn: str, when: datetime) -> set[str]:
        """Each number that was known by then for somebody, or for whoever is texted for them."""
        known = [facts for since, facts in self.people.get(self.record(mrn), ()) if since <= when]
        return {number for facts in known for number in (facts.number, facts.guardian) if number}

    def heard(self, number: str, meaning: str, now: datetime) -> None:
        """A patient's text has arrived, and means this."""
        phone = self.phones[number]
        phone.heard.append(now)
        why = phone.why_closed(now)
        if meaning == "confirm":
            phone.confirms.append(now)
        elif meaning == "stop":
            phone.stopped_at = now
            phone.closed.append((now, why | {"stop"}))
        elif meaning == "start":
            phone.closed.append((now, why - {"stop"}))
        elif meaning == "wrong":
            phone.closed.append((now, why | {"wrong"}))

    def carrier(self, number: str, why: str, now: datetime) -> None:
        """A carrier has said that the number takes no texts, or stopped them."""
        phone = self.phones[number]
        phone.closed.append((now, phone.why_closed(now) | {why}))

    # --- What the product sends -----------------------------------------------------------------

    def judge(self, claim: Claim, now: datetime) -> None:
        """Hold one accepted text against the books."""
        phone = self.phones[claim.number]
        self.counts[f"{'answer ' if claim.answer else ''}{claim.occasion}"] += 1
        for rule in self._of_body(claim):
            self.wrong(rule, now, claim.occasion, *claim.subjects)
        closed = phone.why_closed(now)
        if claim.answer:
            since = bisect_left(phone.heard, now - timedelta(hours=2))
            if len(phone.heard) - since <= len(phone.answers) - bisect_left(
                phone.answers, now - timedelta(hours=1)
            ):
                self.wrong("answer without a question", now, claim.occasion)
            asked = phone.stopped_at
            is_goodbye = claim.occasion == "stop" and asked is not None and now - asked <= GOODBYE
            if closed and not is_goodbye:
                self.wrong("answer after stop", now, claim.occasion, *closed)
            phone.answers.append(now)
            return
        if closed:
            self.wrong(f"text after {'/'.join(sorted(closed))}", now, claim.occasion, *claim.subjects)
        for mrn, key in claim.subjects:
            for rule in self._of_subject(claim, mrn, key, now):
                self.wrong(rule, now, claim.occasion, mrn, key)
        if claim.subjects:
            self._of_caps(claim, phone, now)
        phone.texts.append(now)
        self._write_down(claim, now)

    def _write_down(self, claim: Claim, now: datetime) -> None:
        """What has been said now; the same thing to the same number is not said twice."""
        meanings = []
        for mrn, key, step in claim.steps:
            visit = self.visits.get(key)
            told = None if visit is None else visit.at(now)
            if visit is None or told is None:
                continue
            known = [start for _, _, start in visit.texts]
            start = known[-1] if known and step == "cancelled" else told.start
            meaning = (claim.number, self.record(mrn), key, step, start)
            if self._said[meaning] and meaning not in meanings:
                self.wrong("doubled", now, step, mrn, key)
            self._said[meaning] += 1
            meanings.append(meaning)
            visit.texts.append((now, step, start))
        self._sent[claim.sid] = (claim.number, now, meanings)

    def undelivered(self, sid: str) -> None:
        """It has not arrived: it counts for no cap, and may be said once more."""
        if sid not in self._sent:
            return
        number, at, meanings = self._sent.pop(sid)
        if at in self.phones[number].texts:
            self.phones[number].texts.remove(at)
            insort(self.phones[number].in_vain, at)
        for meaning in meanings:
            if meaning not in self._retried:
                self._said[meaning] = 0
                self._retried.add(meaning)

    def delivered(self, sid: str) -> None:
        """It has arrived."""
        self._sent.pop(sid, None)

    def _of_body(self, claim: Claim) -> Iterator[str]:
        """What no text may be or say."""
        body, clinic = claim.body, CLINICS[claim.practice]
        twice = sum(letter in GSM_TWICE for letter in body)
        plain = all(letter in GSM or letter in GSM_TWICE for letter in body)
        if not plain or len(body) + twice > 160:
            yield "over one segment"
        if REASON.casefold() in body.casefold():
            yield "clinical"
        if clinic.public_name not in body or (not claim.answer and clinic.phone not in body):
            yield "no name or phone"
        if not claim.answer and "STOP" not in body:
            yield "no way out"

    def _of_subject(self, claim: Claim, mrn: str, key: str, now: datetime) -> Iterator[str]:
        """What a text about this visit of this patient must be, now."""
        visit, facts = self.visits.get(key), self.facts(mrn, now)
        told = None if visit is None else visit.at(now)
        if visit is None or told is None or facts is None or self.record(told.mrn) != self.record(mrn):
            yield "of nobody's visit"
            return
        yield from self._of_person(claim, facts, now)
        yield from self._of_visit(claim, visit, told, now)
        several = len({self.record(each) for each, _ in claim.subjects}) > 1
        spoken = CLINICS[told.practice].languages
        wanted = facts.language if facts.language in spoken else spoken[0]
        if claim.language != wanted and not several:
            yield "another language"

    def _of_person(self, claim: Claim, facts: Facts, now: datetime) -> Iterator[str]:
        """Whom it may reach, and at which hour."""
        if not OPENS <= now.astimezone(self.zone(facts)).time() < CLOSES:
            yield "quiet hours"
        if facts.dead:
            yield "to the dead"
        elif claim.number != facts.number_on(now.astimezone(CLINICS[claim.practice].zone).date()):
            yield "to another number"

    def _of_visit(self, claim: Claim, visit: Visit, told: VisitFacts, now: datetime) -> Iterator[str]:
        """What it may say of the visit: how it stands now, at its own time."""
        start, zone = told.start, CLINICS[told.practice].zone
        if claim.occasion == "cancelled":
            if told.status != "cancelled":
                yield "not cancelled"
            known = [each for at, _, each in visit.texts if at < now]
            start = known[-1] if known else start
        elif told.status != "booked":
            yield f"for a visit {told.status}"
        if start <= now:
            yield "for a past visit"
        there = start.astimezone(zone)
        hour = f"{(there.hour + 11) % 12 + 1}:{there:%M}"
        today = there.date() == now.astimezone(zone).date()
        if hour not in claim.body or not (today or str(there.day) in re.findall(r"\d+", claim.body)):
            yield "another time than the visit's"
        if claim.practice != told.practice:
            yield "another practice"

    def zone(self, facts: Facts) -> ZoneInfo:
        """By whose clocks a text to them must be decent."""
        return HOMES[facts.state].zone

    def _of_caps(self, claim: Claim, phone: Phone, now: datetime) -> None:
        if claim.occasion in OUTRANK:
            return
        facts = self.facts(claim.subjects[0][0], now)
        zone = CLINICS[claim.practice].zone if facts is None else self.zone(facts)
        for rule in self.over(phone, zone, now):
            self.wrong(rule, now, claim.occasion, *claim.subjects)

    def over(self, phone: Phone, zone: ZoneInfo, now: datetime) -> Iterator[str]:
        """Which caps a further text now would break."""
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        if phone.within(midnight, now + timedelta(microseconds=1)) >= PER_DAY:
            yield "over the day's cap"
        if len(phone.texts) - bisect_right(phone.texts, now - WEEK) >= PER_WEEK:
            yield "over the week's cap"

    def may_wait(self, phone: Phone, zone: ZoneInfo, now: datetime) -> bool:
        """Whether a cap holds, or held until what it counted came to nothing: what was held then stays so."""
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        of_day, of_week = (
            bisect_right(phone.in_vain, now) - bisect_left(phone.in_vain, since)
            for since in (midnight, now - WEEK)
        )
        return (
            phone.within(midnight, now + timedelta(microseconds=1)) + of_day >= PER_DAY
            or len(phone.texts) - bisect_right(phone.texts, now - WEEK) + of_week >= PER_WEEK
        )
