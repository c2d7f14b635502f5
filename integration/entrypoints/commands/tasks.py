"""`tasks`: what staff are asked to do, by ids and reasons alone; done ones are crossed off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integration import bootstrap
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment

if TYPE_CHECKING:
    import argparse

    from integration.domain.staff_task import StaffTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose tasks, and which are done."""
    parser.add_argument("--practice", help="this one alone (all)")
    parser.add_argument("--done", type=int, nargs="+", default=(), metavar="ID", help="cross these off")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one task a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a task to cross off is not open."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    store = bootstrap.open_existing_store(environment)
    try:
        with store.unit() as unit:
            open_tasks = unit.tasks.open(options.practice)
            unknown = set(options.done) - {task.id for task in open_tasks}
            for task_id in set(options.done) - unknown:
                unit.tasks.close(task_id, datetime.now(UTC))
    finally:
        store.close()
    left = [as_json(task) for task in open_tasks if task.id not in options.done]
    if options.json:
        for line in left:
            json_line(line)
    else:
        head = ("id", "kind", "practice", "due", "patient", "visit", "reason")
        table(head, (list(line.values()) for line in left))
    warn(*(f"There is no open task {task_id}." for task_id in sorted(unknown)))
    return int(bool(unknown))


def as_json(task: StaffTask) -> dict[str, Any]:
    """One task; patients and visits by our own ids."""
    return {
        "id": task.id,
        "kind": task.kind.value,
        "practice": task.practice,
        "due_at": None if task.due_at is None else task.due_at.isoformat(timespec="minutes"),
        "patient": task.patient_id,
        "appointment": task.appointment_id,
        "reason": task.reason,
    }
