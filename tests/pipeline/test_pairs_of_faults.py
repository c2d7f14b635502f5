"""Every fault of the telephone network together with every other: the same end, no double, nothing stuck.

The real adapter talks HTTP to the emulator, and the emulator calls our own webhooks back; only the clock is
turned, from one thing that is due to the next. A text is a double when the network took its words for the
same number twice and did not itself say that the first ones never arrived.
"""

from __future__ import annotations

import heapq
import threading
import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self

import pytest
from flask import Flask

from integration.adapters.sms import twilio
from integration.domain.consequences import ACCOUNT_BREAKER
from integration.domain.failure import failures
from integration.domain.reminder import OPEN
from integration.domain.text_message import AttemptState
from integration.entrypoints.sms_webhooks import sms_webhooks
from integration.sandbox.behaviour import Behaviour
from integration.sandbox.exchange import Exchange
from integration.sandbox.faults import Fault
from integration.sandbox.lifecycles import LIFECYCLES
from integration.sandbox.server import LoopbackServer
from integration.sandbox.twilio import create_app
from integration.testing.store import FakeStore
from tests.adapters.sms_worlds import account
from tests.adapters.test_error_codes import SHIPPED
from tests.messages import siu
from tests.settings import settings as make_settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BOOKED_AT: Final = local("2027-03-01T11:00").astimezone(UTC)  # the network writes its times as UTC
VISIT: Final = local("2027-03-11T14:30")
OVER: Final = BOOKED_AT + timedelta(hours=60)  # long after the last word, and before the next reminder
PATIENCE: Final = 0.15  # seconds that the adapter waits for an answer
LATE: Final = 0.3  # seconds after which a slow one comes
STEPS: Final = 400
REST: Final = timedelta(hours=6)  # a step of the clock when nothing is due sooner


