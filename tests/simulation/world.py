"""One simulated world: the real store, steps, receiver and Twilio adapter, stepped from event to event.

Nothing sleeps. The next moment is the earliest of what the script, the emulated network and the store's own
rows wait for; at each, every step works until none finds anything to do.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NoReturn

import structlog
from flask import Flask

from integration import bootstrap
from integration.domain.text_message import TextKind
from integration.entrypoints.sms_webhooks import sms_webhooks
from integration.entrypoints.steps import steps
from integration.ports.store import KeptMessage
from integration.sandbox.behaviour import ACCOUNT, TOKEN, Account, Behaviour
from integration.sandbox.emulator import Emulator
from integration.settings.differences import touched
from integration.settings.environment import read_environment
from tests.simulation.clockwork import SteppedClock, SteppedExchange
from tests.simulation.missing import judge_visit
from tests.simulation.oracle import Claim, Oracle
from tests.simulation.people import phones
from tests.simulation.site import settings
from tests.simulation.year import BEGIN, END, PLAN_CHANGE, Year

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from integration.ports.store import Step
    from integration.ports.workshop import Workshop
    from integration.sandbox.texts import Text
    from tests.simulation.feed import Message

BASE = "http://127.0.0.1:8080"
ORDER: Final[tuple[Step, ...]] = (
    "translate",
    "anew",
    "plan",
    "track",
    "reply",
    "look_up",
    "send",
    "write_back",
)
SWEEP, LONGEST_SWEEP = timedelta(seconds=5), timedelta(minutes=5)
WATCH = timedelta(minutes=15)  # how often a person looks whether texts have stopped
LOOK_UP = timedelta(hours=1)  # how often texts of which nothing was heard are asked about
PERSON = timedelta(minutes=75)  # until somebody releases what stopped the texts
MOST_TURNS = 100_000  # of the steps at one moment; more is a step that never comes to rest
ASKS = re.compile(r"\bC\b")  # the letter our questions offer
BAD = {"30003": "", "30005": "bad", "30006": "bad", "21610": "stop"}
_log = logging.getLogger(__name__)


class World:
    """One shard of the year: its own people, store and network."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        people: int,
        visits: int,
        *,
        shard: int = 0,
        shards: int = 1,
        database: str | None = None,
    ) -> None:
        self.clock = SteppedClock(BEGIN)
        self.oracle = Oracle()
        self._rung: set[str] = set()
        self.surprises: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self.moments = 0
        _hear_errors(self.surprises)
        rng = random.Random(f"{seed}/{shard}")  # noqa: S311 - a seed tells the same year again
        self._random = random.Random(f"{seed}/{shard}/product")  # noqa: S311 - as above
        self.exchange = SteppedExchange(
            self.clock, Account(), Behaviour(reply_url=f"{BASE}/sms/twilio/reply")
        )
        self.year = Year(rng, people, visits, islice(phones(), shard, None, shards), 1 + shard * 100_000)
        self.year.exchange, self.year.receive = self.exchange, self.receive
        self.emulator = Emulator(self.exchange)
        self._folder = folder
        self.environment = read_environment(
            {
                "APPOINTMENT_TEXTS_DATA": str(folder / "data"),
                "PUBLIC_BASE_URL": BASE,
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "TWILIO_AUTH_TOKEN": TOKEN,
                "TWILIO_API_BASE_URL": self.emulator.url,
                **({"APPOINTMENT_TEXTS_DATABASE_URL": database} if database else {}),
            }
        )
        (folder / "data").mkdir(parents=True, exist_ok=True)
        opened = bootstrap.open_workshop(
            self.environment,
            settings(folder / "config", changed=False),
            kind="simulated",
            clock=self.clock,
            knock=self._rung_for,
        )
        self.workshop: Workshop = replace(opened, random=self._random.random, new_token=self._token)
        self._use(self.workshop)
        self.exchange.on_accepted = self._accepted
        self.exchange.on_heard = self._heard
        self._waiting: list[Text] = []
        self._said: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._played: set[str] = set()
        self._known: dict[tuple[str, int], str] = {}
        self._judged: set[str] = set()
        self._looked = self._watched = BEGIN
        self._sweep = SWEEP
        self._to_look = True  # whether rows may be due that nobody has rung for
        self.year.at(PLAN_CHANGE, self._change_plan)

    def _token(self) -> str:
        return f"{self._random.getrandbits(144):036x}"

    def _rung_for(self, step: str) -> None:
        self._rung.add(step)

    def _use(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self._steps = steps(workshop)
        app = Flask("simulation")
        app.register_blueprint(sms_webhooks(workshop))
        self.exchange.receiver = app.wsgi_app

    # --- The stepped time -----------------------------------------------------------------------

    def run(self) -> None:
        """Live through the year."""
        with self.emulator:
            while (now := self._next()) is not None and now <= END:
                self.clock.now = now
                self.moments += 1
                self.year.run(now)
                self.exchange.stepped.run()
                self._work()
        for key in list(self.oracle.visits):
            self._judge(key)
        self._count()
        self.workshop.store.close()

    def _next(self) -> datetime | None:
        """The next moment at which anything waits; what is overdue is looked at as a sweep would."""
        times = self.workshop.store.next_times()
        network = self.exchange.stepped.next()
        waits = [self.year.next(), times.calendar, times.wall]
        waits.append(None if network is None else datetime.fromtimestamp(network, UTC))
        known = [each for each in waits if each is not None]
        if not known:
            return None
        soonest = min(known)
        due = [each for each in (times.calendar, times.wall) if each is not None]
        self._to_look = bool(due) and min(due) <= max(soonest, self.clock.now)
        if soonest > self.clock.now:
            self._sweep = SWEEP
            return soonest
        # What is due and stays so waits for somebody: to look ever more often would not help.
        later = [each for each in known if each > self.clock.now]
        swept = self.clock.now + self._sweep
        self._sweep = min(self._sweep * 2, LONGEST_SWEEP)
        return min([swept, *later])

    def _work(self) -> None:
        """Let every step work until none finds anything to do."""
        now = self.clock.now
        if now - self._looked >= LOOK_UP:
            self._looked = now
            self._let_work("look_up")
        if now - self._watched >= WATCH:
            self._watched = now
            self._watch_breakers(now)
        idle: set[str] = set()  # what says that there is work and finds none waits for somebody else's
        for _ in range(MOST_TURNS):
            if self._rung:
                waiting, self._rung = frozenset(self._rung), set()
            elif self._to_look:
                waiting = self.workshop.store.has_work(now, now) & frozenset(ORDER)
                self._to_look = bool(waiting - idle)
            elif self.exchange.stepped.run():
                continue
            else:
                return
            for name in ORDER:
                if name not in waiting or name in idle:
                    continue
                if self._let_work(name):
                    idle.clear()
                    self._to_look = True
                else:
                    idle.add(name)
        self.oracle.wrong("the steps never come to rest", now)

    def _let_work(self, name: Step) -> bool:
        """Let a step work; whether it found anything."""
        found = self._steps[name]()
        if self._waiting:
            self._judge_texts()
        return found

    def _watch_breakers(self, now: datetime) -> None:
        """A person sees within a quarter of an hour that texts have stopped, and lets them go on later."""
        stops = self.oracle.stoppages
        if self.workshop.store.breakers() and (not stops or stops[-1][1] is not None):
            stops.append((now - WATCH, None))
            self.year.at(now + PERSON, self._release)

    # --- What goes in ---------------------------------------------------------------------------

    def receive(self, message: Message, salt: bytes) -> None:
        """A message arrives at the product's inbox."""
        kept = KeptMessage(0, "main", message.control_id, message.payload, self.clock.now)
        with self.workshop.store.unit() as unit:
            fresh = unit.inbox.add(kept, hashlib.sha256(message.payload + salt).digest())
        self.figures["messages"] += 1
        if not fresh:
            self.figures["messages resent"] += 1
        self._rung.add("translate")
        self.oracle.told(message, self.clock.now)
        if message.visit is not None and message.visit.key not in self._judged:
            self._judge_later(message.visit.key, message.visit.start)

    def _judge_later(self, key: str, start: datetime) -> None:
        """Once the visit is over; one that was moved on is over later."""

        def judge() -> None:
            visit = self.oracle.visits.get(key)
            if visit is not None and visit.told[-1][1].start <= start:
                self._judge(key)

        self.year.at(max(start, self.clock.now) + timedelta(hours=3), judge)

    def _judge(self, key: str) -> None:
        if key in self._judged:
            return
        self._judged.add(key)
        self.figures["visits"] += 1
        judge_visit(self.oracle, self.exchange.lost, key, self.clock.now)
        del self.oracle.visits[key]

    def _change_plan(self) -> None:
        """The plan changes, as by a reload."""
        wanted = settings(self._folder / "config", changed=True)
        scope = touched(self.workshop.settings, wanted)
        with self.workshop.store.unit() as unit:
            generation = unit.configurations.propose({"any.toml": "July"}, "July", self.clock.now)
            unit.configurations.put_in_force(generation, scope, self.clock.now)
        self._use(bootstrap.with_settings(self.workshop, self.environment, wanted, generation))
        self._rung.add("anew")

    def _release(self) -> None:
        """A person has looked at what stopped the texts, and lets them go on."""
        for name in self.workshop.store.breakers():
            self.figures[f"released {name.split()[0]}"] += 1
            self.workshop.store.release(name, self.clock.now)
        begun, _ = self.oracle.stoppages[-1]
        self.oracle.stoppages[-1] = (begun, self.clock.now)
        self._rung.add("send")

    def say(self, number: str, words: str, meaning: str) -> None:
        """A patient writes."""
        self._said[number, words].append(meaning)
        self.exchange.reply(number, words)
        self.figures[f"reply {meaning}"] += 1

    def _heard(self, form: Mapping[str, str]) -> None:
        """The product has taken a webhook."""
        word, now = form.get("MessageStatus"), self.clock.now
        if word is None:
            meanings = self._said.pop((form["From"], form["Body"]), [])
            for meaning in meanings:
                self.oracle.heard(form["From"], meaning, now)
        elif word in {"undelivered", "failed"}:
            self.figures[f"error {form.get('ErrorCode')}"] += 1
            self.oracle.undelivered(form["MessageSid"])
            if why := BAD.get(form.get("ErrorCode", "")):
                self.oracle.carrier(form["To"], why, now)
        elif word == "delivered":
            self.figures["status delivered"] += 1
            self.oracle.delivered(form["MessageSid"])

    # --- What comes out -------------------------------------------------------------------------

    def _accepted(self, text: Text) -> None:
        self._waiting.append(text)

    def _judge_texts(self) -> None:
        """Ask the product what the accepted texts are, and the oracle what it thinks of them."""
        taken, self._waiting = self._waiting, []
        for text in taken:
            claim = self._claim(text)
            if claim is None:
                self.oracle.wrong("a text nobody knows", self.clock.now, text.sid)
                continue
            self.oracle.judge(claim, self.clock.now)
            self.figures["texts"] += 1
            self.figures["segments"] += text.weight.segments
            self.figures[f"language {claim.language}"] += 1
            self.figures[f"occasion {'answer ' if claim.answer else ''}{claim.occasion}"] += 1
            if text.to not in self._played:
                self._played.add(text.to)
                self.year.play_for(text.to)
            if not claim.answer:
                visits = sorted({key for _, key in claim.subjects})
                asked = ASKS.search(claim.body) is not None
                self.year.read(text.to, claim.language, visits, self.say, asked=asked)

    def _claim(self, text: Text) -> Claim | None:
        token = (text.callback or "").rsplit("/", 1)[-1]
        with self.workshop.store.reading() as unit:
            attempt = unit.texts.attempt_by_token(token)
            if attempt is None:
                return None
            written = unit.texts.get(attempt.text_id)
            subjects = []
            for subject in written.subjects:
                mrn = self._name(unit, "patient", subject.patient_id)
                visit = subject.appointment_id
                subjects.append((mrn, "" if visit is None else self._name(unit, "visit", visit)))
            steps = [
                (
                    self._name(unit, "patient", each.patient_id),
                    self._name(unit, "visit", each.appointment_id),
                    each.step,
                )
                for each in unit.reminders.of_text(written.id)
            ]
        return Claim(
            text.to,
            text.body,
            written.kind is TextKind.ANSWER,
            str(written.occasion),
            written.language,
            written.practice,
            tuple(dict.fromkeys(subjects)),  # two steps of one visit may share a text
            tuple(dict.fromkeys(steps)),
            text.sid,
        )

    def _name(self, unit: Any, kind: str, row: int) -> str:
        """The EHR's own name for a row: the record's, or the visit's number."""
        if (kind, row) not in self._known:
            record = unit.patients.get(row) if kind == "patient" else unit.appointments.get(row)
            pattern = r"\b[MX]\d{6}\b" if kind == "patient" else r"\bV\d{8}\b"
            found = re.search(pattern, " ".join(map(str, record.identifiers)))
            self._known[kind, row] = found.group() if found else "?"
        return self._known[kind, row]

    def _count(self) -> None:
        """What is left in the store."""
        with self.workshop.store.reading() as unit:
            self.figures["open tasks"] = len(unit.tasks.open())
            self.figures["messages dead"] = unit.inbox.count("dead")
            self.figures["messages unread"] = unit.inbox.count("new")


def _hear_errors(surprises: Counter[str]) -> None:
    """Count what the product logs as an error; say nothing of the rest."""

    def keep(_logger: object, level: str, event: MutableMapping[str, Any]) -> NoReturn:
        if level in {"error", "critical"}:
            surprises[f"{event.get('event')} {event.get('surprise', '')}".strip()] += 1
        raise structlog.DropEvent

    structlog.configure(
        processors=[keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
