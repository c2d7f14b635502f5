"""`tasks`: what staff are asked to do, by ids and reasons alone; done ones are crossed off.

What a chart would not take is tried again once its cause is mended: `tasks --again ID`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from integration import bootstrap
from integration.aftermath import assign_task, close_task
from integration.domain.staff_task import Done, TaskKind, TaskOutcome
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from integration.domain.staff_task import StaffTask
    from integration.ports.store import Unit

_ABOUT_A_CHART: Final = frozenset({TaskKind.WRITE_BACK, TaskKind.LINK_PATIENT})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose tasks, and which are done."""
    parser.add_argument("--practice", help="this one alone (all)")
    parser.add_argument("--done", type=int, nargs="+", default=(), metavar="ID", help="cross these off")
    parser.add_argument(
        "--outcome",
        choices=[each.value for each in TaskOutcome],
        help="what came of those crossed off",
    )
    parser.add_argument("--by", help="who says so")
    parser.add_argument("--note", help="in a few words; kept sealed")
    parser.add_argument("--owner", help="those of this queue or person alone")
    parser.add_argument(
        "--done-since",
        type=date.fromisoformat,
        metavar="DATE",
        help="instead, those that were done from this day on (UTC), and what came of them",
    )
    parser.add_argument("--overdue", action="store_true", help="those whose time has come alone")
    parser.add_argument("--assign", type=int, nargs="+", default=(), metavar="ID", help="give these away")
    parser.add_argument("--to", metavar="OWNER", help="to whom; to nobody unless given")
    parser.add_argument(
        "--again",
        type=int,
        nargs="+",
        default=(),
        metavar="ID",
        help="cross these off, and write again what the patient's chart did not take",
    )
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one task a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a task to cross off is not open, or there is nothing to write again."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    store = bootstrap.open_existing_store(environment)
    try:
        with store.unit() as unit:
            open_tasks = {task.id: task for task in unit.tasks.open(options.practice)}
            asked = sorted({*options.done, *options.again, *options.assign})
            done = Done(TaskOutcome(options.outcome or TaskOutcome.OTHER), options.by, options.note)
            complaints = [_complaint(open_tasks.get(each), each, options.again) for each in asked]
            for task_id, complaint in zip(asked, complaints, strict=True):
                if complaint is None and task_id in options.assign:
                    assign_task(unit, task_id, options.to)
                    open_tasks[task_id] = unit.tasks.get(task_id)
                elif complaint is None:
                    _close(unit, open_tasks.pop(task_id), options.again, done)
            shown: list[StaffTask] = list(open_tasks.values())
            if options.done_since is not None:
                since = datetime.combine(options.done_since, time(), UTC)
                shown = list(unit.tasks.done(since, options.practice))
    finally:
        store.close()
    now = datetime.now(UTC)
    left = [as_json(task) for task in shown if _is_wanted(task, options, now)]
    if options.json:
        for line in left:
            json_line(line)
    else:
        head: tuple[str, ...] = ("id", "kind", "practice", "owner", "due", "patient", "visit", "reason")
        if options.done_since is not None:
            head = (*head, "done", "outcome", "by", "note")
        table(head, (list(line.values()) for line in left))
    warn(*filter(None, complaints))
    return int(any(complaints))


def _is_wanted(task: StaffTask, options: argparse.Namespace, now: datetime) -> bool:
    """Whether the list asked for holds it."""
    late = task.due_at is not None and task.due_at <= now
    return options.owner in {None, task.owner} and (late or not options.overdue)


def _close(unit: Unit, task: StaffTask, again: Sequence[int], done: Done) -> None:
    if task.id in again and task.patient_id is not None:
        unit.write_backs.reopen(task.patient_id)
    close_task(unit, task.id, datetime.now(UTC), done)


def _complaint(task: StaffTask | None, task_id: int, again: Sequence[int]) -> str | None:
    """Why a task cannot be crossed off as asked, None when it can."""
    if task is None:
        return f"There is no open task {task_id}."
    if task_id in again and task.kind not in _ABOUT_A_CHART:
        return f"Task {task_id} is about nothing that could be written again."
    return None


def as_json(task: StaffTask) -> dict[str, Any]:
    """One task; patients and visits by our own ids."""
    line = {
        "id": task.id,
        "kind": task.kind.value,
        "practice": task.practice,
        "owner": task.owner,
        "due_at": None if task.due_at is None else task.due_at.isoformat(timespec="minutes"),
        "patient": task.patient_id,
        "appointment": task.appointment_id,
        "reason": task.reason,
    }
    if task.done_at is None:
        return line
    return line | {
        "done_at": task.done_at.isoformat(timespec="minutes"),
        "outcome": None if task.outcome is None else task.outcome.value,
        "by": task.done_by,
        "note": task.note,
    }
