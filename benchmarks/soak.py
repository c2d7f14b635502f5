"""Good, bad, slow, huge, half-dead senders together, for long: `python -m benchmarks.soak [--seconds 600]`.

`appointment-texts run` over SQLite hears 64 connections, a third of them good: each sends a booking, waits
for its answer, and thinks for a tenth of a second. First the good ones are alone, then all come. In the end
every message that was acknowledged with AA must be in the store, or the run fails. Told are the good senders'
p99 beside their p99 alone, and for each process its memory, and by how much it grew in a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import socket
import sqlite3
import struct
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.bookings import booking
from benchmarks.figures import Figure, percentile, show
from benchmarks.grounds import product, site
from hl7_listener.framing import END, START, TRAILER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from benchmarks.grounds import Site

CONNECTIONS: Final = 64
_THINKS: Final = 0.1  # seconds, a good sender between two messages
_PATIENCE: Final = 30.0  # seconds
_PAUSE: Final = 0.5  # seconds before a bad sender comes back
_HUGE: Final = 1024 * 1024  # bytes
_SAMPLED: Final = 1.0  # seconds between two looks at the memory
_SETTLED: Final = 0.25  # the share of a run after which its memory should grow no more
_MEBIBYTE: Final = 1024 * 1024
_BROKEN = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass
class Crowd:
    """All senders, and what they heard."""

    port: int
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    acknowledged: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    failures: int = 0  # of good senders: no answer, or another than AA
    refused: int = 0  # messages answered AR
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret

    def message(self, *, more: bytes = b"") -> tuple[str, bytes]:
        """Another booking and its control id, framed; `more` segments in it."""
        number, now = next(self.ids), datetime.now(UTC)
        start = (now + timedelta(days=10)).replace(minute=0, second=0, microsecond=0)
        payload = booking(number, at=now, start=start + timedelta(minutes=number % 480))
        return f"{number:012}", START + payload + more + TRAILER

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, reader: asyncio.StreamReader, control_id: str) -> bool:
        """Whether the answer that comes is AA."""
        async with asyncio.timeout(_PATIENCE):
            answer = await reader.readuntil(END)
        if f"MSA|AA|{control_id}".encode() in answer:
            self.acknowledged.append(control_id)
            return True
        self.refused += b"MSA|AR|" in answer
        return False


async def good(crowd: Crowd) -> None:
    """One message after another on a connection that stays."""
    reader, writer = await crowd.connect()
    with closing(writer):
        while True:
            control_id, framed = crowd.message()
            begin = time.perf_counter()
            writer.write(framed)
            crowd.failures += not await crowd.ask(reader, control_id)
            crowd.latencies.append(time.perf_counter() - begin)
            await asyncio.sleep(_THINKS)


async def garbage(crowd: Crowd) -> None:
    """Bytes without sense, frame bytes among them; a message in the end, if the connection still stands."""
    reader, writer = await crowd.connect()
    with closing(writer):
        for _ in range(20):
            writer.write(crowd.chance.randbytes(crowd.chance.randrange(1, 4000)))
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(65536)
        control_id, framed = crowd.message()
        writer.write(TRAILER + framed)
        while not await crowd.ask(reader, control_id):
            pass


async def wrong_headers(crowd: Crowd) -> None:
    """Framed, but no message: each is refused, and the connection stays."""
    reader, writer = await crowd.connect()
    wrong = (b"", b"PID|1||1", b"MSH", b"MSH|^~\\&|A", b"MSHAAAA", b"MSH|^~\\&|\x00\xff" * 50, b"\xff" * 3000)
    with closing(writer):
        for payload in wrong:
            writer.write(START + payload + TRAILER)
            await crowd.ask(reader, "none")
            await asyncio.sleep(_THINKS)


async def slow(crowd: Crowd) -> None:
    """A byte a second."""
    _, writer = await crowd.connect()
    with closing(writer):
        for byte in crowd.message()[1]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)


async def huge(crowd: Crowd) -> None:
    """A message of a megabyte, now and then; in the end one that never ends, until the connection does."""
    reader, writer = await crowd.connect()
    with closing(writer):
        for _ in range(5):
            control_id, framed = crowd.message(more=b"ZZZ|" + b"x" * _HUGE + b"\r")
            writer.write(framed)
            await crowd.ask(reader, control_id)
            await asyncio.sleep(4)
        writer.write(START + b"MSH|^~\\&|")
        while True:
            writer.write(b"x" * _HUGE)
            await writer.drain()


async def half_dead(crowd: Crowd) -> None:
    """Half a message and then silence; then a reset without a word."""
    _, writer = await crowd.connect()
    with closing(writer):
        writer.write(crowd.message()[1][:900])
        await asyncio.sleep(crowd.chance.uniform(1, 20))
        writer.write(crowd.message()[1])
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def deaf(crowd: Crowd) -> None:
    """Many messages, and no answer is ever read."""
    _, writer = await crowd.connect()
    with closing(writer):
        for _ in range(100):
            writer.write(crowd.message()[1])
            await asyncio.sleep(1)


GOOD: Final = CONNECTIONS // 3
BAD: Final = (garbage, wrong_headers, slow, huge, half_dead, deaf)


async def again(deed: Callable[[Crowd], Awaitable[None]], crowd: Crowd) -> None:
    """Do it again and again, on a new connection each time."""
    while True:
        try:
            await deed(crowd)
        except _BROKEN:
            crowd.failures += deed is good
        await asyncio.sleep(_PAUSE)


@dataclass
class Memory:
    """What the product's processes held, each by its name: (seconds, bytes)."""

    samples: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    async def watch(self, processes: dict[str, psutil.Process]) -> None:
        """Look again and again."""
        begin = time.monotonic()
        while True:
            for name, process in processes.items():
                held = process.memory_info().rss
                self.samples.setdefault(name, []).append((time.monotonic() - begin, held))
            await asyncio.sleep(_SAMPLED)

    def figures(self) -> Iterator[Figure]:
        """For each process the most it held, and its growth a minute, but for the first of its samples."""
        for name, samples in self.samples.items():
            settled = samples[int(len(samples) * _SETTLED) :]
            most = max(held for _, held in samples) / _MEBIBYTE
            note = f"{samples[0][1] / _MEBIBYTE:.0f} MiB at first, then {slope(settled):+.2f} MiB a minute"
            yield Figure(f"memory, {name}, at most", most, "MiB", note=note)


