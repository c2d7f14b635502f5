"""The staff's list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.conversation import TO_DO, staff_tasks
from integration.domain.staff_task import StaffTask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.domain.staff_task import Done

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
    "owner",
)
_ADD = insert(staff_tasks).on_conflict_do_nothing().returning(staff_tasks.c.id)
_GET = sa.select(staff_tasks).where(staff_tasks.c.id == sa.bindparam("wanted"))
_OPEN = sa.select(staff_tasks).where(TO_DO).order_by(staff_tasks.c.id)
_OPEN_OF_PRACTICE = _OPEN.where(staff_tasks.c.practice == sa.bindparam("of_practice"))
_OPEN_OF_REPLY = _OPEN.where(staff_tasks.c.reply_id == sa.bindparam("of_reply"))
_DONE = (
    sa.select(staff_tasks)
    .where(staff_tasks.c.done_at >= sa.bindparam("since"))
    .order_by(staff_tasks.c.done_at, staff_tasks.c.id)
)
_DONE_OF_PRACTICE = _DONE.where(staff_tasks.c.practice == sa.bindparam("of_practice"))
_CLOSE = (
    staff_tasks.update()
    .where(TO_DO, staff_tasks.c.id == sa.bindparam("wanted"))
    .values(
        done_at=sa.bindparam("at"),
        outcome=sa.bindparam("how", type_=staff_tasks.c.outcome.type),
        sealed_done_by=sa.bindparam("by"),
        sealed_note=sa.bindparam("words"),
    )
)
_ASSIGN = (
    staff_tasks.update()
    .where(TO_DO, staff_tasks.c.id == sa.bindparam("wanted"))
    .values(owner=sa.bindparam("to_whom"))
)
_BY, _NOTE = "staff_tasks.sealed_done_by", "staff_tasks.sealed_note"

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

    def add(self, task: StaffTask) -> int | None:
        """Unless it is there."""
        row = self._work.row(_ADD, {**{name: getattr(task, name) for name in _FIELDS}, "about": _about(task)})
        return None if row is None else int(row.id)

    def get(self, task_id: int) -> StaffTask:
        """By our id."""
        row = self._work.row(_GET, {"wanted": task_id})
        if row is None:
            raise KeyError(task_id)
        return self._read(row)

    def open(self, practice: str | None = None) -> Sequence[StaffTask]:
        """Oldest first."""
        if practice is None:
            rows = self._work.rows(_OPEN)
        else:
            rows = self._work.rows(_OPEN_OF_PRACTICE, {"of_practice": practice})
        return [self._read(row) for row in rows]

    def of_reply(self, reply_id: int) -> Sequence[StaffTask]:
        """Oldest first."""
        return [self._read(row) for row in self._work.rows(_OPEN_OF_REPLY, {"of_reply": reply_id})]

    def done(self, since: datetime, practice: str | None = None) -> Sequence[StaffTask]:
        """The earliest first."""
        if practice is None:
            rows = self._work.rows(_DONE, {"since": since})
        else:
            rows = self._work.rows(_DONE_OF_PRACTICE, {"since": since, "of_practice": practice})
        return [self._read(row) for row in rows]

    def close(self, task_id: int, at: datetime, done: Done | None = None) -> None:
        """Once; who says so, and in which words, is sealed."""
        seal = self._work.seal
        how = {
            "how": None if done is None else done.outcome,
            "by": None if done is None else seal(_BY, done.by),
            "words": None if done is None else seal(_NOTE, done.note),
        }
        self._work.run(_CLOSE, {"wanted": task_id, "at": at, **how})

    def assign(self, task_id: int, owner: str | None) -> None:
        """What is open."""
        self._work.run(_ASSIGN, {"wanted": task_id, "to_whom": owner})

    def hand_over(self, gone_id: int, survivor_id: int, at: datetime) -> Sequence[int]:
        """One by one: they are few."""
        twins = []
        for task in self.open():
            if task.patient_id != gone_id:
                continue
            theirs = replace(task, patient_id=survivor_id)
            wanted = {"wanted": task.id, "of_kind": task.kind, "new_about": _about(theirs)}
            if self._work.run(_HAND_OVER, wanted | {"survivor_id": survivor_id}).rowcount == 0:
                self.close(task.id, at)
                twins.append(task.id)
        return twins

    def _read(self, row: sa.Row[Any]) -> StaffTask:
        plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        by, note = row.sealed_done_by, row.sealed_note
        return StaffTask(
            id=row.id,
            outcome=row.outcome,
            done_by=None if by is None else self._work.keys.read(_BY, by),
            note=None if note is None else self._work.keys.read(_NOTE, note),
            **{name: plain[name] for name in _FIELDS},
        )


def _about(task: StaffTask) -> str:
    """What the task is about, in one value that is equal when all of it is."""
    parts = (task.practice, task.patient_id, task.appointment_id, task.reply_id, task.text_id)
    about = "|".join("" if part is None else str(part) for part in parts)
    return about if task.feed is None else f"{about}|{task.feed}"
