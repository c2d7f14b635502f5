"""A booking received → its text accepted, idle: `python -m benchmarks.first_text [--count 30]`.

The whole product runs as a site runs it; `settle` is 0. One booking after another over MLLP, each only when
the text of the one before has been accepted, its statuses are in, and a moment has passed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import socket
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.bookings import booking, phone
from benchmarks.figures import Figure, median, percentile, show
from benchmarks.grounds import durable_postgres, network, product, site, until
from hl7_listener.framing import END, frame
from tests.journey.brokers import redis
from tests.journey.product import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.grounds import Noticing, Site
    from tests.postgres import Postgres

EMBEDDED_TARGET, DISTRIBUTED_TARGET = 150, 250  # ms, p50
_CELERY = [sys.executable, "-m", "celery", "-A", "integration.entrypoints.worker"]
DISTRIBUTED = (
    [*COMMAND, "web"],
    [*COMMAND, "listen"],
    [*_CELERY, "worker", "--pool", "threads", "--concurrency", "8", "--loglevel", "WARNING"],
    [*_CELERY, "beat", "--loglevel", "WARNING"],
)


def milliseconds(of: Site, accepted: Noticing, count: int) -> list[float]:
    """From the last byte sent to the text accepted, once for each booking; the first three warm up."""
    taken = []
    port = int(of.variables["APPOINTMENT_TEXTS_MLLP_PORT"])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(1, count + 4):
            now = datetime.now(UTC)
            framed = frame(booking(number, at=now, start=now + timedelta(days=9)))
            to = "+1{}{}".format(*phone(number))
            connection.sendall(framed)
            begin = time.perf_counter()
            while not connection.recv(4096).endswith(END + b"\r"):
                pass
            until(lambda to=to: to in accepted.accepted, seconds=30, every=0.002)  # type: ignore[misc] # mypy and defaults
            taken.append((accepted.accepted[to] - begin) * 1000)
            time.sleep(random.uniform(0.3, 1.2))  # noqa: S311 - so as not to keep time with the sweep
    return taken[3:]


def figures(postgres: Postgres, *, count: int) -> Iterator[Figure]:
    """Embedded, and with Celery workers over Redis where that is installed."""
    what = "booking → text accepted, idle, p50"
    with site() as of, network(of) as accepted, product(of):
        taken = milliseconds(of, accepted, count)
    yield _figure(f"{what}, embedded", taken, EMBEDDED_TARGET)
    if shutil.which("redis-server") is None:
        return
    with ExitStack() as stack:
        of = stack.enter_context(site(postgres=postgres))
        of.variables["APPOINTMENT_TEXTS_BROKER_URL"] = stack.enter_context(redis(of.directory))
        accepted = stack.enter_context(network(of))
        beat = [*DISTRIBUTED[3], "--schedule", str(of.directory / "beat")]
        stack.enter_context(product(of, [*DISTRIBUTED[:3], beat]))
        taken = milliseconds(of, accepted, count)
    yield _figure(f"{what}, distributed", taken, DISTRIBUTED_TARGET)


def _figure(what: str, taken: Sequence[float], target: float) -> Figure:
    note = f"p99 {percentile(taken, 0.99):.0f} ms"
    return Figure(what, median(taken), "ms", target, note=note)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=30)
    count = parser.parse_args().count
    with durable_postgres() as postgres:
        show(figures(postgres, count=count))


if __name__ == "__main__":
    main()
