"""Listens on one MLLP port, and stops without losing what it has received."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from datetime import datetime

from hl7_listener.connection import Connection
from hl7_listener.desk import Counts, Desk, Unfinished
from hl7_listener.group_commit import GroupCommit
from hl7_listener.settings import ListenerSettings

__all__ = ["ListenerSettings", "MllpServer"]

_BACKLOG = 512
_LOOK_EVERY = 15.0  # seconds, at most, between looks at who takes too long


class MllpServer:
    """One port of one channel; several servers may share a group commit.

    `clock` gives the wall clock's time, aware, in UTC; `new_control_id` the MSH-10 of each answer, ASCII.
    `everybodys` bounds what unfinished frames hold, of all servers that share it.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        group_commit: GroupCommit,
        clock: Callable[[], datetime],
        new_control_id: Callable[[], str],
        *,
        ssl_context: ssl.SSLContext | None = None,
        everybodys: Unfinished | None = None,
    ) -> None:
        self._desk = Desk(
            settings, group_commit, clock, new_control_id, everybodys or Unfinished(), ssl_context
        )
        self._server: asyncio.Server | None = None
        self._looking: asyncio.TimerHandle | None = None

    @property
    def settings(self) -> ListenerSettings:
        """What it goes by now."""
        return self._desk.settings

    @property
    def counts(self) -> Counts:
        """What was seen so far, for metrics."""
        return self._desk.counts

    @property
    def open_connections(self) -> int:
        """How many senders are connected now."""
        return len(self._desk.connections)

    @property
    def unfinished_bytes(self) -> int:
        """What its unfinished frames hold now."""
        return self._desk.own.total

    async def start(self, listening: socket.socket | None = None) -> tuple[str, int]:
        """Begin to accept; the address and port that were bound. Raises OSError when they cannot be had.

        `listening`: a bound socket to accept from, instead of one of its own.
        """
        settings, loop = self._desk.settings, asyncio.get_running_loop()
        if listening is not None:
            self._server = await loop.create_server(self._connection, sock=listening, backlog=_BACKLOG)
        else:
            self._server = await loop.create_server(
                self._connection, settings.host, settings.port, backlog=_BACKLOG
            )
        self._look()
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def change(
        self, settings: ListenerSettings, ssl_context: ssl.SSLContext | None, *, anew: bool = False
    ) -> None:
        """Go by other settings, on the same port: at once, and on the connections that are open too.

        TLS is for connections to come. `anew`: those that are open get the answers they are owed, and have to
        connect again; so have those that are no longer allowed.
        """
        desk = self._desk
        desk.settings, desk.tls = settings, ssl_context
        desk.own.bound = settings.max_unfinished_bytes
        for connection in tuple(desk.connections):
            if anew:
                connection.finish()
            else:
                connection.change(settings)
        self._look()

    def accept_no_more(self) -> None:
        """Leave the port to others; who is connected stays."""
        if self._server is not None:
            self._server.close()

    async def stop(self, within: float = 10.0) -> None:
        """Accept no more, answer what was completely received, and close, in at most `within` seconds.

        What is not answered by then was never acknowledged: its sender will send it again.
        """
        if self._server is None:
            return
        self._server.close()
        for _ in range(2):  # one turn of the event loop: what lies in the sockets already is read
            await asyncio.sleep(0)
        desk = self._desk
        desk.closing = True
        empty = asyncio.Event()
        desk.on_empty = empty.set
        for connection in tuple(desk.connections):
            connection.finish()
        if desk.connections:
            try:
                async with asyncio.timeout(within):
                    await empty.wait()
            except TimeoutError:
                for connection in tuple(desk.connections):
                    connection.abort()
                await empty.wait()
        self._server = None
        if self._looking is not None:
            self._looking.cancel()

    def _connection(self) -> Connection:
        return Connection(self._desk)

    def _look(self) -> None:
        """Let go of those who take too long, now and every so often."""
        if self._looking is not None:
            self._looking.cancel()
        now = time.monotonic()
        for connection in tuple(self._desk.connections):
            connection.look(now)
        settings = self._desk.settings
        shortest = min(settings.frame_limit, settings.idle_limit or settings.frame_limit)
        pause = min(_LOOK_EVERY, shortest / 4)
        self._looking = asyncio.get_running_loop().call_later(pause, self._look)
