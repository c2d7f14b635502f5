"""One sender's connection: frames in, answers out in the same order, for as many messages as it likes.

Reading stops while the group commit is full, while something that was read still waits to be submitted, and
while the sender does not read its answers, so nothing grows without bound. Dead peers are found by TCP
keepalive; a silent connection may stay open for days, unless its feed sets a limit. A TLS handshake begins
once it is known that this peer may connect and that there is room.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import cast

from hl7_listener.desk import Desk
from hl7_listener.exchange import COMMITTED, NOT_COMMITTED, Exchange, answers, receive
from hl7_listener.framing import FrameSplitter, FrameTooLarge
from hl7_listener.inbox import Receipt, ReceivedMessage, Sequenced
from hl7_listener.settings import ListenerSettings

_log = logging.getLogger(__name__)

_KEEPALIVE = {  # seconds idle, seconds between probes, probes: a dead peer is found in two minutes
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
}
_MESSAGES_AT_ONCE = 256  # of one connection in one submission, but for one frame's, which stay together
_HANDSHAKE = 20.0  # seconds
_GOODBYE = 3.0  # seconds a TLS peer has to close its side
_FAREWELL = 60.0  # seconds for a peer to read its last answers


class Connection(asyncio.Protocol):
    """The MLLP receiver's side of one TCP connection."""

    __slots__ = (
        "_begun_at",
        "_commit_is_full",
        "_desk",
        "_early",
        "_finished_at",
        "_finishing",
        "_frames",
        "_handshake",
        "_heard_at",
        "_noise_told",
        "_peer",
        "_reading",
        "_secured",
        "_splitter",
        "_transport",
        "_unanswered",
        "_writer_is_slow",
        "held",
    )
    _transport: asyncio.Transport

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._splitter = FrameSplitter(desk.settings.max_frame_bytes)
        self._frames: Iterator[bytes] | None = None  # in what was read, and not submitted yet
        self._peer = "?"
        self._unanswered = 0
        self.held = 0  # bytes of an unfinished frame
        self._begun_at: float | None = None  # that frame
        self._heard_at = time.monotonic()
        self._finished_at: float | None = None
        self._finishing = False
        self._noise_told = False
        self._reading = True
        self._commit_is_full = False
        self._writer_is_slow = False
        self._secured = False
        self._early: bytearray | None = None  # came between the handshake and our hearing of its end
        self._handshake: asyncio.Task[None] | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part, unless the listener is full or closing, or does not know this network."""
        self._transport = cast("asyncio.Transport", transport)
        desk, counts = self._desk, self._desk.counts
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if address else "?"
        if desk.closing:
            self._transport.abort()
            return
        if not desk.allows(self._peer):
            counts.not_allowed += 1
            desk.tell("not allowed to connect", self._peer, counts.not_allowed)
            self._transport.abort()
            return
        if len(desk.connections) >= desk.settings.max_connections:
            counts.connections_refused += 1
            desk.tell(
                f"connection limit {desk.settings.max_connections} reached",
                self._peer,
                counts.connections_refused,
            )
            self._transport.abort()
            return
        counts.connections += 1
        desk.connections.add(self)
        _keep_alive(transport.get_extra_info("socket"))
        if desk.tls is not None:
            self._transport.pause_reading()
            self._early = bytearray()
            self._handshake = asyncio.get_running_loop().create_task(self._secure(desk.tls))

    def data_received(self, data: bytes) -> None:
        """Take what came: submit its messages, or end the connection over a frame too large."""
        if self._early is not None:
            self._early += data
            return
        if self._finishing:
            return
        self._heard_at = time.monotonic()
        self._frames = self._splitter.feed(data)
        self._submit()

    def eof_received(self) -> bool:
        """Keep the way back open for the answers that are owed; TLS cannot, its sender will ask again."""
        self._finishing = True
        return (self._unanswered > 0 or self._frames is not None) and not self._secured

    def pause_writing(self) -> None:
        """Read no more from a sender that does not read."""
        self._writer_is_slow = True
        self._read_or_not()

    def resume_writing(self) -> None:
        """Read on."""
        self._writer_is_slow = False
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - resets are a sender's daily life
        """Leave. What came whole is kept all the same: sent again it is a duplicate, and gets its AA."""
        desk = self._desk
        if self not in desk.connections:
            return
        desk.connections.discard(self)
        if self._splitter.pending_bytes:
            desk.counts.incomplete += 1
            _log.warning("%s: the connection from %s ended inside a frame", desk.settings.channel, self._peer)
        self._drop()
        self._finishing = True
        self._writer_is_slow = False  # nobody is written to any more
        if self._frames is not None and not self._commit_is_full:
            self._submit()
        if not desk.connections and desk.on_empty is not None:
            desk.on_empty()

    # What the server and the desk call.

    def finish(self) -> None:
        """Read no more, give the answers that are owed, then close."""
        self._finishing = True
        if self._handshake is not None:
            self._transport.abort()
        else:
            self._read_or_not()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def shed(self) -> None:
        """Let go of the unfinished frame, and then of its sender: it was never acknowledged."""
        self._desk.counts.shed += 1
        self._desk.tell(
            "a large unfinished frame was cut off, memory is short", self._peer, self._desk.counts.shed
        )
        self._drop()
        self.finish()

    def change(self, settings: ListenerSettings) -> None:
        """Go by other settings from the next frame on."""
        self._splitter.max_frame_bytes = settings.max_frame_bytes
        if not self._desk.allows(self._peer):
            self.finish()

    def look(self, now: float) -> None:
        """Whether its time is over; `now` as `time.monotonic` tells it."""
        desk, settings = self._desk, self._desk.settings
        if self._transport.is_closing():
            if self._finished_at is None:
                self._finished_at = now
            elif now - self._finished_at > _FAREWELL:
                self._transport.abort()
        elif self._begun_at is not None and self._reading and now - self._begun_at > settings.frame_limit:
            desk.counts.too_slow += 1
            desk.tell(f"a frame not whole after {settings.frame_limit:g} s", self._peer, desk.counts.too_slow)
            self._drop()
            self.finish()
        elif (
            settings.idle_limit is not None
            and not self._unanswered
            and now - self._heard_at > settings.idle_limit
        ):
            desk.counts.idle += 1
            self.finish()

    # The work.

    async def _secure(self, context: ssl.SSLContext) -> None:
        """The TLS handshake. Its failures are counted, but for a peer that only connects and leaves."""
        secured: asyncio.Transport | None = None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE,
                ssl_shutdown_timeout=_GOODBYE,
            )
        except ssl.SSLError as error:
            counts = self._desk.counts
            counts.tls_failed += 1
            self._desk.tell(f"no TLS ({error.reason or 'handshake failed'})", self._peer, counts.tls_failed)
        except OSError:
            pass  # gone, or silent: a load balancer looking whether somebody is here
        finally:
            self._handshake = None
        if secured is None:
            self._transport.abort()
            self.connection_lost(None)
            return
        self._transport, self._secured = secured, True
        early, self._early = self._early, None
        if early and not self._finishing:
            self.data_received(bytes(early))
        self._read_or_not()

    def _submit(self) -> None:
        """Submit what waits in `_frames`, or enough of it for now."""
        messages: list[ReceivedMessage] = []
        exchanges = self._read(messages)
        splitter = self._splitter
        if splitter.noise_bytes or splitter.broken_off:
            self._count_noise()
        if exchanges:  # also those of a batch of nothing: its answer has its turn
            self._unanswered += 1
            group_commit = self._desk.group_commit
            group_commit.submit(messages, partial(self._answer, exchanges))
            if group_commit.full and not self._commit_is_full:
                self._commit_is_full = True
                group_commit.when_room(self._commit_has_room)
        if self._frames is None:
            self._note_unfinished(begun=bool(exchanges))
        if self._finishing or self._commit_is_full or self._frames is not None:
            self._read_or_not()

    def _read(self, messages: list[ReceivedMessage]) -> list[Exchange]:
        """The next frames that wait, and their messages; `_frames` is None when no more do."""
        assert self._frames is not None  # noqa: S101 - whoever calls has looked
        exchanges: list[Exchange] = []
        desk = self._desk
        try:
            for payload in self._frames:
                if payload in (COMMITTED, NOT_COMMITTED):
                    continue  # what an MLLP release 2 peer says to our answers; an answer would never end
                exchanges.append(receive(desk, payload, messages))
                if len(messages) >= _MESSAGES_AT_ONCE:
                    return exchanges
        except FrameTooLarge as error:
            desk.counts.oversized += 1
            _log.error(
                "%s: a frame larger than %d bytes from %s, closing without an answer",
                *(desk.settings.channel, error.limit, self._peer),
            )
            self._finishing = True
        self._frames = None
        return exchanges

    def _answer(self, exchanges: Sequence[Exchange], receipts: Sequence[Receipt | Sequenced]) -> None:
        self._unanswered -= 1
        self._write(answers(self._desk, exchanges, receipts))
        if self._frames is not None or self._finishing:
            self._go_on()

    def _write(self, framed: bytes) -> None:
        if framed and not self._transport.is_closing():
            self._transport.write(framed)

    def _note_unfinished(self, *, begun: bool) -> None:
        """How much of an unfinished frame is held now; `begun`: it is not the one that was held before."""
        splitter = self._splitter
        if not splitter.inside:
            self._begun_at = None
        elif begun or self._begun_at is None:
            self._begun_at = self._heard_at
        held = splitter.pending_bytes
        if held != self.held and self in self._desk.connections:
            self.held = held
            self._desk.hold(self, held)

    def _drop(self) -> None:
        """Hold no unfinished frame any more."""
        self._splitter.drop()
        self._begun_at = None
        if self.held:
            self.held = 0
            self._desk.hold(self, 0)

    def _count_noise(self) -> None:
        splitter, counts = self._splitter, self._desk.counts
        counts.noise_bytes += splitter.noise_bytes
        counts.incomplete += splitter.broken_off
        splitter.noise_bytes = splitter.broken_off = 0
        if not self._noise_told:
            self._noise_told = True
            _log.warning(
                "%s: bytes outside any whole frame (0x0B … 0x1C) from %s; not kept, not answered",
                *(self._desk.settings.channel, self._peer),
            )

    def _commit_has_room(self) -> None:
        self._commit_is_full = False
        self._go_on()

    def _go_on(self) -> None:
        """Submit what still waits, if it may be; then read, or not."""
        if self._frames is not None and not (self._commit_is_full or self._writer_is_slow):
            self._submit()
        self._read_or_not()

    def _read_or_not(self) -> None:
        waits = self._frames is not None
        if self._finishing and not self._unanswered and not waits:
            self._transport.close()
        elif self._finishing or self._commit_is_full or self._writer_is_slow or waits:
            self._transport.pause_reading()
            self._reading = False
        else:
            self._transport.resume_reading()
            if not self._reading:
                self._reading = True
                if self._begun_at is not None:
                    self._begun_at = time.monotonic()  # what we made it wait does not count


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):  # not every platform lets them be chosen
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
