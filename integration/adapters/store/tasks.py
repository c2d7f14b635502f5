"""The staff's list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.conversation import TO_DO, staff_tasks
from integration.domain.staff_task import StaffTask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_FIELDS = (
    "kind",
    "practice",
    "reason",
    "created_at",
    "due_at",
    "patient_id",
    "appointment_id",
    "reply_id",
    "text_id",
    "done_at",
    "feed",
)
_ADD = insert(staff_tasks).on_conflict_do_nothing()
_OPEN = sa.select(staff_tasks).where(TO_DO).order_by(staff_tasks.c.id)
_OPEN_OF_PRACTICE = _OPEN.where(staff_tasks.c.practice == sa.bindparam("of_practice"))
_CLOSE = (
    staff_tasks.update()
    .where(TO_DO, staff_tasks.c.id == sa.bindparam("wanted"))
    .values(done_at=sa.bindparam("at"))
)

_twin = staff_tasks.alias("twin")
_HAND_OVER = (
    staff_tasks.update()
    .where(
        TO_DO,
        staff_tasks.c.id == sa.bindparam("wanted"),
        ~sa.exists().where(
            _twin.c.done_at.is_(None),
            _twin.c.kind == sa.bindparam("of_kind", type_=staff_tasks.c.kind.type),
            _twin.c.about == sa.bindparam("new_about"),
        ),
    )
    .values(patient_id=sa.bindparam("survivor_id"), about=sa.bindparam("new_about"))
)


class SqlTaskRows:
    """See `integration.ports.store.TaskRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, task: StaffTask) -> None:
        """Unless it is there."""
        self._work.run(_ADD, {**{name: getattr(task, name) for name in _FIELDS}, "about": _about(task)})

    def open(self, practice: str | None = None) -> Sequence[StaffTask]:
        """Oldest first."""
        if practice is None:
            rows = self._work.rows(_OPEN)
        else:
            rows = self._work.rows(_OPEN_OF_PRACTICE, {"of_practice": practice})
        return [
            StaffTask(id=row.id, **{name: row._mapping[name] for name in _FIELDS})  # noqa: SLF001 - SQLAlchemy's public name
            for row in rows
        ]

    def close(self, task_id: int, at: datetime) -> None:
        """Once."""
        self._work.run(_CLOSE, {"wanted": task_id, "at": at})

    def hand_over(self, gone_id: int, survivor_id: int, at: datetime) -> None:
        """One by one: they are few."""
        for task in self.open():
            if task.patient_id != gone_id:
                continue
            theirs = replace(task, patient_id=survivor_id)
            wanted = {"wanted": task.id, "of_kind": task.kind, "new_about": _about(theirs)}
            if self._work.run(_HAND_OVER, wanted | {"survivor_id": survivor_id}).rowcount == 0:
                self.close(task.id, at)


def _about(task: StaffTask) -> str:
    """What the task is about, in one value that is equal when all of it is."""
    parts = (task.practice, task.patient_id, task.appointment_id, task.reply_id, task.text_id)
    about = "|".join("" if part is None else str(part) for part in parts)
    return about if task.feed is None else f"{about}|{task.feed}"
