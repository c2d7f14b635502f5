"""The pipeline's steps as Celery tasks: `celery -A integration.entrypoints.worker worker` (and `beat`).

A task carries nothing and only says "now"; the rows remember. Beat sweeps once a second for what no knock
announced. No task has a countdown: a reminder is a row with a due time. The application is made when Celery
asks for it, not when this module is imported.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery.signals import setup_logging

from integration.bootstrap import open_workshop, with_settings
from integration.domain.clock import wall_now
from integration.domain.surprise import describe
from integration.entrypoints.broker import BrokerKnocks, celery_app, task_name
from integration.entrypoints.in_force import LOOK, Running, begin_with, go_on_with
from integration.entrypoints.knocker import AT_REST, CONCURRENT
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.steps import steps
from integration.entrypoints.surroundings import the_configuration, the_environment
from integration.ports.store import STEPS, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celery import Celery

    from integration.ports.store import Step
    from integration.ports.workshop import Workshop
    from integration.settings.environment import Environment

_TURN: Final = 2.0  # seconds one task works before it lets others have its place
_log = structlog.get_logger(__name__)


class _Tasks:
    """What the tasks of one process share: a workshop, opened by the first of them."""

    def __init__(self, environment: Environment, knocks: BrokerKnocks) -> None:
        self._environment = environment
        # Read once, before the first fork: a fork that is made later must not find a half-edited folder.
        self._written = the_configuration(environment)
        self._knocks = knocks
        self._guard = threading.Lock()
        self._process = 0
        self._looked_at = 0.0
        self._workshop: Workshop
        self._work: Mapping[Step, Callable[[], bool]]

    def of(self, step: Step) -> Callable[[], None]:
        """The task of one step."""

        def task() -> None:
            self._quietly(step, lambda: self._take_a_turn(step))

        return task

    def sweep(self) -> Callable[[], None]:
        """The task that knocks on every step that has rows to work on."""

        def look() -> None:
            workshop, _ = self._open()
            for step in workshop.store.has_work(workshop.clock.calendar(), workshop.clock.wall()):
                self._knocks.knock(step)

        def task() -> None:
            self._quietly("sweep", look)

        return task

    def _take_a_turn(self, step: Step) -> None:
        _, work = self._open()
        end = time.monotonic() + _TURN
        for turn in range(1_000_000):
            if not work[step]():
                return
            if turn == 0 and step in CONCURRENT:
                self._knocks.knock(step)  # where there was one there may be another
            if time.monotonic() > end:
                break
        self._knocks.knock(step)

    def _open(self) -> tuple[Workshop, Mapping[Step, Callable[[], bool]]]:
        """The workshop of this process; after a fork a new one."""
        with self._guard:
            if self._process != os.getpid():
                first = open_workshop(self._environment, self._written.settings, knock=self._knocks.knock)
                running = begin_with(first.store, self._written, wall_now(), whole_site=False)
                self._take(first, running)
                self._process = os.getpid()
                gc.freeze()  # as `Knocker.start` does
            elif time.monotonic() - self._looked_at > LOOK:
                self._look()
            return self._workshop, self._work

    def _take(self, workshop: Workshop, running: Running) -> None:
        self._workshop = with_settings(workshop, self._environment, running.settings, running.generation)
        self._work = steps(self._workshop)
        self._looked_at = time.monotonic()

    def _look(self) -> None:
        """Take the settings in force, if they are others now; rest while they cannot be taken."""
        forced = self._workshop.store.configuration_news().in_force
        if forced is not None and forced != self._workshop.generation:
            running = go_on_with(self._workshop.store)
            if running is None:
                self._work = AT_REST
                _log.error("the settings in force cannot be taken", generation=forced)
            else:
                self._take(self._workshop, running)
                _log.info("settings taken", generation=running.generation)
        self._looked_at = time.monotonic()

    @staticmethod
    def _quietly(step: str, deed: Callable[[], None]) -> None:
        """Do it; Celery would log a surprise's words, which may be a person's. The next sweep tries again."""
        try:
            deed()
        except StoreUnavailable:
            _log.warning("the store does not answer; trying again", step=step)
        except Exception as surprise:  # noqa: BLE001 - whatever it is, its words stay here
            _log.error("a step surprised; trying again", step=step, surprise=describe(surprise))


def _log_as_we_do(**_: Any) -> None:
    configure_logging("worker")
    for chatty in ("celery.worker.strategy", "celery.beat"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def worker_app(environment: Environment) -> Celery:
    """The application with its tasks. Raises Refused without a broker."""
    app = celery_app(environment)
    tasks = _Tasks(environment, BrokerKnocks(app))
    for step in STEPS:
        app.task(name=task_name(step), shared=False)(tasks.of(step))
    app.task(name=task_name("sweep"), shared=False)(tasks.sweep())
    return app


def __getattr__(name: str) -> Celery:
    """`app`, made when Celery asks for it."""
    if name != "app":
        raise AttributeError(name)
    setup_logging.connect(_log_as_we_do, weak=False)
    app = worker_app(the_environment())
    globals()["app"] = app
    return app
