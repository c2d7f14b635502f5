"""`web`: the web receiver of a distributed deployment; what it keeps it knocks for through the broker."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.broker import BrokerKnocks, celery_app
from integration.entrypoints.printing import say
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.web import Ports, store_answers

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: the environment and the configuration say it all."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it was told to stop."""
    del options
    configure_logging("web")
    environment = the_environment()
    settings = the_settings(environment)
    knocks = BrokerKnocks(celery_app(environment))
    workshop = bootstrap.open_workshop(environment, settings, knock=knocks.knock)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ports = Ports(environment, workshop, lambda: {"store": store_answers(workshop)})
    ports.take_operator_port()
    ports.start()
    say(
        f"Receiving at {environment.public_base_url}.",
        *bootstrap.on_and_off(environment, settings, workshop),
    )
    stop.wait()
    ports.stop()
    workshop.store.close()
    return 0
