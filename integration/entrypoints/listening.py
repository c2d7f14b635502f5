"""Every feed's MLLP port over one inbox; a feed may come, go or change while the others are served.

It maps nothing and imports as little as it can: CPU work beside it would cut it a hundredfold.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import structlog

from hl7_listener.desk import EVERYBODYS_BOUND, Unfinished
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import MllpServer
from hl7_listener.tls import BadCertificate, file_stamps, server_context
from integration.bootstrap import open_inbox
from integration.domain.clock import wall_now
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

    from integration.adapters.store.stamp import Kind
    from integration.entrypoints.channel import Channel
    from integration.settings.environment import Environment

_CONTROL_ID_BYTES = 9  # of our own MSH-10: 18 characters, of the 20 that HL7 2.3 gives it
_DRAIN = 10.0  # seconds
_LOOK_AT_CERTIFICATES_EVERY = 60.0  # seconds
_log = structlog.get_logger(__name__)


class _Port(NamedTuple):
    """One port that is listened on."""

    channel: Channel
    server: MllpServer
    place: socket.socket  # ours; the server accepts from a duplicate, so that a port can change hands
    context: ssl.SSLContext | None
    stamps: object  # of the files that the context was made of


class Listening:
    """All ports over one inbox, until told to stop."""

    def __init__(
        self, environment: Environment, kind: Kind, wanted: Sequence[Channel], knock: Callable[[int], None]
    ) -> None:
        self._environment = environment
        self._kind = kind
        self._wanted = wanted
        self._knock = knock
        self._commit: GroupCommit | None = None  # None unless it runs
        self._ports: dict[str, _Port] = {}
        self._unfinished = Unfinished()
        self._changing = asyncio.Lock()
        self._draining: set[asyncio.Task[None]] = set()
        self.stopping = asyncio.Event()

    async def run(self, listening: Callable[[list[str]], None]) -> None:
        """Listen; `listening` hears the addresses.

        Raises Refused when a port cannot be had or a certificate cannot be used.
        """
        inbox = open_inbox(self._environment, kind=self._kind)
        self._commit = GroupCommit(inbox, on_kept=self._knock)
        renewing = asyncio.create_task(self._renew_for_ever())
        try:
            await self.change(self._wanted)
            self._knock(1)  # for what came while nobody was told
            listening(self.addresses)
            await self.stopping.wait()
        finally:
            renewing.cancel()
            async with self._changing:
                self._commit = None
                for port in self._ports.values():
                    self._drain(port)
            await asyncio.gather(*self._draining)
            inbox.close()

    @property
    def addresses(self) -> list[str]:
        """Where it listens, in the order of its channels."""
        return [_address(port.place) for port in self._ports.values()]

    @property
    def figures(self) -> dict[str, dict[str, int]]:
        """What each feed's port has seen since it was first listened on, and holds now, by name."""
        return {
            name: asdict(port.server.counts)
            | {
                "open_connections": port.server.open_connections,
                "unfinished_bytes": port.server.unfinished_bytes,
            }
            for name, port in self._ports.items()
        }

    async def change(self, wanted: Sequence[Channel]) -> None:
        """Listen on these from now on; before it runs: begin with these.

        A feed that stays as it is keeps its connections. One with another port listens there, and its old
        port drains: what was received is answered, then its connections are closed. One that changes anything
        else keeps its connections, which go by the new settings from the next frame on; only where TLS begins
        or ends or another authority vouches for clients, and for addresses no longer allowed, are they
        closed, once they have the answers they are owed. A feed that is gone drains. A port may pass from one
        feed to another without being closed.

        Raises Refused, and leaves everything as it was, when a port cannot be had or a certificate not used.
        """
        async with self._changing:
            if self._commit is None:
                self._wanted = wanted
                return
            secured = {channel.name: _secured(channel) for channel in wanted}
            before = self._ports
            places = self._places(wanted, before)
            staying = {
                channel.name
                for channel in wanted
                if channel.name in before and before[channel.name].place is places[channel.name]
            }
            leaving = [port for name, port in before.items() if name not in staying]
            for port in leaving:
                port.server.accept_no_more()
            self._ports, self._wanted = {}, wanted
            self._unfinished.bound = max(
                EVERYBODYS_BOUND, *(channel.max_unfinished_bytes for channel in wanted)
            )
            for channel in wanted:
                context, stamps = secured[channel.name]
                if channel.name in staying:
                    port = self._changed(before[channel.name], channel, context, stamps)
                else:
                    port = await self._started(channel, places[channel.name], context, stamps)
                self._ports[channel.name] = port
            for port in leaving:
                self._drain(port, keep_place=port.place in places.values())

    async def check(self, wanted: Sequence[Channel]) -> None:
        """Raise Refused where `change` would, and change nothing."""
        async with self._changing:
            for channel in wanted:
                _secured(channel)
            ours = {port.place for port in self._ports.values()}
            for place in self._places(wanted, self._ports).values():
                if place not in ours:
                    place.close()

    async def renew(self) -> None:
        """Take the certificates that have changed since; connections that are open keep theirs.

        What cannot be used is told and left: the certificates in use stay in use.
        """
        async with self._changing:
            for name, port in self._ports.items():
                files = port.channel.tls
                stamps = files and file_stamps(files)
                if files is None or stamps == port.stamps:
                    continue
                context = port.context
                try:
                    context = server_context(files)
                except BadCertificate as error:
                    _log.error("certificate not renewed", feed=name, key=error.key, reason=error.text)
                else:
                    port.server.change(port.server.settings, context)
                    _log.info("certificate renewed", feed=name)
                self._ports[name] = port._replace(context=context, stamps=stamps)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_CERTIFICATES_EVERY)
            await self.renew()

    def _places(self, wanted: Sequence[Channel], before: Mapping[str, _Port]) -> dict[str, socket.socket]:
        """A bound socket for each channel: its own, one that another feed leaves, or a new one."""
        same = {
            channel.name
            for channel in wanted
            if channel.name in before and before[channel.name].channel.port == channel.port
        }
        free = {port.channel.port: port.place for name, port in before.items() if name not in same}
        free.pop(0, None)
        places: dict[str, socket.socket] = {}
        new: list[socket.socket] = []
        try:
            for channel in wanted:
                if channel.name in same:
                    places[channel.name] = before[channel.name].place
                elif channel.port in free:
                    places[channel.name] = free.pop(channel.port)
                else:
                    places[channel.name] = self._bound(channel)
                    new.append(places[channel.name])
        except Refused:
            for place in new:
                place.close()
            raise
        return places

    def _bound(self, channel: Channel) -> socket.socket:
        host = self._environment.bind
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, channel.port), family=family)
        except OSError as error:
            raise Refused(
                f"feed {channel.name}: {host}:{channel.port} cannot be listened on "
                f"({error.strerror}); set APPOINTMENT_TEXTS_MLLP_PORT, or the feed's port"
            ) from None

    async def _started(
        self, channel: Channel, place: socket.socket, context: ssl.SSLContext | None, stamps: object
    ) -> _Port:
        assert self._commit is not None  # noqa: S101 - whoever calls has looked
        server = MllpServer(
            channel.settings(self._environment.bind),
            self._commit,
            wall_now,
            new_control_id,
            ssl_context=context,
            everybodys=self._unfinished,
        )
        await server.start(place.dup())
        _log.info("listening", feed=channel.name, port=place.getsockname()[1], tls=context is not None)
        return _Port(channel, server, place, context, stamps)

    def _changed(
        self, port: _Port, channel: Channel, context: ssl.SSLContext | None, stamps: object
    ) -> _Port:
        if channel != port.channel or stamps != port.stamps:
            old, new = port.channel.tls, channel.tls
            anew = (old is None) != (new is None) or (old and old.clients_ca) != (new and new.clients_ca)
            port.server.change(channel.settings(self._environment.bind), context, anew=anew)
            _log.info("listener changed", feed=channel.name)
        return port._replace(channel=channel, context=context, stamps=stamps)

    def _drain(self, port: _Port, *, keep_place: bool = False) -> None:
        if not keep_place:
            port.place.close()
        draining = asyncio.get_running_loop().create_task(port.server.stop(_DRAIN))
        self._draining.add(draining)
        draining.add_done_callback(self._draining.discard)


def _secured(channel: Channel) -> tuple[ssl.SSLContext | None, object]:
    """The TLS of a channel, and the stamps of its files as they were before they were read."""
    files = channel.tls
    if files is None:
        return None, None
    stamps = file_stamps(files)
    try:
        return server_context(files), stamps
    except BadCertificate as error:
        raise Refused(f"feed {channel.name}: mllp.{error}") from None


def _address(place: socket.socket) -> str:
    host, port = place.getsockname()[:2]
    return f"{host}:{port}"


def new_control_id() -> str:
    """A control id of ours, MSH-10 of an acknowledgment."""
    return os.urandom(_CONTROL_ID_BYTES).hex()
