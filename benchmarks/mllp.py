"""MLLP servers side by side: messages per second, and how long an ACK takes: `python -m benchmarks.mllp`.

* `SQLite`, `PostgreSQL`: `appointment-texts run`, whose second process translates and plans what the first
  keeps; with `--alone` the listener over its durable inbox, and nobody to work on what it keeps.
* `memory`: hl7_listener over an inbox that keeps nothing: the listener's own cost.
* `echo`: a plain asyncio protocol that answers every frame with one constant ACK: the floor.
* `python-hl7`: the server of the `hl7` package, which parses and acknowledges and keeps nothing.
* `simple-hl7`: the same of npm's `simple-hl7`, if Node and tests/interop/node_modules are there.

Each connection has one message of 2 KB outstanding, each message books another visit, and each answer is
looked at. The rounds take turns, the median counts. Servers and load share the machine: read the ratios.
"""

import argparse
import asyncio
import importlib
import itertools
import multiprocessing
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks.bookings import booking
from benchmarks.figures import Figure, show
from benchmarks.grounds import Site, durable_postgres, product, site, until
from hl7_listener.framing import END, START, frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.inbox import Inbox, Receipt, ReceivedMessage
from hl7_listener.server import ListenerSettings, MllpServer
from tests.journey.product import free_port
from tests.services import PEERS as NODE_PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.connection import Connection

    from tests.postgres import Postgres

DURABLE = ("SQLite", "PostgreSQL")
SERVERS = (*DURABLE, "memory", "echo", "python-hl7", "simple-hl7")
TARGETS = {  # messages a second by connections, and the p99 in milliseconds
    "SQLite": ({1: 3000, 8: 12_000, 64: 20_000}, 10),
    "PostgreSQL": ({1: 2000, 8: 9000, 64: 20_000}, 6),
}
PEERS = ("python-hl7", "simple-hl7", "echo")

_WARM, _WARMING = 1.0, 16  # seconds, connections: until what grows at first, a log above all, has grown
_MARK = b"%012d" % 0  # in a template, where a visit's own number comes
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
        ListenerSettings("main", port=0, max_connections=1024),
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


