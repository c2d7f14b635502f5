"""The claim of 500 due reminders among a million planned: `python -m benchmarks.claiming [--large]`.

PostgreSQL; every reminder is of another number, 5,000 are due, the others in the thirty days to come. The
claim is a whole unit: begin, find and lock the numbers, look again, open the sealed numbers, end. `--large`
claims among ten millions, too.
"""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from benchmarks.figures import Figure, median, percentile, show
from benchmarks.grounds import durable_postgres, site
from integration.domain.clock import wall_now
from integration.domain.reminder import Reminder
from tests.adapters.store.records import appointment, patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store
    from tests.postgres import Postgres

TARGET = 20  # ms
AT_ONCE = 500
DUE = 5_000
MILLION = 1_000_000
_MONTH = timedelta(days=30) // timedelta(milliseconds=1)
_NUMBERS = """
INSERT INTO numbers (number_hash, sealed_number)
SELECT decode(md5(i::text), 'hex'), decode(md5(i::text), 'hex') FROM generate_series(%s::int, %s::int) AS i
"""
_REMINDERS = """
INSERT INTO reminders
    (appointment_id, patient_id, number_hash, practice, step, slot_number, due_at, not_after, state)
SELECT %s, %s, decode(md5(i::text), 'hex'), 'riverside', 'five_days', 1, due, due + 86400000, 'planned'
FROM (
    SELECT i, %s::bigint + (random() * %s)::bigint AS due FROM generate_series(%s::int, %s::int) AS i
) AS spread
"""


def milliseconds(store: Store, rounds: int) -> list[float]:
    """One claim after another; each lets go of what it claimed."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        with store.unit() as unit:
            claimed = unit.reminders.claim_numbers(wall_now(), AT_ONCE)
        taken.append((time.perf_counter() - begin) * 1000)
        assert len(claimed) == AT_ONCE
    return taken


def due_reminders(store: Store) -> tuple[int, int]:
    """Store those that are due, all of one visit; its id and the patient's."""
    now = wall_now()
    with store.unit() as unit:
        who = unit.patients.save(patient())
        visit = unit.appointments.save(appointment(who.id))
        unit.reminders.add(
            [
                Reminder(
                    id=0,
                    appointment_id=visit.id,
                    patient_id=who.id,
                    number=f"+1{2_000_000_000 + number}",
                    practice="riverside",
                    step="five_days",
                    slot_number=1,
                    due_at=now - timedelta(minutes=1, milliseconds=number),
                    not_after=now + timedelta(days=1),
                )
                for number in range(DUE)
            ]
        )
    return visit.id, who.id


def plan_more(url: str, visit: int, who: int, first: int, last: int) -> None:
    """Reminders that are not due yet."""
    begin = int(wall_now().timestamp() * 1000) + 3_600_000
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")  # of the filling, which is not measured
        connection.execute(_NUMBERS, (first, last))
        connection.execute(_REMINDERS, (visit, who, begin, _MONTH, first, last))
        connection.execute("VACUUM ANALYZE numbers")
        connection.execute("VACUUM ANALYZE reminders")


def figures(postgres: Postgres, *, sizes: tuple[int, ...], rounds: int = 41) -> Iterator[Figure]:
    """One for each size, in millions, smallest first; the larger ones beside the first."""
    with site(postgres=postgres) as of:
        store = of.workshop().store
        visit, who = due_reminders(store)
        filled, first = 0, None
        for size in sizes:
            url = of.variables["APPOINTMENT_TEXTS_DATABASE_URL"]
            plan_more(url, visit, who, filled + 1, size)
            filled = size
            taken = milliseconds(store, rounds)
            yield Figure(
                f"claim {AT_ONCE} due of {size:,} planned, p50",
                median(taken),
                "ms",
                TARGET if first is None else min(TARGET, first * 1.5),
                note=f"p99 {percentile(taken, 0.99):.0f} ms",
            )
            first = first or median(taken)
        store.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--large", action="store_true", help="ten millions, too: some minutes, 8 GB")
    sizes = (MILLION, 10 * MILLION) if parser.parse_args().large else (MILLION,)
    with durable_postgres() as postgres:
        show(figures(postgres, sizes=sizes))


if __name__ == "__main__":
    main()
