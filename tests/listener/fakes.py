"""An inbox in memory that can be held up, poisoned or broken, and a listener around it on a free port."""

import asyncio
import itertools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from hl7_listener.connection import Connection
from hl7_listener.desk import Unfinished
from hl7_listener.framing import END, frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.inbox import Receipt, ReceivedMessage, Sequenced, StoreUnavailable
from hl7_listener.sequence import Numbers
from hl7_listener.server import ListenerSettings, MllpServer

NOON = datetime(2027, 3, 1, 12, 0, 5, tzinfo=UTC)
PATIENCE = 10.0  # seconds a condition may take to come true before a test gives up


@dataclass
class MemoryInbox:
    """Keeps messages in a list, and remembers how it was asked."""

    kept: list[ReceivedMessage] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    poison: frozenset[str] = frozenset()
    down: bool = False
    broken: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: dict[str, int | None] = field(default_factory=dict)
    _known: set[tuple[str, str, bytes]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.open.set()

    async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
        self.calls.append([message.control_id for message in messages])
        await self.open.wait()
        if self.down:
            raise StoreUnavailable
        if self.broken or self.poison.intersection(message.control_id for message in messages):
            raise ValueError("values (Sample^Ana) refused")
        numbers = Numbers(self.numbers.get)
        receipts = [self._judge(message, numbers) for message in messages]
        self.numbers |= numbers.changed
        return receipts

    def _judge(self, message: ReceivedMessage, numbers: Numbers) -> Receipt | Sequenced:
        if message.sequence is None:
            return self._keep(message)
        receipt = Receipt.OUT_OF_SEQUENCE
        if numbers.admit(message.channel, message.sequence):
            receipt = self._keep(message) if message.has_content else Receipt.STORED
        return Sequenced(receipt, numbers.expected(message.channel))

    def _keep(self, message: ReceivedMessage) -> Receipt:
        identity = (message.channel, message.control_id, message.digest)
        if identity in self._known:
            return Receipt.DUPLICATE
        self._known.add(identity)
        self.kept.append(message)
        return Receipt.STORED

    @property
    def control_ids(self) -> list[str]:
        return [message.control_id for message in self.kept]


@dataclass
class Sender:
    """The other end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def frame(self) -> bytes:
        """What stands in the next frame."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readuntil(END + b"\r"))[1:-2]

    async def answer(self) -> list[list[str]]:
        """The next acknowledgment: its segments, each a list of fields."""
        text = (await self.frame()).decode("latin-1").rstrip("\r")
        return [segment.split("|") for segment in text.split("\r")]

    async def msa(self) -> str:
        """MSA-1 and MSA-2 of the next acknowledgment."""
        return " ".join((await self.answer())[1][1:3])

    def reset(self) -> None:
        """Vanish, as a machine does that is switched off or a firewall that forgets."""
        peer = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def closed(self) -> bytes:
        """What still came before the listener closed."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@dataclass
class Site:
    """A listener, its inbox, and whoever connects to it."""

    server: MllpServer
    commit: GroupCommit
    inbox: MemoryInbox
    port: int
    senders: list[Sender] = field(default_factory=list)

    @property
    def connections(self) -> set[Connection]:
        """The listener's ends."""
        return cast("set[Connection]", self.server._desk.connections)

    async def connect(self, tls: ssl.SSLContext | None = None) -> Sender:
        sender = Sender(*await asyncio.open_connection("127.0.0.1", self.port, ssl=tls))
        self.senders.append(sender)
        return sender

    async def send(self, *payloads: bytes, tls: ssl.SSLContext | None = None) -> Sender:
        """Connect, and send all of these at once."""
        sender = await self.connect(tls)
        sender.writer.write(b"".join(map(frame, payloads)))
        return sender


@asynccontextmanager
async def listening(
    inbox: MemoryInbox | None = None,
    settings: ListenerSettings | None = None,
    commit: GroupCommit | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    everybodys: Unfinished | None = None,
) -> AsyncIterator[Site]:
    inbox = inbox or MemoryInbox()
    commit = commit or GroupCommit(inbox)
    ids = itertools.count(1)
    server = MllpServer(
        settings or ListenerSettings("main", port=0),
        commit,
        lambda: NOON,
        lambda: f"OURS{next(ids)}",
        ssl_context=tls,
        everybodys=everybodys,
    )
    _, port = await server.start()
    site = Site(server, commit, inbox, port)
    try:
        yield site
    finally:
        inbox.open.set()
        await server.stop(PATIENCE)
        await commit.settled()
        for sender in site.senders:
            sender.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until the condition holds; fail when it does not in good time."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for is another program's doing
            await asyncio.sleep(0.001)


def message(control_id: str = "A1", rest: str = "", *, msh_15: str = "", msh_16: str = "") -> bytes:
    header = f"MSH|^~\\&|SCHED|NORTH|TEXTS|SOUTH|20270301||SIU^S12^SIU_S12|{control_id}|P|2.5.1"
    return f"{header}|||{msh_15}|{msh_16}\rPID|1||70021||Sample^Ana\r{rest}".encode()
