"""One sender's connection: frames in, answers out in the same order, for as many messages as it likes.

Reading stops while the group commit is full or the sender does not read its answers, so nothing grows without
bound. Dead peers are found by TCP keepalive; a silent connection may stay open for days.
"""

import asyncio
import hashlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple, cast

from hl7_listener.acknowledgment import NOT_STORED, AcknowledgeMode, Fault, acknowledge, unreadable
from hl7_listener.framing import DEFAULT_MAX_FRAME_BYTES, FrameSplitter, FrameTooLarge, frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.header import HeaderError, MessageHeader, read_header, split_messages
from hl7_listener.inbox import Receipt, ReceivedMessage

_log = logging.getLogger(__name__)

_KEEPALIVE = {  # seconds idle, seconds between probes, probes: a dead peer is found in two minutes
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
}


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One MLLP port. Unfinished frames hold at most `max_connections` times `max_frame_bytes` of memory."""

    channel: str
    """The feed its messages belong to."""
    host: str = "127.0.0.1"
    port: int = 2575
    """0 takes a free one."""
    acknowledge: AcknowledgeMode = "msh"
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES
    max_connections: int = 256


@dataclass(slots=True)
class Counts:
    """What a listener has seen since it started."""

    connections: int = 0
    connections_refused: int = 0  # beyond max_connections
    accepted: int = 0  # kept and to be answered AA or CA, repeats included
    duplicates: int = 0  # of these, repeats
    unreadable: int = 0  # kept, answered AR or CR
    not_stored: int = 0  # answered AR or CE: try later
    oversized: int = 0  # frames beyond max_frame_bytes: closed without answer
    incomplete: int = 0  # frames that ended with their connection, or broken off by a new one
    noise_bytes: int = 0  # outside any frame


@dataclass(slots=True)
class Desk:
    """What the connections of one listener share."""

    settings: ListenerSettings
    group_commit: GroupCommit
    clock: Callable[[], datetime]
    new_control_id: Callable[[], str]
    counts: Counts = field(default_factory=Counts)
    connections: set["Connection"] = field(default_factory=set)
    on_empty: Callable[[], None] | None = None
    closing: bool = False


class _Question(NamedTuple):
    header: MessageHeader | None
    fault: Fault | None


class Connection(asyncio.Protocol):
    """The MLLP receiver's side of one TCP connection."""

    __slots__ = (
        "_commit_is_full",
        "_desk",
        "_finishing",
        "_noise_told",
        "_peer",
        "_splitter",
        "_transport",
        "_unanswered",
        "_writer_is_slow",
    )
    _transport: asyncio.Transport

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._splitter = FrameSplitter(desk.settings.max_frame_bytes)
        self._peer = "?"
        self._unanswered = 0
        self._finishing = False
        self._noise_told = False
        self._commit_is_full = False
        self._writer_is_slow = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part, unless the listener is full or closing."""
        self._transport = cast("asyncio.Transport", transport)
        desk = self._desk
        if desk.closing:
            self._transport.abort()
            return
        if len(desk.connections) >= desk.settings.max_connections:
            if not desk.counts.connections_refused % 1000:
                _log.warning("%s: connection limit %d reached", desk.settings.channel, len(desk.connections))
            desk.counts.connections_refused += 1
            self._transport.abort()
            return
        desk.counts.connections += 1
        desk.connections.add(self)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if address else "?"
        _keep_alive(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Take what came: submit its messages, or end the connection over a frame too large."""
        if self._finishing:
            return
        messages: list[ReceivedMessage] = []
        questions: list[_Question] = []
        try:
            for frame_payload in self._splitter.feed(data):
                for payload in split_messages(frame_payload):
                    message, question = self._receive(payload)
                    messages.append(message)
                    questions.append(question)
        except FrameTooLarge as error:
            self._desk.counts.oversized += 1
            _log.error(
                "%s: a frame larger than %d bytes from %s, closing without an answer",
                *(self._desk.settings.channel, error.limit, self._peer),
            )
            self._finishing = True
        if self._splitter.noise_bytes or self._splitter.broken_off:
            self._count_noise()
        if messages:
            self._unanswered += 1
            group_commit = self._desk.group_commit
            group_commit.submit(messages, partial(self._answer, questions))
            if group_commit.full and not self._commit_is_full:
                self._commit_is_full = True
                group_commit.when_room(self._commit_has_room)
        if self._finishing or self._commit_is_full:
            self._read_or_not()

    def eof_received(self) -> bool:
        """Keep the way back open for the answers that are owed; TLS cannot, its sender will ask again."""
        self._finishing = True
        return self._unanswered > 0 and self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """Read no more from a sender that does not read."""
        self._writer_is_slow = True
        self._read_or_not()

    def resume_writing(self) -> None:
        """Read on."""
        self._writer_is_slow = False
        self._read_or_not()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - resets are a sender's daily life
        """Leave. What was submitted is kept all the same: sent again it is a duplicate, and gets its AA."""
        desk = self._desk
        if self not in desk.connections:
            return
        desk.connections.discard(self)
        if self._splitter.pending_bytes:
            desk.counts.incomplete += 1
            _log.warning("%s: the connection from %s ended inside a frame", desk.settings.channel, self._peer)
        if not desk.connections and desk.on_empty is not None:
            desk.on_empty()

    # What the server calls.

    def finish(self) -> None:
        """Read no more, give the answers that are owed, then close."""
        self._finishing = True
        self._read_or_not()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # The work.

    def _receive(self, payload: bytes) -> tuple[ReceivedMessage, _Question]:
        header: MessageHeader | None
        fault = refusal = None
        try:
            header = read_header(payload)
        except HeaderError as error:
            header, fault, refusal = error.header, unreadable(error), str(error)
        message = ReceivedMessage(
            self._desk.settings.channel,
            header.control_id if header else "",
            payload,
            hashlib.sha256(payload).digest(),
            self._desk.clock(),
            refusal,
        )
        return message, _Question(header, fault)

    def _answer(self, questions: Sequence[_Question], receipts: Sequence[Receipt]) -> None:
        self._unanswered -= 1
        desk = self._desk
        answers: list[bytes] = []
        at = desk.clock()
        for (header, fault), receipt in zip(questions, receipts, strict=True):
            if receipt is Receipt.REFUSED:
                fault = NOT_STORED  # noqa: PLW2901 - it outweighs what is wrong with the message itself
            self._count(fault, receipt)
            answer = acknowledge(
                header, fault, mode=desk.settings.acknowledge, at=at, control_id=desk.new_control_id()
            )
            if answer is not None:
                answers.append(frame(answer))
        if answers and not self._transport.is_closing():
            self._transport.write(b"".join(answers))
        if self._finishing:
            self._read_or_not()

    def _count(self, fault: Fault | None, receipt: Receipt) -> None:
        counts = self._desk.counts
        if fault is None:
            counts.accepted += 1
            counts.duplicates += receipt is Receipt.DUPLICATE
        elif fault is NOT_STORED:
            counts.not_stored += 1
        else:
            counts.unreadable += 1

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
        self._read_or_not()

    def _read_or_not(self) -> None:
        if self._finishing and not self._unanswered:
            self._transport.close()
        elif self._finishing or self._commit_is_full or self._writer_is_slow:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):  # not every platform lets them be chosen
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
