"""The threads that run the steps: knocked, swept, surprised, and ended in order."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from integration.domain.clock import RealClock, SimulatedClock
from integration.entrypoints.bells import Bell, Bells
from integration.entrypoints.knocker import Knocker
from integration.ports.store import STEPS, NextTimes, StoreUnavailable
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.domain.clock import Clock
    from integration.ports.store import Step, Store

LONG = 30.0  # seconds: longer than any test waits


@dataclass
class Rows:
    """A store that knows what waits and nothing else."""

    waiting: set[Step] = field(default_factory=set)
    due: datetime | None = None
    away: bool = False

    def has_work(self, calendar: datetime, wall: datetime) -> frozenset[Step]:
        del wall
        if self.away:
            raise StoreUnavailable
        if self.due is not None and self.due <= calendar:
            return frozenset({"send"})
        return frozenset(self.waiting)

    def next_times(self) -> NextTimes:
        return NextTimes(calendar=self.due, wall=None)


@dataclass
class Works:
    """Steps that count how often they ran."""

    runs: Counter[Step] = field(default_factory=Counter)
    left: Counter[Step] = field(default_factory=Counter)
    surprises: Counter[Step] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def of(self, step: Step) -> Callable[[], bool]:
        def work() -> bool:
            with self.guard:
                self.runs[step] += 1
                if self.surprises[step]:
                    self.surprises[step] -= 1
                    raise RuntimeError("Ana Sample 617-555-0123")
                if not self.left[step]:
                    return False
                self.left[step] -= 1
                return True

        return work


class Scene:
    """A knocker over rows and works that a test sets up."""

    def __init__(self) -> None:
        self.rows, self.works, self.bells = Rows(), Works(), Bells()
        self.knocker: Knocker | None = None

    def start(self, clock: Clock | None = None, speed: float = 1.0) -> Knocker:
        store: Store = self.rows  # type: ignore[assignment] # of a store, the knocker asks what waits
        work = {step: self.works.of(step) for step in STEPS}
        self.knocker = Knocker(store, clock or RealClock(), work, self.bells, senders=3, speed=speed)
        self.knocker.start()
        return self.knocker


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    if scene.knocker is not None:
        assert scene.knocker.stop(LONG)


def test_ringing_twice_is_ringing_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(LONG)
    assert not bell.wait(0)


def test_a_step_that_does_not_exist_is_not_knocked_on() -> None:
    with pytest.raises(KeyError):
        Bells().knock("sned")


def test_it_begins_with_what_waits_since_the_last_time(scene: Scene) -> None:
    scene.works.left.update({"translate": 3, "send": 5})
    scene.start()
    until("all is done", lambda: scene.works.left.total() == 0)


def test_a_knock_is_enough(scene: Scene) -> None:
    scene.start()
    until("every step has looked", lambda: len(scene.works.runs) == len(STEPS))
    scene.works.left["plan"] = 2
    scene.bells.knock("plan")
    until("the knock was heard", lambda: scene.works.left["plan"] == 0)


def test_the_sweep_finds_what_no_knock_announced(scene: Scene) -> None:
    scene.start()
    until("every step has looked", lambda: len(scene.works.runs) == len(STEPS))
    scene.works.left["reply"] = 1
    scene.rows.waiting = {"reply"}
    until("the sweep found it", lambda: scene.works.left["reply"] == 0)


def test_a_due_time_is_met_on_the_calendar_that_runs_fast(scene: Scene) -> None:
    clock = SimulatedClock(datetime(2027, 3, 1, 14, tzinfo=UTC), speed=3600)
    scene.rows.due = clock.calendar() + timedelta(hours=2)
    scene.start(clock, speed=3600)
    until("every step has looked", lambda: len(scene.works.runs) == len(STEPS))
    scene.works.left["send"] = 1
    clock.begin()
    until("it fell due", lambda: scene.works.left["send"] == 0)
    assert clock.calendar() >= scene.rows.due


def test_a_surprise_is_logged_without_its_words_and_the_step_goes_on(scene: Scene) -> None:
    scene.works.surprises["track"] = 1
    scene.works.left["track"] = 2
    with capture_logs() as log:
        knocker = scene.start()
        until("it went on", lambda: scene.works.left["track"] == 0)
        assert knocker.alive
    (told,) = [entry for entry in log if entry["log_level"] == "error"]
    assert told["step"] == "track"
    assert told["surprise"].startswith("RuntimeError at test_knocker.py:")
    assert "Ana" not in str(log)


def test_a_store_that_is_away_is_waited_for(scene: Scene) -> None:
    scene.rows.away = True
    with capture_logs() as log:
        knocker = scene.start()
        until("somebody noticed", lambda: any(entry["step"] == "sweep" for entry in log))
    scene.rows.away = False
    scene.rows.waiting = {"plan"}
    scene.works.left["plan"] = 1
    until("work goes on", lambda: scene.works.left["plan"] == 0)
    assert knocker.alive


def test_it_ends_in_the_middle_of_much_work(scene: Scene) -> None:
    scene.works.left.update({"translate": 10_000_000, "send": 10_000_000})
    knocker = scene.start()
    until("it is at it", lambda: scene.works.runs["send"] > 100)
    assert knocker.stop(LONG)
    assert not knocker.alive
    scene.knocker = None
