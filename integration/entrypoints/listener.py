"""The listener's process: one MLLP port a feed, one inbox, and a knock after each commit; nothing else.

CPU work beside it would cut it a hundredfold, so it maps nothing, and it imports as little as it can.
As a child of the supervisor it hears on its lifeline where to listen, and listens once the store is there.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings, MllpServer
from integration.bootstrap import open_inbox
from integration.domain.clock import wall_now
from integration.entrypoints.lifeline import Lifeline
from integration.entrypoints.process_logging import configure_logging
from integration.entrypoints.surroundings import the_environment
from integration.entrypoints.troubles import Refused, describe_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hl7_listener.acknowledgment import AcknowledgeMode
    from integration.adapters.store.stamp import Kind
    from integration.settings.environment import Environment
    from integration.settings.model import Feed

_CONTROL_ID_BYTES = 9  # of our own MSH-10: 18 characters, of the 20 that HL7 2.3 gives it
_DRAIN = 10.0  # seconds
_log = structlog.get_logger(__name__)


class Channel(NamedTuple):
    """What the listener must know of one feed."""

    name: str
    port: int
    acknowledge: AcknowledgeMode
    max_message_bytes: int


def channels(feeds: Iterable[Feed], default_port: int) -> list[Channel]:
    """One channel a feed."""
    return [
        Channel(feed.name, feed.port or default_port, feed.acknowledge, feed.max_message_bytes)
        for feed in feeds
    ]


class Listening:
    """All ports over one inbox, until told to stop."""

    def __init__(
        self, environment: Environment, kind: Kind, wanted: Sequence[Channel], knock: Callable[[], None]
    ) -> None:
        self._environment = environment
        self._kind = kind
        self._wanted = wanted
        self._knock = knock
        self.stopping = asyncio.Event()

    async def run(self, listening: Callable[[list[str]], None]) -> None:
        """Listen; `listening` hears the addresses. Raises Refused when a port cannot be had."""
        inbox = open_inbox(self._environment, kind=self._kind)
        commit = GroupCommit(inbox, on_kept=lambda _count: self._knock())
        servers: list[MllpServer] = []
        try:
            addresses = [await self._start(channel, commit, servers) for channel in self._wanted]
            self._knock()  # for what came while nobody was told
            listening(addresses)
            await self.stopping.wait()
        finally:
            await asyncio.gather(*(server.stop(_DRAIN) for server in servers))
            inbox.close()

    async def _start(self, channel: Channel, commit: GroupCommit, servers: list[MllpServer]) -> str:
        settings = ListenerSettings(
            channel=channel.name,
            host=self._environment.bind,
            port=channel.port,
            acknowledge=channel.acknowledge,
            max_frame_bytes=channel.max_message_bytes,
        )
        server = MllpServer(settings, commit, wall_now, new_control_id)
        try:
            host, port = await server.start()
        except OSError as error:
            raise Refused(
                f"feed {channel.name}: {self._environment.bind}:{channel.port} cannot be listened on "
                f"({error.strerror}); set APPOINTMENT_TEXTS_MLLP_PORT, or the feed's port"
            ) from None
        servers.append(server)
        _log.info("listening", feed=channel.name, port=port)
        return f"{host}:{port}"


def new_control_id() -> str:
    """A control id of ours, MSH-10 of an acknowledgment."""
    return os.urandom(_CONTROL_ID_BYTES).hex()


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Let SIGTERM and SIGINT end the running event loop's work in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def bell_of(fd: int) -> Callable[[], None]:
    """A knock is one byte into a pipe; a full pipe has been knocked on enough."""
    os.set_blocking(fd, False)

    def ring() -> None:
        with suppress(OSError):
            os.write(fd, b"k")

    return ring


async def _as_child(environment: Environment, kind: Kind, knock_fd: int, lifeline: Lifeline) -> None:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[list[Channel] | None] = loop.create_future()
    listening: list[Listening] = []

    def stop() -> None:
        if not told.done():
            told.set_result(None)
        for each in listening:
            each.stopping.set()

    def heard(facts: dict[str, Any]) -> None:
        if facts.get("store") and not told.done():
            told.set_result([Channel(*channel) for channel in facts["store"]])

    stop_on_signals(stop)
    lifeline.listen(
        lambda facts: _soon(loop, lambda: heard(facts)),
        lambda: _soon(loop, stop),
    )
    wanted = await told
    if wanted is not None:
        listening.append(Listening(environment, kind, wanted, bell_of(knock_fd)))
        await listening[0].run(lambda addresses: lifeline.tell(listening=addresses))


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
