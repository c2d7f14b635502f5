"""Listens on one MLLP port, and stops without losing what it has received."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime

from hl7_listener.connection import Connection, Counts, Desk, ListenerSettings
from hl7_listener.group_commit import GroupCommit

__all__ = ["ListenerSettings", "MllpServer"]

_BACKLOG = 512


class MllpServer:
    """One port of one channel; several servers may share a group commit.

    `clock` gives the wall clock's time, aware, in UTC; `new_control_id` the MSH-10 of each answer, ASCII.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        group_commit: GroupCommit,
        clock: Callable[[], datetime],
        new_control_id: Callable[[], str],
        *,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._desk = Desk(settings, group_commit, clock, new_control_id)
        self._ssl_context = ssl_context
        self._server: asyncio.Server | None = None

    @property
    def counts(self) -> Counts:
        """What was seen so far, for metrics."""
        return self._desk.counts

    @property
    def open_connections(self) -> int:
        """How many senders are connected now."""
        return len(self._desk.connections)

    async def start(self) -> tuple[str, int]:
        """Begin to accept; the address and port that were bound. Raises OSError when they cannot be had."""
        settings = self._desk.settings
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._desk),
            settings.host,
            settings.port,
            ssl=self._ssl_context,
            backlog=_BACKLOG,
        )
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

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
