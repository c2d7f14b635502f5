"""MLLP servers side by side, in one run: messages per second, and how long an ACK takes.

    python benchmarks/mllp.py [--seconds 2] [--connections 1,8,64] [--servers ours,echo,python-hl7]
                              [--rounds 3] [--database-url postgresql://…]

* `ours`: hl7_listener over the durable inbox, a SQLite file unless another database is named.
* `memory`: hl7_listener over an inbox that keeps nothing: the listener's own cost.
* `echo`: a plain asyncio protocol that answers every frame with one constant ACK: the floor.
* `python-hl7`: the server of the `hl7` package, which parses and acknowledges and keeps nothing.

Each connection has one message of 2 KB outstanding, each message has its own control id, and each answer is
looked at. The rounds take turns, the median counts. Servers and load share the machine: read the ratios.
"""

import argparse
import asyncio
import importlib
import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hl7_listener.framing import END, START, frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.inbox import Inbox, Receipt, ReceivedMessage
from hl7_listener.server import ListenerSettings, MllpServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

SERVERS = ("ours", "memory", "echo", "python-hl7")

_HEAD = b"MSH|^~\\&|SCHED|RIVERSIDE|TEXTS|RIVERSIDE|20270301090000-0500||SIU^S12^SIU_S12|"
_TAIL = (
    b"|P|2.5.1|||||USA|UNICODE UTF-8\r"
    b"SCH|10345^SCHED|B-7731^PORTAL|||10345|ROUTINE^Routine appointment^HL70276|FUP^Follow-up visit^L|"
    b"OFFICE^Office visit^L|30|min^minutes^ISO+|^^30^202703101000-0500^202703101030-0500^^^^^Clinic|||||"
    b"4411^Clerk^Front^^^^^^NORTH|^WPN^PH^^1^617^5550100|1 Main St^^Boston^MA^02110^USA|DESK 2|"
    b"4411^Clerk^Front|||||Booked^Booked^HL70278\r"
    b"TQ1|1||||||20270310100000-0500|20270310103000-0500|R^Routine^HL70485|||||30^min\r"
    b"NTE|1|L|Please bring your insurance card and a list of your medicines.|RE^Remark^HL70364\r"
    b"PID|1||70021^^^NORTH^MR~999-12-3456^^^USSSA^SS||Sample^Ana^Maria^^Ms^^L||19800214|F|Ana^Nick^N|"
    b"2106-3^White^HL70005|12 Mill Rd^Apt 4^Boston^MA^02110^USA^H^^025|025|^PRN^CP^^1^617^5550123~"
    b"^NET^Internet^ana@example.com|^WPN^PH^^1^617^5550124^12|eng^English^HL70296|M^Married^HL70002|CAT^Catholic^HL70006|5567^^^NORTH^AN|||||"
    b"2186-5^Not Hispanic^HL70189|||||||N\r"
    b"PD1|||NORTH CLINIC^^1001|1234^Example^Doctor^^^^MD^^NPI||||||||N|20260101\r"
    b"NK1|1|Sample^Luis|SPO^Spouse^HL70063|12 Mill Rd^Apt 4^Boston^MA^02110|^PRN^CP^^1^617^5550125||EC\r"
    b"PV1|1|O|CLINIC^ROOM1^^NORTH^^^^^2nd floor||||1234^Example^Doctor^^^^MD^^NPI|5678^Other^Doctor|||||||||"
    b"1234^Example^Doctor|OFF|V8812^^^NORTH^VN|||||||||||||||||||||||||202703101000-0500\r"
    b"PV2|||FUP^Follow-up of blood pressure^L||||||30|||||||||||||||||||||||||||||N\r"
    b"IN1|1|PPO1^Gold plan^L|77001^^^NORTH|Example Insurance|1 Policy Way^^Hartford^CT^06101|"
    b"^WPN^PH^^1^860^5550100|G-100|Sample Works||||20260101|20271231|||Sample^Ana|SEL^Self^HL70063|19800214\r"
    b"RGS|1|A|R1^Clinic\r"
    b"AIS|1|A|99213^Office visit, established^CPT|202703101000-0500|||30|min^minutes^ISO+|NO|Booked\r"
    b"AIG|1|A|ROOM1^Room 1^L|ROOM^Room^L|||1|202703101000-0500|||30|min^minutes^ISO+|NO|Booked\r"
    b"AIL|1|A|CLINIC^ROOM1^^NORTH|CLINIC^Clinic^L||202703101000-0500|||30|min^minutes^ISO+|NO|Booked\r"
    b"AIP|1|A|1234^Example^Doctor^^^^MD^^NPI|MD^Physician^L||202703101000-0500|||30|min^minutes^ISO+|NO|Booked\r"
)
_CONSTANT_ACK = frame(b"MSH|^~\\&|||||20270301090000||ACK|1|P|2.5.1\rMSA|AA|1\r")


class Forgetful:
    """An inbox that keeps nothing."""

    async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt]:
        """Pretend."""
        return [Receipt.STORED] * len(messages)


class Echo(asyncio.Protocol):
    """Answers each frame's end with the constant ACK."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer as many frames as end here."""
        self._transport.write(_CONSTANT_ACK * data.count(END))


async def start_ours(inbox: Inbox) -> int:
    """Our listener; its port."""
    ids = itertools.count(1)
    server = MllpServer(
        ListenerSettings("benchmark", port=0, max_connections=1024),
        GroupCommit(inbox),
        lambda: datetime.now(UTC),
        lambda: f"ACK{next(ids)}",
    )
    return (await server.start())[1]


