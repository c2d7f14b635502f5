"""Messages received → reminders planned, sustained: `python -m benchmarks.planning [--count 5000]`.

All messages come at once through the listener's inbox, each the booking of another visit; the clock stops
when every reminder is planned. Two processes work as two Celery workers would, one translating and one
planning; `embedded` is both steps in threads of one process, as in `appointment-texts run`.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from benchmarks.figures import Figure, show
from benchmarks.grounds import Site, durable_postgres, received, site, until
from integration.domain.clock import wall_now
from integration.entrypoints.bells import Bells
from integration.entrypoints.knocker import Knocker
from integration.entrypoints.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from integration.ports.store import Step
    from tests.postgres import Postgres

TARGET = 1000  # appointments a second, PostgreSQL
EMBEDDED: tuple[Sequence[Step], ...] = (("translate", "plan"),)
DISTRIBUTED: tuple[Sequence[Step], ...] = (("translate",), ("plan",))
BATCH = 500  # messages in one commit of the listener


def work(
    directory: Path, variables: Mapping[str, str], its_steps: Sequence[Step], knocks: Mapping[str, Event]
) -> None:
    """A worker's process: these steps and no others, for ever; `knocks` go between processes."""
    bells = Bells()

    def knock(step: str) -> None:
        if step in knocks:
            knocks[step].set()

    def hear(step: Step) -> None:
        while knocks[step].wait():
            knocks[step].clear()
            bells.knock(step)

    workshop = replace(Site(directory, dict(variables)).workshop(), knock=knock)
    known = steps(workshop)
    its_own = {step: deed if step in its_steps else _nothing for step, deed in known.items()}
    Knocker(workshop.store, workshop.clock, its_own, bells, senders=1).start()
    for step in its_steps:
        threading.Thread(target=hear, args=(step,), daemon=True).start()
    threading.Event().wait()


def _nothing() -> bool:
    return False


class Workers:
    """Processes that work some steps each, and knock on each other."""

    def __init__(self, of: Site, shifts: Sequence[Sequence[Step]]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.knocks = {step: spawn.Event() for shift in shifts for step in shift}
        self._processes = [
            spawn.Process(target=work, args=(of.directory, of.variables, shift, self.knocks), daemon=True)
            for shift in shifts
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def planned_per_second(of: Site, shifts: Sequence[Sequence[Step]], count: int) -> float:
    """Appointments a second, from the first message received to the last reminder planned."""
    workshop, inbox, workers = of.workshop(), of.inbox(), Workers(of, shifts)

    async def receive(numbers: Sequence[int]) -> None:
        messages = received(numbers)
        for start in range(0, len(messages), BATCH):
            await inbox.keep(messages[start : start + BATCH])
            workers.knocks["translate"].set()

    def planned() -> bool:
        now = wall_now()
        return not workshop.store.has_work(now, now) & {"translate", "plan"}

    with ExitStack() as stack:
        stack.callback(workshop.store.close)
        stack.callback(inbox.close)
        stack.enter_context(workers)
        asyncio.run(receive(range(50)))  # warm
        until(planned, seconds=60)
        begin = time.perf_counter()
        feeder = threading.Thread(target=lambda: asyncio.run(receive(range(50, 50 + count))))
        feeder.start()
        feeder.join()
        until(planned, seconds=300)
        elapsed = time.perf_counter() - begin
        with workshop.store.unit() as unit:
            assert unit.inbox.count("done") == 50 + count, "a message was not applied"
    return count / elapsed


def figures(postgres: Postgres, *, count: int) -> Iterator[Figure]:
    """Both ways on PostgreSQL, and embedded on SQLite."""
    what = "received → reminders planned"
    rows = (
        (f"{what}, PostgreSQL, two workers", postgres, DISTRIBUTED, TARGET),
        (f"{what}, PostgreSQL, embedded", postgres, EMBEDDED, None),
        (f"{what}, SQLite, embedded", None, EMBEDDED, None),
    )
    for name, server, shifts, target in rows:
        with site(postgres=server, settle=180) as of:
            yield Figure(name, planned_per_second(of, shifts, count), "/s", target, at_most=False)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000)
    count = parser.parse_args().count
    with durable_postgres() as postgres:
        show(figures(postgres, count=count))


if __name__ == "__main__":
    main()
