"""`listen`: the listener of a distributed deployment; after each commit it knocks through the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from integration import bootstrap
from integration.domain.clock import wall_now
from integration.entrypoints.broker import BrokerKnocks, celery_app
from integration.entrypoints.channel import channels
from integration.entrypoints.in_force import SettingsWatch, begin_with
from integration.entrypoints.listener import stop_on_signals
from integration.entrypoints.listening import Listening
from integration.entrypoints.printing import say
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_configuration, the_environment
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

    from integration.entrypoints.in_force import Running
    from integration.ports.store import Store
    from integration.settings.environment import Environment
    from integration.settings.model import Settings

_LONGEST: Final = 10.0  # seconds; to begin listening elsewhere takes milliseconds
_log = structlog.get_logger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: the environment and the configuration say it all."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it was told to stop."""
    del options
    configure_logging("listener")
    environment = the_environment()
    written = the_configuration(environment)
    knocks = BrokerKnocks(celery_app(environment))
    store = bootstrap.open_store(environment, kind="real", units=2)
    try:
        running = begin_with(store, written, wall_now(), whole_site=False)
        asyncio.run(_listen(environment, store, running, knocks))
    finally:
        store.close()
    return 0


async def _listen(environment: Environment, store: Store, running: Running, knocks: BrokerKnocks) -> None:
    loop = asyncio.get_running_loop()
    wanted = channels(running.settings.feeds.values(), environment.mllp_port)
    listening = Listening(environment, "real", wanted, lambda _messages: knocks.knock("translate"))

    def ask(settings: Settings, deed: str) -> str | None:
        """Let the event loop do it; why it refuses, None when it does not."""
        channels_ = channels(settings.feeds.values(), environment.mllp_port)
        asked: Coroutine[None, None, None] = getattr(listening, deed)(channels_)
        try:
            asyncio.run_coroutine_threadsafe(asked, loop).result(_LONGEST)
        except Refused as why:
            return str(why)
        return None

    def take(other: Running) -> None:
        refusal = ask(other.settings, "change")
        if refusal is not None:
            _log.error("the listener goes on as it was", reason=refusal)

    watch = SettingsWatch(
        store,
        "listen",
        running.generation,
        wall=wall_now,
        take=take,
        check=lambda settings: ask(settings, "check"),
    )
    stop_on_signals(listening.stopping.set)

    def begun(addresses: list[str]) -> None:
        say(f"Listening on {', '.join(addresses)}.")
        watch.start()

    await listening.run(begun)
    await loop.run_in_executor(None, watch.stop)