async def start_echo() -> int:
    """The plain protocol; its port."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    return cast("int", server.sockets[0].getsockname()[1])


async def start_python_hl7() -> int:
    """The peer's server as its documentation shows it; its port."""
    mllp = importlib.import_module("hl7.mllp")

    async def answer(reader: Any, writer: Any) -> None:
        try:
            while not writer.is_closing():
                message = await reader.readmessage()
                writer.writemessage(message.create_ack())
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    server = await mllp.start_hl7_server(answer, host="127.0.0.1", port=0)
    return cast("int", server.sockets[0].getsockname()[1])


def durable_inbox(database_url: str | None, directory: str) -> Inbox:
    """The shipped inbox, in a store of its own in the directory unless another is named."""
    store = importlib.import_module("integration.adapters.store.inbox")
    url = database_url or f"sqlite:///{directory}/benchmark.sqlite"
    inbox: Inbox = store.open_inbox(url, data_directory=Path(directory), data_key=None, stamp="simulated")
    return inbox


def serve(kind: str, database_url: str | None, directory: str, ready: "Connection") -> None:
    """One server in a process of its own, until it is terminated."""

    async def forever() -> None:
        if kind == "ours":
            port = await start_ours(durable_inbox(database_url, directory))
        elif kind == "memory":
            port = await start_ours(Forgetful())
        elif kind == "echo":
            port = await start_echo()
        else:
            port = await start_python_hl7()
        ready.send(port)
        await asyncio.Event().wait()

    asyncio.run(forever())


@contextmanager
def running(kind: str, database_url: str | None, directory: str) -> "Iterator[int]":
    """The port of a fresh server."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(kind, database_url, directory, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(30):
            raise TimeoutError(f"{kind} did not start")
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


@dataclass
class Load:
    """What a load has measured."""

    until: float
    ids: "Iterator[int]"
    latencies: list[float] = field(default_factory=list)
    wrong: int = 0
    still_sending: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Sender(asyncio.Protocol):
    """One connection with one message outstanding."""

    def __init__(self, load: Load, *, constant: bool) -> None:
        self._load = load
        self._constant = constant
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._load.still_sending += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        """Time the answer, and send the next."""
        self._answer += data
        if END not in self._answer:
            return
        now = time.perf_counter()
        self._load.latencies.append(now - self._sent)
        expected = _CONSTANT_ACK if self._constant else b"MSA|AA|" + self._control_id
        self._load.wrong += expected not in self._answer
        self._answer = b""
        if now < self._load.until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say when the last is done."""
        del exc
        self._load.still_sending -= 1
        if not self._load.still_sending:
            self._load.done.set()

    def _send(self) -> None:
        self._control_id = b"%016d" % next(self._load.ids)
        self._sent = time.perf_counter()
        self._transport.write(START + _HEAD + self._control_id + _TAIL + END + b"\r")


@dataclass(frozen=True)
class Row:
    """One server at one number of connections; latencies in milliseconds."""

    kind: str
    connections: int
    per_second: float
    p50: float
    p99: float


async def measure(kind: str, port: int, connections: int, seconds: float, ids: "Iterator[int]") -> Row:
    """Load the server for so many seconds."""
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    load = Load(start + seconds, ids)
    for _ in range(connections):
        await loop.create_connection(lambda: Sender(load, constant=kind == "echo"), "127.0.0.1", port)
    await load.done.wait()
    elapsed = time.perf_counter() - start
    assert not load.wrong, f"{kind}: {load.wrong} wrong answers"
    ordered = sorted(load.latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.50, 0.99))
    return Row(kind, connections, len(ordered) / elapsed, p50, p99)


def run(
    servers: Sequence[str] = ("ours", "echo", "python-hl7"),
    connections: Sequence[int] = (1, 8, 64),
    seconds: float = 2.0,
    rounds: int = 3,
    database_url: str | None = None,
) -> list[Row]:
    """Every server at every number of connections: the median of its rounds, each on a fresh server."""
    cells: dict[tuple[int, str], list[Row]] = {(count, kind): [] for count in connections for kind in servers}
    for _ in range(rounds):
        for (count, kind), rows in cells.items():
            with tempfile.TemporaryDirectory() as directory, running(kind, database_url, directory) as port:
                ids = itertools.count(time.time_ns() // 1000)  # new ones in every run
                asyncio.run(measure(kind, port, count, min(0.2, seconds), ids))  # warm
                rows.append(asyncio.run(measure(kind, port, count, seconds, ids)))
    return [sorted(rows, key=lambda row: row.per_second)[len(rows) // 2] for rows in cells.values()]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--servers", default="ours,echo,python-hl7", help="of " + ", ".join(SERVERS))
    parser.add_argument("--database-url", help="PostgreSQL, say, instead of a SQLite file")
    arguments = parser.parse_args()
    connections = [int(count) for count in arguments.connections.split(",")]
    rows = run(
        arguments.servers.split(","), connections, arguments.seconds, arguments.rounds, arguments.database_url
    )
    print(f"{'server':<12}{'conns':>6}{'msg/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'ours ×':>9}")  # noqa: RUF001
    ours = {row.connections: row.per_second for row in rows if row.kind == "ours"}
    for row in rows:
        ratio = f"{ours[row.connections] / row.per_second:9.2f}" if row.connections in ours else f"{'':>9}"
        print(
            f"{row.kind:<12}{row.connections:>6}{row.per_second:>10,.0f}{row.p50:>9.3f}{row.p99:>9.3f}{ratio}"
        )


if __name__ == "__main__":
    main()
