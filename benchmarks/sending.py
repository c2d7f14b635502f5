"""Texts sent a second at 50 ms a request, none twice: `python -m benchmarks.sending [--count 2000]`.

The embedded product with 32 sending threads finds so many texts due when it starts, each to another number.
The clock runs from the first text accepted to the last. Status callbacks come after the measurement. `peer`
is a loop that sends one text after another, as a script over the same latency would.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, show
from benchmarks.grounds import durable_postgres, network, product, received, site, until
from integration.entrypoints.steps import steps
from integration.ports.store import KeptMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.grounds import Noticing, Site
    from tests.postgres import Postgres

TARGET = 300  # texts a second
LATENCY = 0.05  # seconds
THREADS = 32
_LATER = 3600.0  # seconds between two statuses


def make_due(of: Site, count: int) -> None:
    """Let so many booked visits wait for their texts."""
    workshop = of.workshop()
    work = steps(workshop)
    messages = received(range(1, count + 1))
    with workshop.store.unit() as unit:
        for message in messages:
            kept = KeptMessage(0, message.channel, message.control_id, message.payload, message.received_at)
            unit.inbox.add(kept, message.digest)
    while work["translate"]() or work["plan"]():
        pass
    workshop.store.close()


def texts_per_second(of: Site, exchange: Noticing, count: int) -> float:
    """From the first accepted to the last."""
    with product(of):
        until(lambda: exchange.record.accepted >= count, seconds=300)
        time.sleep(1)  # for one too many to show itself
    with exchange.lock:
        assert exchange.record.accepted == count, "a text too many"
        assert set(exchange.record.copies.values()) == {1}, "a text went out twice"
        times = exchange.accepted.values()
        assert len(times) == count
    return (count - 1) / (max(times) - min(times))


def figures(postgres: Postgres, *, count: int) -> Iterator[Figure]:
    """On SQLite and on PostgreSQL."""
    one_by_one = {"one after another": 1 / LATENCY}
    for name, server in (("SQLite", None), ("PostgreSQL", postgres)):
        with (
            site(postgres=server, threads=THREADS) as of,
            network(of, latency=LATENCY, pace=_LATER) as exchange,
        ):
            make_due(of, count)
            rate = texts_per_second(of, exchange, count)
        what = f"texts sent, 50 ms latency, none twice, {name}"
        yield Figure(what, rate, "/s", TARGET, at_most=False, peers=one_by_one)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    count = parser.parse_args().count
    with durable_postgres() as postgres:
        show(figures(postgres, count=count))


if __name__ == "__main__":
    main()
