"""`listen`: the listener of a distributed deployment; after each commit it knocks through the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from integration.entrypoints.broker import BrokerKnocks, celery_app
from integration.entrypoints.listener import Listening, channels, stop_on_signals
from integration.entrypoints.printing import say
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_environment, the_settings

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: the environment and the configuration say it all."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it was told to stop."""
    del options
    configure_logging("listener")
    environment = the_environment()
    settings = the_settings(environment)
    knocks = BrokerKnocks(celery_app(environment))
    wanted = channels(settings.feeds.values(), environment.mllp_port)

    async def listen() -> None:
        listening = Listening(environment, "real", wanted, lambda: knocks.knock("translate"))
        stop_on_signals(listening.stopping.set)
        await listening.run(lambda addresses: say(f"Listening on {', '.join(addresses)}."))

    asyncio.run(listen())
    return 0
