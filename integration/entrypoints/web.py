"""The web process: webhooks, health and metrics; as a child of the supervisor also the pipeline's steps.

As a child it opens the store first (and migrates it), says so on its lifeline, and is ready once the listener
listens too. Then the calendar starts, and `/health/ready` answers 200.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from integration import bootstrap
from integration.domain.clock import RealClock, SimulatedClock, wall_now
from integration.entrypoints.bells import Bells
from integration.entrypoints.knocker import Knocker
from integration.entrypoints.lifeline import Lifeline
from integration.entrypoints.listener import channels
from integration.entrypoints.metrics import metrics_app
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.receiving import Receiver, public_app
from integration.entrypoints.steps import steps
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import describe_trouble
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from integration.ports.workshop import Workshop
    from integration.settings.environment import Environment

_DRAIN = 15.0  # seconds; a request to the provider takes at most thirteen


class Ports:
    """The public port and the operator's, together."""

    def __init__(
        self, environment: Environment, workshop: Workshop, ready: Callable[[], Mapping[str, bool | str]]
    ) -> None:
        """Take the public port. Raises Refused."""
        self.pages = {"/metrics": metrics_app(workshop)}
        self._receivers = [
            Receiver(
                public_app(workshop, ready),
                environment.bind,
                environment.http_port,
                "APPOINTMENT_TEXTS_HTTP_PORT",
            )
        ]
        self._operator_port = environment.operator_port

    def take_operator_port(self) -> None:
        """Serve the operator's pages, on loopback only until sign-in exists. Raises Refused."""
        variable = "APPOINTMENT_TEXTS_OPERATOR_PORT"
        app = self.pages["/metrics"]
        self._receivers.append(Receiver(app, "127.0.0.1", self._operator_port, variable))

    def start(self) -> None:
        """Begin to serve."""
        for receiver in self._receivers:
            receiver.start()

    def stop(self) -> None:
        """Answer what is under way, then let go."""
        for receiver in self._receivers:
            receiver.stop()


def store_answers(workshop: Workshop) -> bool | str:
    """Whether the store answers, for `/health/ready`."""
    try:
        workshop.store.next_times()
    except StoreUnavailable:
        return "does not answer"
    return True


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
        settings = the_settings(environment)
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
        self._ports = Ports(environment, self._workshop, self._ready)
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
        self._stop.wait()
        if self._demo is not None:
            self._demo.stop()
        self._ports.stop()
        self._knocker.stop(_DRAIN)
        self._workshop.store.close()

    def _ready(self) -> Mapping[str, bool | str]:
        return {
            "store": store_answers(self._workshop),
            "steps": self._knocker.alive,
            "listener": self._listening,
            "clock": self._begun,
        }

    def _heard(self, facts: dict[str, Any]) -> None:
        """The supervisor tells what the listener said, or that it died."""
        if facts.get("began") and isinstance(self._clock, SimulatedClock):
            self._clock.begin(datetime.fromisoformat(facts["began"]))  # in an earlier life of this process
        if "listening" not in facts:
            return
        self._listening = bool(facts["listening"])
        if not self._listening or self._begun:
            return
        if isinstance(self._clock, SimulatedClock) and not self._clock.has_begun:
            now = self._clock.wall()
            self._clock.begin(now)
            self._lifeline.tell(began=now.isoformat())
        self._begun = True
        self._lifeline.tell(ready=self._places(facts["listening"]))
        if self._demo is not None:
            self._demo.play()

    def _places(self, listening: Sequence[str]) -> list[str]:
        """Where to look, and what is on and off."""
        operator = f"http://127.0.0.1:{self._environment.operator_port}"
        lines = [] if self._demo is None else self._demo.places()
        lines += [
            f"HL7 v2 over MLLP:  {', '.join(listening)}",
            f"Webhooks, health:  {self._environment.public_base_url}/health/ready",
            f"Metrics:           {operator}/metrics",
            *bootstrap.on_and_off(self._environment, self._settings, self._workshop),
        ]
        if self._simulated:
            lines.append(
                f"The calendar began at {self._clock.calendar():%Y-%m-%d %H:%M} UTC and runs by itself."
            )
        return lines

    def _hear_knocks(self) -> None:
        """The listener knocks by a byte after each commit; many bytes are one knock."""
        while os.read(self._knock_fd, 65536):
            self._bells.knock("translate")


def main(arguments: Sequence[str]) -> int:
    """As a child of the supervisor."""
    configure_logging("web")
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", required=True)
    parser.add_argument("--begin", type=datetime.fromisoformat)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--knock", type=int, required=True)
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