def slope(samples: list[tuple[float, int]]) -> float:
    """MiB a minute, by least squares."""
    count = len(samples)
    middle = sum(at for at, _ in samples) / count
    spread = sum((at - middle) ** 2 for at, _ in samples)
    return sum((at - middle) * held for at, held in samples) / (spread or 1) / _MEBIBYTE * 60


async def send(
    crowd: Crowd, *, seconds: float, bad: bool, watch: Awaitable[None] | None = None
) -> list[float]:
    """Let them send for so long; the good ones' latencies."""
    crowd.latencies.clear()
    deeds = [good] * GOOD + (list(itertools.islice(itertools.cycle(BAD), CONNECTIONS - GOOD)) if bad else [])
    tasks = [asyncio.ensure_future(again(deed, crowd)) for deed in deeds]
    if watch is not None:
        tasks.append(asyncio.ensure_future(watch))
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1)
    for task in done:
        task.result()  # none ends but by an error of ours
    return list(crowd.latencies)


def missing(of: Site, acknowledged: list[str]) -> set[str]:
    """Which of these control ids are not in the store."""
    with closing(sqlite3.connect(of.directory / "data" / "appointment-texts.sqlite")) as connection:
        kept = {row[0] for row in connection.execute("SELECT control_id FROM inbox")}
    return set(acknowledged) - kept


@dataclass(frozen=True)
class Soaked:
    """What a run has shown."""

    crowd: Crowd
    missing: set[str]
    alone: list[float]
    among: list[float]
    memory: Memory

    def figures(self) -> Iterator[Figure]:
        """Ready to be shown."""
        good_alone, good_among = (percentile(times, 0.99) * 1000 for times in (self.alone, self.among))
        count = len(self.crowd.acknowledged)
        note = f"{self.crowd.failures} failures of good senders, {self.crowd.refused} messages refused"
        yield Figure("acknowledged and not in the store", len(self.missing), f"of {count:,}", 0, note=note)
        yield Figure("good senders among bad ones, p99", good_among, "ms", note=f"alone {good_alone:.1f} ms")
        yield from self.memory.figures()


def soak(seconds: float, alone: float) -> Soaked:
    """Good senders alone for so long, then all of them."""
    with site(settle=180) as of, product(of) as running:
        (supervisor,) = (psutil.Process(process.pid) for process in running.processes)
        processes = {"supervisor": supervisor}
        for child in supervisor.children():
            processes["listener" if "integration.entrypoints.listener" in child.cmdline() else "web"] = child
        crowd, memory = Crowd(int(of.variables["APPOINTMENT_TEXTS_MLLP_PORT"])), Memory()
        first = asyncio.run(send(crowd, seconds=alone, bad=False))
        then = asyncio.run(send(crowd, seconds=seconds, bad=True, watch=memory.watch(processes)))
        return Soaked(crowd, missing(of, crowd.acknowledged), first, then, memory)


def main() -> int:
    """Print the figures; 1 when an acknowledged message is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--alone", type=float, help="seconds that the good ones send alone (a tenth)")
    arguments = parser.parse_args()
    soaked = soak(arguments.seconds, arguments.alone or arguments.seconds / 10)
    show(soaked.figures())
    return int(bool(soaked.missing))


if __name__ == "__main__":
    sys.exit(main())
