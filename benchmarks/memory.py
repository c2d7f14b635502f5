"""Memory of the embedded product, idle after 10,000 appointments: `python -m benchmarks.memory`.

All processes of `run` together, shared pages counted once (PSS; where the system does not tell it, RSS).
One in ten of the bookings is new and gets its text and its statuses; the others are told a day late, as a
backfill is.
"""

from __future__ import annotations

import argparse
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil

from benchmarks.bookings import booking
from benchmarks.figures import Figure, show
from benchmarks.grounds import network, product, site, until
from hl7_listener.framing import END, frame
from integration.domain.clock import wall_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.grounds import Running, Site

TARGET = 220  # MiB
NEW = 10  # one in so many
_MEBIBYTE = 1024 * 1024
_DAY = timedelta(days=1)


def mebibytes(running: Running) -> dict[str, float]:
    """Of each process."""
    parents = [psutil.Process(process.pid) for process in running.processes]
    return {
        _name(process): _bytes(process) / _MEBIBYTE
        for parent in parents
        for process in (parent, *parent.children(recursive=True))
    }


def send_bookings(of: Site, count: int) -> None:
    """All over one connection, a hundred at a time."""
    now = datetime.now(UTC)
    port = int(of.variables["APPOINTMENT_TEXTS_MLLP_PORT"])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for first in range(0, count, 100):
            frames = [
                frame(booking(number, at=now if number % NEW == 0 else now - _DAY, start=now + 9 * _DAY))
                for number in range(first, min(first + 100, count))
            ]
            connection.sendall(b"".join(frames))
            answered = 0
            while answered < len(frames):
                answered += connection.recv(65536).count(END)


def figures(*, count: int) -> Iterator[Figure]:
    """Idle from the start, and after the work."""
    with site() as of, network(of, pace=0.5) as exchange, product(of) as running:
        before = sum(mebibytes(running).values())
        send_bookings(of, count)
        store = of.workshop().store
        until(lambda: exchange.record.accepted >= count // NEW, seconds=300)
        exchange.timetable.settle(30)
        until(lambda: not store.has_work(wall_now(), wall_now()), seconds=300)
        store.close()
        time.sleep(3)
        parts = mebibytes(running)
    note = ", ".join(f"{name} {size:.0f}" for name, size in parts.items())
    yield Figure(
        f"memory, embedded, idle after {count:,} appointments",
        sum(parts.values()),
        "MiB",
        TARGET,
        note=f"{note}; {before:.0f} before",
    )


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    return next((word.rpartition(".")[2] for word in words if word.startswith("integration.")), words[0])


def _bytes(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", 0) or memory.rss)


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    show(figures(count=parser.parse_args().count))


if __name__ == "__main__":
    main()
