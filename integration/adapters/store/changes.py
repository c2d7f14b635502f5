"""Changes of appointments, waiting to be planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.visits import NOT_PLANNED, appointments, changes
from integration.domain.appointment import Slot
from integration.ports.store import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.appointments import SqlAppointmentRows
    from integration.adapters.store.patients import SqlPatientRows
    from integration.adapters.store.reminders import SqlReminderRows
    from integration.adapters.store.work import Work

CHANGES_IN_A_BITE = 10

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
_HOLD_STILL = (
    sa.select(appointments.c.id)
    .where(appointments.c.id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .order_by(appointments.c.id)
    .with_for_update(read=True)
)
_WAITS = (
    sa.select(changes.c.id)
    .where(NOT_PLANNED, changes.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .limit(1)
)
_BACKLOG = sa.select(sa.func.count()).select_from(
    sa.select(changes.c.id).where(NOT_PLANNED).limit(sa.bindparam("at_most")).subquery()
)
_DONE = (
    changes.update().where(changes.c.id.in_(sa.bindparam("change_ids", expanding=True))).values(planned=True)
)


class SqlChangeRows:
    """See `integration.ports.store.ChangeRows`."""

    def __init__(
        self,
        work: Work,
        appointments: SqlAppointmentRows,
        patients: SqlPatientRows,
        reminders: SqlReminderRows,
    ) -> None:
        self._work = work
        self._appointments = appointments
        self._patients = patients
        self._reminders = reminders
        self._held: list[dict[str, Any]] = []
        self._still: set[int] = set()  # appointments this unit holds
        work.add_writer(self._write_held)

    def add(self, change: Change) -> None:
        """Written when the unit ends, all in one."""
        before = change.before
        self._work.hold()
        self._held.append(
            {
                "appointment_id": change.appointment_id,
                "event": change.event,
                "at": change.at,
                "before_start_at": None if before is None else before.start,
                "before_place": None if before is None else before.place,
                "before_modality": None if before is None else before.modality,
                "quiet": change.quiet,
                "inbox_id": change.inbox_id,
                "patients_before": change.patients_before,
            }
        )

    def claim(self, limit: int) -> Sequence[Change]:
        """All of each appointment."""
        claimed = {
            row.appointment_id
            for row in self._work.rows(_CLAIM, {"at_most": self._work.bite(limit, CHANGES_IN_A_BITE)})
        }
        if not claimed:
            return []
        # Only a query begun under the locks sees what their former holders have done.
        waiting = [
            _read(row) for row in self._work.rows(_OF_APPOINTMENTS, {"appointment_ids": list(claimed)})
        ]
        # Whoever plans will ask for these one by one.
        fetched = self._appointments.fetch(claimed)
        self._patients.fetch({patient_id for each in fetched for patient_id in each.patients})
        self._reminders.fetch(claimed)
        return waiting

    def done(self, change_ids: Collection[int]) -> None:
        """Planned."""
        self._work.run(_DONE, {"change_ids": list(change_ids)})

    def backlog(self, at_most: int) -> int:
        """Along the index of those that wait."""
        return int(self._work.run(_BACKLOG, {"at_most": at_most}).scalar_one())

    def waits(self, appointment_ids: Collection[int]) -> bool:
        """Whether one is not planned yet; until this unit ends, no other writes one or plans these."""
        if not self._still.issuperset(appointment_ids):
            self._work.run(_HOLD_STILL, {"appointment_ids": list(appointment_ids)})
            self._still.update(appointment_ids)
        return self._work.row(_WAITS, {"appointment_ids": list(appointment_ids)}) is not None

    def _write_held(self) -> None:
        self._work.insert(changes, self._held)


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
        patients_before=row.patients_before,
    )