class TurnedTimetable:
    """The network's own deeds, done when the story's clock is turned past them."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()

    def enter(self, delay: float, deed: Callable[[], object]) -> None:
        at = self._clock.now + timedelta(seconds=delay)
        heapq.heappush(self._due, (at, next(self._order), deed))

    def next(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def work(self) -> None:
        while self._due and self._due[0][0] <= self._clock.now:
            heapq.heappop(self._due)[2]()

    def clear(self) -> None:
        self._due.clear()

    def stop(self) -> None:
        self._due.clear()


@dataclass(frozen=True)
class Knob:
    """One thing that goes wrong."""

    order: dict[str, Any] = field(default_factory=dict)  # of `Fault`
    play: str | None = None
    behaviour: dict[str, Any] = field(default_factory=dict)


def _api(kind: str, **more: Any) -> Knob:
    return Knob({"kind": kind, **more})


KNOBS: Final = {
    "throttled": _api("throttle"),
    "throttled thrice": _api("throttle", times=3),
    "queue full": _api("refuse", code=21611),
    "opted out at once": _api("refuse", code=21610),
    "not a number": _api("refuse", code=21211),
    "account refused": _api("refuse", code=20003),
    "our fault": _api("refuse", code=21624),
    "unheard-of code": _api("refuse", code=39999),
    "redirected": _api("redirect"),
    "error before": _api("error", status=500),
    "error after": _api("error", when="after"),
    "dropped before": _api("drop"),
    "dropped after": _api("drop", when="after"),
    "slow before": _api("slow", seconds=LATE),
    "slow after": _api("slow", when="after", seconds=LATE),
    "truncated": _api("truncate"),
    "garbage": _api("garbage"),
    "list fails": _api("error", on="list"),
    "list dropped": _api("drop", on="list", when="after"),
    "list garbled": _api("garbage", on="list"),
    "fetch fails": _api("error", on="fetch"),
    "fetch throttled": _api("throttle", on="fetch"),
    "webhooks twice": Knob({"kind": "twice", "on": "webhook", "times": None}),
    "webhooks silent": Knob({"kind": "silent", "on": "webhook", "times": None}),
    "list lags": Knob(behaviour={"list_lag": 120.0}),
    "hasty": Knob(behaviour={"pace": 0.0}),
    "unforeseen fields": Knob(behaviour={"extra": {"NewThing": "1", "Empty": ""}}),
    **{f"plays {name}": Knob(play=name) for name in LIFECYCLES if name != "normal"},
}
# Offers that the network never had: two of them in a row, and a person looks.
LOST: Final = frozenset({"error before", "dropped before"})
# What changes the end of a story, and not only its way there.
DECIDING: Final = frozenset(
    {"opted out at once", "not a number", "our fault", "unheard-of code"}
    | {f"plays {name}" for name in LIFECYCLES}
) - {f"plays {name}" for name in ("slow", "lost", "duplicated", "out-of-order")}


class Door:
    """A port of its own; every story brings its own room behind, and may wait until nobody is in it."""

    def __init__(self, room: WSGIApplication | None = None) -> None:
        self.room = room
        self._inside = 0
        self._change = threading.Condition()
        self._server = LoopbackServer(self._enter)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.join()

    @property
    def url(self) -> str:
        return self._server.url

    def wait(self) -> None:
        """Return when every request has been answered, also those that nobody waits for any more."""
        with self._change:
            assert self._change.wait_for(lambda: not self._inside, 10)

    def _enter(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.room is not None
        self._count(1)
        try:
            return self.room(environ, start_response)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._change:
            self._inside += change
            self._change.notify_all()


@dataclass(frozen=True, eq=False)
class House:
    """The network, its door, and ours."""

    exchange: Exchange
    network: Door
    ours: Door


@dataclass(frozen=True)
class End:
    """What is left when all is over."""

    text: str  # how the last text ended
    failure: str | None
    tasks: tuple[str, ...]
    suppressions: tuple[str, ...]


class Story:
    """One booking, told while these knobs are turned."""

    def __init__(self, house: House, *names: str) -> None:
        self.clock, self.names = TurnedClock(BOOKED_AT), names
        self.house, exchange = house, house.exchange
        exchange.reset()
        self.timetable = TurnedTimetable(self.clock)
        exchange.timetable = self.timetable  # type: ignore[assignment]
        exchange.clock = self.clock
        exchange.seconds = lambda: self.clock.now.timestamp()  # noqa: PLW0108 - the clock is turned
        exchange.behaviour = Behaviour()
        self.exchange = exchange
        for name in names:
            self._turn(KNOBS[name])
        codes = failures(tomllib.loads(SHIPPED.read_text())["twilio"])
        self.site = Site(FakeStore(), self.clock, settings=replace(make_settings(), failures=codes))
        provider = twilio.build(account(house.network.url, error_codes=codes))
        self.site.change(sms=provider, public_base_url=house.ours.url)
        app = Flask("webhooks")
        app.register_blueprint(sms_webhooks(self.site.workshop))
        house.ours.room = app

    def _turn(self, knob: Knob) -> None:
        if knob.order:
            self.exchange.faults.order(Fault.read(knob.order))
        if knob.play:
            self.exchange.usual = LIFECYCLES[knob.play]
        for name, value in knob.behaviour.items():
            setattr(self.exchange.behaviour, name, value)

    def tell(self) -> End:
        """From the booking until nothing is under way."""
        self.site.receive(siu("S12", at=BOOKED_AT, start=VISIT))
        for _ in range(STEPS):
            self.site.work()
            self.house.network.wait()
            self.timetable.work()
            self.site.work()
            if ACCOUNT_BREAKER in self.site.store.breakers():
                self.clock.now += timedelta(minutes=10)
                self.site.store.release(ACCOUNT_BREAKER, self.clock.now)
                continue
            if self.clock.now >= OVER:
                return self._end()
            self.clock.now = self._next()
        raise AssertionError("it never comes to an end")

    def met(self, name: str) -> bool:
        """Whether it came to that: a refusal means nothing to a text that was taken before."""
        order = KNOBS[name].order
        return not order or Fault.read(order) not in self.exchange.faults.waiting()

    def _next(self) -> datetime:
        times = self.site.store.next_times()
        due = [at for at in (times.calendar, times.wall, self.timetable.next()) if at is not None]
        soon = [at for at in due if at > self.clock.now]
        return min([*soon, self.clock.now + REST, OVER])

    def _end(self) -> End:
        self._assert_nothing_stuck()
        self._assert_no_double()
        texts, tasks = self.site.texts, self.site.tasks
        with self.site.store.unit() as unit:
            suppressed = unit.numbers.suppressions("+16175550123")
        return End(
            text=texts[-1].status,
            failure=texts[-1].failure,
            tasks=tuple(sorted(task.kind for task in tasks if task.kind != "release")),
            suppressions=tuple(one.kind for one in suppressed),
        )

    def _assert_nothing_stuck(self) -> None:
        kinds, texts = {task.kind for task in self.site.tasks}, self.site.texts
        with self.site.store.unit() as unit:
            for text in texts:
                assert text.final_at is not None or (text.unresolved and "unresolved_text" in kinds), text
                states = {attempt.state for attempt in unit.texts.attempts(text.id)}
                assert not states & {AttemptState.OFFERED, AttemptState.UNCERTAIN}
            assert unit.callbacks.claim(1) == []
        waiting = [each for each in self.site.reminders.values() if each.state in OPEN]
        assert all(each.due_at > self.clock.now for each in waiting)

    def _assert_no_double(self) -> None:
        arrived = Counter(
            (text.to, text.body)
            for text in self.exchange.texts.newest(None)
            if text.direction == "outbound-api" and text.status not in {"undelivered", "failed"}
        )
        assert all(copies == 1 for copies in arrived.values()), f"the same words twice {self.names}"
        assert self.exchange.record.after_stop == self.exchange.record.outside_hours == []


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    exchange = Exchange()
    with (
        Door(create_app(exchange)) as network,
        Door() as ours,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(twilio, "READ_SECONDS", PATIENCE)
        yield House(exchange, network, ours)
        exchange.stop()


@cache
def _alone(house: House, name: str) -> End:
    return Story(house, name).tell()


def test_without_a_fault_the_text_arrives(house: House) -> None:
    assert Story(house).tell() == End("delivered", None, (), ())


@pytest.mark.parametrize("name", sorted(KNOBS.keys() - DECIDING))
def test_whatever_goes_wrong_on_the_way_the_text_arrives_once(name: str, house: House) -> None:
    assert _alone(house, name) == End("delivered", None, (), ())


def _takes_turns(one: str, other: str) -> bool:
    """Whether it matters which was ordered first: what goes wrong with the same request goes by turns."""
    orders = [KNOBS[one].order, KNOBS[other].order]
    return all(orders) and len({Fault.read(order).on for order in orders}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("first", sorted(KNOBS))
def test_every_two_faults_end_as_the_weightier_one_alone(first: str, house: House) -> None:
    usual = End("delivered", None, (), ())
    for second in sorted(KNOBS):
        if second == first or (KNOBS[first].play and KNOBS[second].play):
            continue
        if second < first and not _takes_turns(first, second):
            continue  # told the other way round
        story = Story(house, first, second)
        end = story.tell()
        deciding = [name for name in (first, second) if name in DECIDING and story.met(name)]
        if {first, second} == LOST:
            assert end.tasks == ("unresolved_text",), second
        elif not deciding:
            assert end == usual, second
        elif len(deciding) == 1:
            assert end == _alone(house, deciding[0]), second
