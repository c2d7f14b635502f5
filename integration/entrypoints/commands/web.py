"""`web`: the web receiver of a distributed deployment; what it keeps it knocks for through the broker."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from integration import bootstrap
from integration.domain.clock import wall_now
from integration.entrypoints.broker import BrokerKnocks, celery_app
from integration.entrypoints.http_ports import (
    Ports,
    silent_feeds,
    stopped_subscriptions,
    stopped_texts,
    store_answers,
)
from integration.entrypoints.in_force import SettingsWatch, begin_with
from integration.entrypoints.printing import say
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_configuration, the_environment

if TYPE_CHECKING:
    import argparse

    from integration.entrypoints.in_force import Running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: the environment and the configuration say it all."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it was told to stop."""
    del options
    configure_logging("web")
    environment = the_environment()
    written = the_configuration(environment)
    knocks = BrokerKnocks(celery_app(environment))
    first = bootstrap.open_workshop(environment, written.settings, knock=knocks.knock)
    running = begin_with(first.store, written, wall_now(), whole_site=False)
    if running.settings is written.settings:
        workshop = replace(first, generation=running.generation)
    else:
        workshop = bootstrap.with_settings(first, environment, running.settings, running.generation)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def take(other: Running) -> None:
        nonlocal workshop
        workshop = bootstrap.with_settings(workshop, environment, other.settings, other.generation)
        ports.take(workshop)

    watch = SettingsWatch(first.store, "web", running.generation, wall=wall_now, take=take)
    ports = Ports(
        environment,
        workshop,
        lambda: {"store": store_answers(workshop), "settings": watch.trouble or True},
        lambda: [*silent_feeds(workshop), *stopped_subscriptions(workshop), *stopped_texts(workshop)],
    )
    ports.take_operator_port()
    ports.start()
    watch.start()
    say(
        f"Receiving at {environment.public_base_url}.",
        *bootstrap.on_and_off(environment, workshop.settings, workshop),
    )
    stop.wait()
    watch.stop()
    ports.stop()
    first.store.close()
    return 0
