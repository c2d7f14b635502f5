"""Changes of appointments, waiting to be planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.visits import NOT_PLANNED, appointments, changes
from integration.domain.appointment import Slot
from integration.ports.store import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.work import Work

_ADD = changes.insert()
# The lock is the appointment's: one unit plans it, and none while a message of it is being applied.
_CLAIM = (
    sa.select(changes.c.appointment_id)
    .join_from(changes, appointments)
    .where(NOT_PLANNED)
    .order_by(changes.c.id)
    .limit(sa.bindparam("at_most"))
    .with_for_update(of=appointments, key_share=True, skip_locked=True)
)
_OF_APPOINTMENTS = (
    sa.select(changes)
    .where(NOT_PLANNED, changes.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .order_by(changes.c.id)
)
_WAITS = (
    sa.select(changes.c.id)
    .where(NOT_PLANNED, changes.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .limit(1)
)
_DONE = (
    changes.update().where(changes.c.id.in_(sa.bindparam("change_ids", expanding=True))).values(planned=True)
)


class SqlChangeRows:
    """See `integration.ports.store.ChangeRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._added: list[dict[str, Any]] = []

    def add(self, change: Change) -> None:
        """Written when the unit ends, all in one."""
        if not self._added:
            self._work.before_commit(self._write_added)
        before = change.before
        self._added.append(
            {
                "appointment_id": change.appointment_id,
                "event": change.event,
                "at": change.at,
                "before_start_at": None if before is None else before.start,
                "before_place": None if before is None else before.place,
                "before_modality": None if before is None else before.modality,
                "quiet": change.quiet,
                "inbox_id": change.inbox_id,
            }
        )

    def claim(self, limit: int) -> Sequence[Change]:
        """All of each appointment."""
        self._write_added()
        claimed = {row.appointment_id for row in self._work.rows(_CLAIM, {"at_most": limit})}
        if not claimed:
            return []
        # Only a query begun under the locks sees what their former holders have done.
        return [_read(row) for row in self._work.rows(_OF_APPOINTMENTS, {"appointment_ids": list(claimed)})]

    def done(self, change_ids: Collection[int]) -> None:
        """Planned."""
        self._write_added()
        self._work.run(_DONE, {"change_ids": list(change_ids)})

    def waits(self, appointment_ids: Collection[int]) -> bool:
        """Whether one is not planned yet."""
        self._write_added()
        return self._work.row(_WAITS, {"appointment_ids": list(appointment_ids)}) is not None

    def _write_added(self) -> None:
        if self._added:
            self._work.run(_ADD, self._added)
            self._added = []


def _read(row: sa.Row[Any]) -> Change:
    before = None
    if row.before_modality is not None:
        before = Slot(row.before_start_at, row.before_place, row.before_modality)
    return Change(
        id=row.id,
        appointment_id=row.appointment_id,
        event=row.event,
        at=row.at,
        before=before,
        quiet=row.quiet,
        inbox_id=row.inbox_id,
    )
