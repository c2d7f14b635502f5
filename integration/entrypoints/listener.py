"""The listener's process: as a child of the supervisor it hears on its lifeline where to listen.

It listens once the store is there, knocks after each commit, and takes other ports when it is told so.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from integration.entrypoints.channel import Channel, told
from integration.entrypoints.lifeline import Lifeline
from integration.entrypoints.listening import Listening
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_environment
from integration.entrypoints.troubles import Refused, describe_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from integration.adapters.store.stamp import Kind
    from integration.settings.environment import Environment

_TELL_FIGURES_EVERY = 5.0  # seconds


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Let SIGTERM and SIGINT end the running event loop's work in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def bell_of(fd: int) -> Callable[[int], None]:
    """A knock is one byte a message into a pipe; a full pipe has been knocked on enough."""
    os.set_blocking(fd, False)

    def ring(messages: int) -> None:
        with suppress(OSError):
            os.write(fd, b"k" * messages)

    return ring


async def _as_child(environment: Environment, kind: Kind, knock_fd: int, lifeline: Lifeline) -> None:
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[list[Channel] | None] = loop.create_future()
    listening: list[Listening] = []
    tasks: set[asyncio.Future[None]] = set()

    def stop() -> None:
        if not begun.done():
            begun.set_result(None)
        for each in listening:
            each.stopping.set()

    def heard(facts: dict[str, Any]) -> None:
        if facts.get("store") and not begun.done():
            begun.set_result(told(facts["store"]))
        elif facts.get("store") and listening:
            tasks.add(asyncio.ensure_future(_take(listening[0], told(facts["store"]), lifeline)))
        if facts.get("check") and listening:
            tasks.add(asyncio.ensure_future(_check(listening[0], facts["check"], lifeline)))

    stop_on_signals(stop)
    lifeline.listen(
        lambda facts: _soon(loop, lambda: heard(facts)),
        lambda: _soon(loop, stop),
    )
    wanted = await begun
    if wanted is not None:
        listening.append(Listening(environment, kind, wanted, bell_of(knock_fd)))
        telling = asyncio.create_task(_tell_figures(listening[0], lifeline))
        await listening[0].run(lambda addresses: lifeline.tell(listening=addresses))
        telling.cancel()


async def _tell_figures(listening: Listening, lifeline: Lifeline) -> None:
    """For `/metrics`, which another process serves."""
    last: dict[str, dict[str, int]] = {}
    while True:
        if (figures := listening.figures) != last:
            last = figures
            lifeline.tell(figures=figures)
        await asyncio.sleep(_TELL_FIGURES_EVERY)


async def _take(listening: Listening, wanted: Sequence[Channel], lifeline: Lifeline) -> None:
    """Listen as other settings say; what fails in spite of the check is told, and all stays as it was."""
    try:
        await listening.change(wanted)
    except Refused as why:
        lifeline.tell(deaf=str(why))
    else:
        lifeline.tell(listening=listening.addresses, deaf=None)


async def _check(listening: Listening, asked: dict[str, Any], lifeline: Lifeline) -> None:
    """Tell whether that could be listened on."""
    refusal = None
    try:
        await listening.check(told(asked["channels"]))
    except Refused as why:
        refusal = str(why)
    lifeline.tell(checked={"number": asked["number"], "refusal": refusal})


def _soon(loop: asyncio.AbstractEventLoop, deed: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended; so has everything it could do
        loop.call_soon_threadsafe(deed)


def main(arguments: Sequence[str]) -> int:
    """As a child of the supervisor: the kind of store, the pipe to knock on, the lifeline."""
    configure_logging("listener")
    kind, knock_fd, lifeline_fd = arguments
    try:
        child = _as_child(the_environment(), kind, int(knock_fd), Lifeline.from_fd(int(lifeline_fd)))  # type: ignore[arg-type] # the supervisor names a kind
        asyncio.run(child)
    except Exception as error:
        words = describe_trouble(error)
        if words is None:
            raise
        sys.stderr.write(words + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