def serve(kind: str, directory: Path, variables: "Mapping[str, str]", ready: "Connection") -> None:
    """One server in a process of its own, until it is terminated."""

    async def forever() -> None:
        if kind in DURABLE:
            port = await start_ours(Site(directory, dict(variables)).inbox())
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
def running(kind: str, postgres: "Postgres | None", *, alone: bool) -> "Iterator[int]":
    """The port of a fresh server, over a fresh store if it needs one."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with ExitStack() as stack:
        of = stack.enter_context(site(postgres=postgres if kind == "PostgreSQL" else None, settle=180))
        if kind in DURABLE and not alone:
            stack.enter_context(product(of))
            yield int(of.variables["APPOINTMENT_TEXTS_MLLP_PORT"])
            return
        if kind == "simple-hl7":
            yield stack.enter_context(running_simple_hl7())
            return
        process = spawn.Process(target=serve, args=(kind, of.directory, of.variables, theirs), daemon=True)
        process.start()
        stack.callback(process.join)
        stack.callback(process.terminate)
        if not ours.poll(30):
            raise TimeoutError(f"{kind} did not start")
        yield ours.recv()


@contextmanager
def running_simple_hl7() -> "Iterator[int]":
    """The port of the peer of npm."""
    port = free_port()
    with subprocess.Popen(["node", NODE_PEERS / "answer.js", str(port)]) as process:
        try:
            until(lambda: listens(port), seconds=30)
            yield port
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Whether somebody does."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def peers() -> list[str]:
    """Those that can be had."""
    has_node = shutil.which("node") is not None and (NODE_PEERS / "node_modules" / "simple-hl7").is_dir()
    return [peer for peer in PEERS if has_node or peer != "simple-hl7"]


@dataclass
class Load:
    """What a load has measured."""

    until: float
    ids: "Iterator[int]"
    templates: "Iterator[bytes]"
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
        self._control_id = b"%012d" % next(self._load.ids)
        message = next(self._load.templates).replace(_MARK, self._control_id)
        self._sent = time.perf_counter()
        self._transport.write(message)


@dataclass(frozen=True)
class Row:
    """One server at one number of connections; latencies in milliseconds."""

    kind: str
    connections: int
    per_second: float
    p50: float
    p99: float


def templates() -> list[bytes]:
    """Frames of bookings with the phones of some hundred people."""
    now = datetime.now(UTC)
    found = []
    for number in range(1, 200):
        message = booking(number, at=now, start=now + timedelta(days=9))
        found.append(START + message.replace(b"%012d" % number, _MARK) + END + b"\r")
    return found


async def measure(kind: str, port: int, connections: int, seconds: float, ids: "Iterator[int]") -> Row:
    """Load the server for so many seconds."""
    loop = asyncio.get_running_loop()
    prepared = itertools.cycle(templates())
    start = time.perf_counter()
    load = Load(start + seconds, ids, prepared)
    for _ in range(connections):
        await loop.create_connection(lambda: Sender(load, constant=kind == "echo"), "127.0.0.1", port)
    await load.done.wait()
    elapsed = time.perf_counter() - start
    assert not load.wrong, f"{kind}: {load.wrong} wrong answers"
    ordered = sorted(load.latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.50, 0.99))
    return Row(kind, connections, len(ordered) / elapsed, p50, p99)


def rows(
    postgres: "Postgres | None",
    servers: Sequence[str],
    connections: Sequence[int],
    *,
    seconds: float,
    rounds: int,
    alone: bool = False,
) -> list[Row]:
    """Every server at every number of connections: the median of its rounds, each on a fresh server."""
    cells: dict[tuple[int, str], list[Row]] = {(count, kind): [] for count in connections for kind in servers}
    for _ in range(rounds):
        for (count, kind), found in cells.items():
            with running(kind, postgres, alone=alone) as port:
                ids = itertools.count(time.time_ns() // 1_000_000 % 10**6 * 10**6)  # others in every run
                asyncio.run(measure(kind, port, _WARMING, min(_WARM, seconds), ids))
                found.append(asyncio.run(measure(kind, port, count, seconds, ids)))
    return [sorted(found, key=lambda row: row.per_second)[len(found) // 2] for found in cells.values()]


def figures(postgres: "Postgres", *, seconds: float, rounds: int, alone: bool = False) -> "Iterator[Figure]":
    """A figure for each store and number of connections, beside the peers at the same."""
    there = peers()
    for count in (1, 8, 64):
        found = {
            row.kind: row
            for row in rows(
                postgres, (*DURABLE, *there), (count,), seconds=seconds, rounds=rounds, alone=alone
            )
        }
        beside = {kind: found[kind].per_second for kind in there}
        for kind in DURABLE:
            row = found[kind]
            targets, most = TARGETS[kind]
            what = f"MLLP, ACK after commit, {kind}, {count} connections"
            what += "" if alone else ", pipeline at work"
            yield Figure(what, row.per_second, "/s", targets[count], at_most=False, peers=beside)
            yield Figure(f"{what}, p99", row.p99, "ms", most, peers={k: found[k].p99 for k in there})


def main() -> None:
    """Print the figures, or a table of chosen servers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="no pipeline beside the listener")
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--servers", help="of " + ", ".join(SERVERS))
    arguments = parser.parse_args()
    with durable_postgres() as postgres:
        if not arguments.servers:
            show(figures(postgres, seconds=arguments.seconds, rounds=arguments.rounds, alone=arguments.alone))
            return
        print(f"{'server':<12}{'conns':>6}{'msg/s':>10}{'p50 ms':>9}{'p99 ms':>9}")
        for row in rows(
            postgres,
            arguments.servers.split(","),
            [int(count) for count in arguments.connections.split(",")],
            seconds=arguments.seconds,
            rounds=arguments.rounds,
            alone=arguments.alone,
        ):
            numbers = f"{row.per_second:>10,.0f}{row.p50:>9.3f}{row.p99:>9.3f}"
            print(f"{row.kind:<12}{row.connections:>6}{numbers}")


if __name__ == "__main__":
    main()
