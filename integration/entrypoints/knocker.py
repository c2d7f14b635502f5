"""Runs the pipeline's steps in threads of this process: each when knocked, and when the sweep finds it work.

Rows remember, knocks only hurry. The sweep looks once a second, and at the next due time, which steps have
rows to work on. A step that surprises is logged and tried again after a growing pause; no thread dies of it.
"""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.surprise import describe
from integration.ports.store import STEPS, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.domain.clock import Clock
    from integration.entrypoints.bells import Bells
    from integration.ports.store import Step, Store

CONCURRENT: Final[frozenset[Step]] = frozenset({"send"})  # several of it at once are faster than one
# They follow the listener, and let it go first.
PATIENT: Final[frozenset[Step]] = frozenset({"translate", "plan", "anew"})
SWEEP: Final = 1.0  # seconds between two looks
_SHORTEST: Final = 0.02  # seconds; looking after every knock would cost as much as the work
SILENCE: Final = 5.0  # seconds between looks for texts and feeds of which nothing has been heard for long
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds, after a surprise
# What a process does that may do nothing: no step finds work.
AT_REST: Final[Mapping[Step, Callable[[], bool]]] = dict.fromkeys(STEPS, lambda: False)
_log = structlog.get_logger(__name__)


class Knocker:
    """The threads; `speed` is how much faster than the wall the calendar runs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        work: Mapping[Step, Callable[[], bool]],
        bells: Bells,
        *,
        senders: int,
        speed: float = 1.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._work = work
        self._bells = bells
        self._speed = speed
        self._stopping = threading.Event()
        self._silence_heard = time.monotonic()
        self._threads = [
            threading.Thread(target=self._serve, args=(step,), name=f"{step} {place}", daemon=True)
            for step in STEPS
            for place in range(senders if step in CONCURRENT else 1)
        ]
        self._threads.append(threading.Thread(target=self._sweep, name="sweep", daemon=True))

    @property
    def alive(self) -> bool:
        """Whether every thread is at work."""
        return all(thread.is_alive() for thread in self._threads)

    def take(self, work: Mapping[Step, Callable[[], bool]]) -> None:
        """Work by these from now on; what is under way ends as it began."""
        self._work = work
        self._bells.rouse()

    def start(self) -> None:
        """Begin, with whatever waits since the last time."""
        gc.freeze()  # what is loaded by now stays; looking through it for garbage takes a tenth of a second
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> bool:
        """Let every thread end what it is at; whether all did within so many seconds."""
        self._stopping.set()
        self._bells.rouse()
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self.alive

    def _serve(self, step: Step) -> None:
        """Work one step for ever."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                while not self._stopping.is_set() and self._works(step):
                    pause = _FIRST_PAUSE
                    if step in CONCURRENT:
                        self._bells.steps[step].ring()  # where there was one there may be another
                while not self._stopping.is_set() and not self._bells.steps[step].wait(SWEEP):
                    pass
            except Exception as surprise:  # noqa: BLE001 - whatever it is, the step goes on
                _tell(step, surprise)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _works(self, step: Step) -> bool:
        """Work a step once; whether it found work."""
        begin = time.monotonic()
        found = self._work[step]()
        if step in PATIENT:
            self._bells.rush.stand_back(time.monotonic() - begin, self._stopping)
        return found

    def _sweep(self) -> None:
        """Ring for every step that has rows to work on."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._bells.sweep.wait(self._look())
                self._stopping.wait(_SHORTEST)
                pause = _FIRST_PAUSE
            except Exception as surprise:  # noqa: BLE001 - as above
                _tell("sweep", surprise)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _look(self) -> float:
        """Look once; the seconds until the next look."""
        calendar, wall = self._clock.calendar(), self._clock.wall()
        for step in self._store.has_work(calendar, wall):
            self._bells.steps[step].ring()
        if time.monotonic() - self._silence_heard > SILENCE:
            self._silence_heard = time.monotonic()
            self._bells.steps["look_up"].ring()
            self._bells.steps["silence"].ring()
        times = self._store.next_times()
        waits = [SWEEP]
        if times.calendar is not None:
            waits.append((times.calendar - calendar).total_seconds() / self._speed)
        if times.wall is not None:
            waits.append((times.wall - wall).total_seconds())
        # What is due already has been rung for; if it stays, something holds it, and haste would not help.
        return min(wait for wait in waits if wait > 0)


def _tell(step: str, surprise: Exception) -> None:
    if isinstance(surprise, StoreUnavailable):
        _log.warning("the store does not answer; trying again", step=step)
    else:
        _log.error("a step surprised; trying again", step=step, surprise=describe(surprise))
