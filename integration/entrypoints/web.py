"""The web process: webhooks, health and metrics; as a child of the supervisor also the pipeline's steps.

As a child it opens the store first (and migrates it), says so on its lifeline, and is ready once the listener
listens too. Then the calendar starts, and `/health/ready` answers 200.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from integration import bootstrap
from integration.domain.clock import RealClock, SimulatedClock, wall_now
from integration.entrypoints.bells import Bells
from integration.entrypoints.channel import channels
from integration.entrypoints.http_ports import (
    Ports,
    silent_feeds,
    stopped_subscriptions,
    stopped_texts,
    store_answers,
)
from integration.entrypoints.in_force import Running, SettingsWatch, begin_with, go_on_with
from integration.entrypoints.knocker import AT_REST, Knocker
from integration.entrypoints.lifeline import Lifeline
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.steps import steps
from integration.entrypoints.surroundings import the_configuration, the_environment
from integration.entrypoints.troubles import describe_trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.adapters.store.stamp import Kind
    from integration.settings.environment import Environment
    from integration.settings.model import Settings

_BREATH = 0.01  # seconds between two knocks
_LISTENER_ANSWERS = 5.0  # seconds
_DRAIN = 15.0  # seconds; a request to the provider takes at most thirteen
_log = structlog.get_logger(__name__)


class EmbeddedWeb:
    """One life of the supervisor's second child."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Open everything. Raises ConfigError, Refused, WrongKey, WrongStamp, StoreUnavailable."""
        self._stop = threading.Event()
        self._listening = False
        self._begun = False
        self._lifeline = Lifeline.from_fd(options.lifeline)
        self._knock_fd = options.knock
        environment = the_environment()
        running = _in_force(environment, options.kind) if options.again else None
        written = None
        if running is None:
            written = the_configuration(environment)
            running = Running(written.settings, 0)
        settings = running.settings
        self._simulated = options.begin is not None or options.speed != 1
        self._demo = None
        if options.kind == "demo":
            from integration.entrypoints.demo import Demo

            self._demo = Demo(environment, settings, simulated=self._simulated)
            environment, settings = self._demo.environment, self._demo.settings
        self._environment, self._settings = environment, settings
        self._clock: RealClock | SimulatedClock = RealClock()
        if self._simulated:
            self._clock = SimulatedClock(options.begin or wall_now(), options.speed)
        self._bells = Bells()
        self._workshop = bootstrap.open_workshop(
            environment,
            settings,
            kind=options.kind,
            clock=self._clock,
            simulated=self._simulated,
            knock=self._bells.knock,
        )
        if written is not None:
            running = begin_with(self._workshop.store, written, wall_now(), whole_site=True)
        self._workshop = replace(self._workshop, generation=running.generation)
        self._watch = SettingsWatch(
            self._workshop.store,
            "run",
            running.generation,
            wall=self._clock.wall,
            take=self._take,
            check=self._check,
            rest=lambda: self._knocker.take(AT_REST),
            alone=True,
        )
        self._checked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._checks = 0
        self._deaf: str | None = None  # why the listener goes on as it was
        self._ports = Ports(environment, self._workshop, self._ready, self._notes)
        self._knocker = Knocker(
            self._workshop.store,
            self._clock,
            steps(self._workshop),
            self._bells,
            senders=settings.sending.threads,
            speed=options.speed,
        )

    def run(self) -> None:
        """Serve until told to stop, or until the supervisor is gone."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        if self._demo is None:
            self._ports.take_operator_port()
        else:
            self._demo.start(self._clock, self._ports.pages)
        self._ports.start()
        self._knocker.start()
        threading.Thread(target=self._hear_knocks, name="knocks", daemon=True).start()
        self._lifeline.listen(self._heard, self._stop.set)
        self._lifeline.tell(store=channels(self._settings.feeds.values(), self._environment.mllp_port))
        self._watch.start()
        self._stop.wait()
        self._watch.stop()
        if self._demo is not None:
            self._demo.stop()
        self._ports.stop()
        self._knocker.stop(_DRAIN)
        self._workshop.store.close()

    def _notes(self) -> list[str]:
        of = self._workshop
        return [*silent_feeds(of), *stopped_subscriptions(of), *stopped_texts(of)]

    def _ready(self) -> Mapping[str, bool | str]:
        return {
            "store": store_answers(self._workshop),
            "steps": self._knocker.alive,
            "settings": self._watch.trouble or True,
            "listener": self._deaf or self._listening,
            "clock": self._begun,
        }

    def _take(self, running: Running) -> None:
        """Run with other settings from here on; what is under way ends as it began."""
        settings = running.settings if self._demo is None else self._demo.dressed(running.settings)
        workshop = bootstrap.with_settings(self._workshop, self._environment, settings, running.generation)
        self._workshop, self._settings = workshop, settings
        self._knocker.take(steps(workshop))
        self._ports.take(workshop)
        self._lifeline.tell(store=channels(settings.feeds.values(), self._environment.mllp_port))

    def _check(self, settings: Settings) -> str | None:
        """Why these settings could not be run with; the listener is asked about its ports."""
        self._checks += 1
        # What an earlier life of this process asked may be answered still.
        number = f"{os.getpid()}.{self._checks}"
        wanted = channels(settings.feeds.values(), self._environment.mllp_port)
        self._lifeline.tell(check={"number": number, "channels": wanted})
        try:
            while True:
                answer = self._checked.get(timeout=_LISTENER_ANSWERS)
                if answer["number"] == number:
                    refusal: str | None = answer["refusal"]
                    return refusal
        except queue.Empty:
            return "the listener does not answer"

    def _heard(self, facts: dict[str, Any]) -> None:
        """The supervisor tells what the listener said, or that it died."""
        if facts.get("began") and isinstance(self._clock, SimulatedClock):
            self._clock.begin(datetime.fromisoformat(facts["began"]))  # in an earlier life of this process
        if "figures" in facts:
            self._ports.listener.take(facts["figures"])
        if facts.get("checked"):
            self._checked.put(facts["checked"])
        if "deaf" in facts:
            self._deaf = facts["deaf"] or None
            if self._deaf is not None:
                _log.error("the listener goes on as it was", reason=self._deaf)
        if "listening" not in facts:
            return
        self._listening = bool(facts["listening"])
        if not self._listening or self._begun:
            return
        # Takes a moment where the EHR is slow to say what it can do; the calendar begins after it.
        how_it_runs = bootstrap.on_and_off(self._environment, self._settings, self._workshop)
        if isinstance(self._clock, SimulatedClock) and not self._clock.has_begun:
            now = self._clock.wall()
            self._clock.begin(now)
            self._lifeline.tell(began=now.isoformat())
        # The supervisor first: once `/health/ready` says so, a child that dies is started again.
        self._lifeline.tell(ready=[*self._places(facts["listening"]), *how_it_runs, *self._calendar()])
        self._begun = True
        if self._demo is not None:
            self._demo.play()

    def _places(self, listening: Sequence[str]) -> list[str]:
        """Where to look."""
        operator = f"http://127.0.0.1:{self._environment.operator_port}"
        return [
            *([] if self._demo is None else self._demo.places()),
            f"HL7 v2 over MLLP:  {', '.join(listening)}",
            f"Webhooks, health:  {self._environment.public_base_url}/health/ready",
            f"Patients' texts:   {operator}/console",
            f"Metrics:           {operator}/metrics",
        ]

    def _calendar(self) -> list[str]:
        """That it runs by itself, if it does."""
        if not self._simulated:
            return []
        return [f"The calendar began at {self._clock.calendar():%Y-%m-%d %H:%M} UTC and runs by itself."]

    def _hear_knocks(self) -> None:
        """The listener knocks after each commit by a byte a message; many bytes are one knock."""
        while knocks := os.read(self._knock_fd, 65536):
            self._bells.rush.heard(len(knocks))
            self._bells.knock("translate")
            self._stop.wait(_BREATH)


def _in_force(environment: Environment, kind: Kind) -> Running | None:
    """What an earlier life of this process ran with: the folder may be half edited by now."""
    store = bootstrap.open_store(environment, kind=kind, units=1)
    try:
        return go_on_with(store)
    finally:
        store.close()


def main(arguments: Sequence[str]) -> int:
    """As a child of the supervisor."""
    configure_logging("web")
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", required=True)
    parser.add_argument("--begin", type=datetime.fromisoformat)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--knock", type=int, required=True)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("lifeline", type=int)
    try:
        EmbeddedWeb(parser.parse_args(arguments)).run()
    except Exception as error:
        words = describe_trouble(error)
        if words is None:
            raise
        sys.stderr.write(words + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
