"""Reminders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.people import numbers
from integration.adapters.store.tables.visits import AWAITS_A_TEXT, OPEN_REMINDER, reminders
from integration.domain.reminder import Reminder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_OF_APPOINTMENT = (
    sa.select(reminders).where(reminders.c.appointment_id == sa.bindparam("of")).order_by(reminders.c.id)
)
_OF_APPOINTMENTS = (
    sa.select(reminders)
    .where(reminders.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .order_by(reminders.c.id)
)
_OF_TEXT = sa.select(reminders).where(reminders.c.text_id == sa.bindparam("of")).order_by(reminders.c.id)
_BY_ID = sa.select(reminders).where(reminders.c.id == sa.bindparam("of"))
_OPEN_OF_NUMBER = (
    sa.select(reminders)
    .where(OPEN_REMINDER, reminders.c.number_hash == sa.bindparam("of"))
    .order_by(reminders.c.due_at, reminders.c.id)
)
_UPDATE = (
    reminders.update()
    .where(reminders.c.id == sa.bindparam("reminder_id"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                "practice",
                "state",
                "reason",
                "due_at",
                "not_after",
                "text_id",
                "decided_at",
                "after_text_id",
            )
        }
    )
)
_same = reminders.alias("same")
_HAND_OVER = (
    reminders.update()
    .where(
        reminders.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)),
        reminders.c.patient_id == sa.bindparam("gone_id"),
        ~sa.exists().where(
            _same.c.appointment_id == reminders.c.appointment_id,
            _same.c.patient_id == sa.bindparam("survivor_id"),
            _same.c.number_hash == reminders.c.number_hash,
            _same.c.step == reminders.c.step,
            _same.c.slot_number == reminders.c.slot_number,
        ),
    )
    .values(patient_id=sa.bindparam("survivor_id"))
)
_CLAIM = (
    sa.select(numbers)
    .join_from(reminders, numbers)
    .where(AWAITS_A_TEXT, reminders.c.due_at <= sa.bindparam("now", type_=reminders.c.due_at.type))
    .order_by(reminders.c.due_at, reminders.c.id)
    .limit(sa.bindparam("at_most"))
    .with_for_update(of=numbers, key_share=True, skip_locked=True)
)
_STILL_DUE = (
    sa.select(reminders.c.number_hash)
    .where(
        AWAITS_A_TEXT,
        reminders.c.due_at <= sa.bindparam("now", type_=reminders.c.due_at.type),
        reminders.c.number_hash.in_(sa.bindparam("hashes", expanding=True)),
    )
    .distinct()
)
_AWAITING = (
    sa.select(reminders)
    .where(AWAITS_A_TEXT, reminders.c.due_at <= sa.bindparam("due_by", type_=reminders.c.due_at.type))
    .order_by(reminders.c.due_at, reminders.c.id)
)
_NEXT_DUE = sa.select(sa.func.min(reminders.c.due_at)).where(AWAITS_A_TEXT)
_COUNT_PLANNED = (
    sa.select(sa.func.count())
    .select_from(reminders)
    .where(
        reminders.c.practice == sa.bindparam("of_practice"),
        reminders.c.step == sa.bindparam("of_step"),
        reminders.c.due_at >= sa.bindparam("since", type_=reminders.c.due_at.type),
    )
)
_STATES = (
    sa.select(reminders)
    .where(
        reminders.c.practice == sa.bindparam("of_practice"),
        sa.or_(
            reminders.c.due_at >= sa.bindparam("since", type_=reminders.c.due_at.type),
            reminders.c.decided_at >= sa.bindparam("since", type_=reminders.c.due_at.type),
        ),
    )
    .order_by(reminders.c.due_at, reminders.c.id)
)


class SqlReminderRows:
    """See `integration.ports.store.ReminderRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._fetched: dict[int, list[Reminder]] = {}
        self._told: dict[int, set[int]] = {}  # the slots of fetched appointments that have a text
        self._held: list[dict[str, Any]] = []
        work.add_writer(self._write_held)

    def of_appointment(self, appointment_id: int) -> Sequence[Reminder]:
        """All of an appointment."""
        fetched = self._fetched.pop(appointment_id, None)
        return self._read(_OF_APPOINTMENT, of=appointment_id) if fetched is None else fetched

    def fetch(self, appointment_ids: Collection[int]) -> None:
        """Read those of these appointments now, in one query. The locks of the appointments must be held."""
        self._told = {appointment_id: set() for appointment_id in appointment_ids}
        self._fetched = {appointment_id: [] for appointment_id in appointment_ids}
        for reminder in self._read(_OF_APPOINTMENTS, appointment_ids=list(appointment_ids)):
            self._fetched[reminder.appointment_id].append(reminder)
            if reminder.text_id is not None:
                self._told[reminder.appointment_id].add(reminder.slot_number)

    def surely_not_told(self, appointment_id: int, slot_number: int) -> bool:
        """Whether it is known already that no reminder of this slot has a text."""
        told = self._told.get(appointment_id)
        return told is not None and slot_number not in told

    def add(self, reminders: Sequence[Reminder]) -> None:
        """Those that are new; written when the unit flushes."""
        for reminder in reminders:
            self._held.append(self._write(reminder))
            self._forget(reminder)
            self._work.hold()

    def update(self, reminders: Sequence[Reminder]) -> None:
        """What may change."""
        for reminder in reminders:
            self._forget(reminder)
        if reminders:
            self._work.run(
                _UPDATE,
                [
                    {
                        "reminder_id": reminder.id,
                        "new_practice": reminder.practice,
                        "new_state": reminder.state,
                        "new_reason": reminder.reason,
                        "new_due_at": reminder.due_at,
                        "new_not_after": reminder.not_after,
                        "new_text_id": reminder.text_id,
                        "new_decided_at": reminder.decided_at,
                        "new_after_text_id": reminder.after_text_id,
                    }
                    for reminder in reminders
                ],
            )

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """By appointment: there is no index by patient."""
        self._fetched.clear()
        if appointment_ids:
            wanted = {
                "appointment_ids": list(appointment_ids),
                "gone_id": gone_id,
                "survivor_id": survivor_id,
            }
            self._work.run(_HAND_OVER, wanted)

    def claim_number(self, now: datetime) -> str | None:
        """The number whose turn it is."""
        return next(iter(self.claim_numbers(now, 1)), None)

    def claim_numbers(self, now: datetime, limit: int) -> Sequence[str]:
        """Up to `limit` numbers whose turn it is, each once, locked."""
        while True:
            rows = self._work.rows(_CLAIM, {"now": now, "at_most": limit})
            if not rows:
                return []
            claimed = {bytes(row.number_hash): row.sealed_number for row in rows}
            # Only a query begun under the locks sees what their former holders have done.
            due = {
                bytes(row.number_hash)
                for row in self._work.rows(_STILL_DUE, {"now": now, "hashes": list(claimed)})
            }
            if due:
                return [
                    self._work.unsealed_number(number_hash, sealed)
                    for number_hash, sealed in claimed.items()
                    if number_hash in due
                ]

    def open_of_number(self, number: str) -> Sequence[Reminder]:
        """By due time."""
        return self._read(_OPEN_OF_NUMBER, of=self._work.hash_of(number))

    def of_text(self, text_id: int) -> Sequence[Reminder]:
        """Of one text."""
        return self._read(_OF_TEXT, of=text_id)

    def get(self, reminder_id: int) -> Reminder:
        """By its id."""
        for reminder in self._read(_BY_ID, of=reminder_id):
            return reminder
        raise KeyError(reminder_id)

    def next_due(self) -> datetime | None:
        """The earliest."""
        due: datetime | None = self._work.run(_NEXT_DUE).scalar_one()
        return due

    def count_planned(self, practice: str, step: str, since: datetime) -> int:
        """By due time, which is never before they were planned."""
        wanted = {"of_practice": practice, "of_step": step, "since": since}
        return int(self._work.run(_COUNT_PLANNED, wanted).scalar_one())

    def awaiting(self, due_by: datetime) -> Sequence[Reminder]:
        """By due time."""
        return self._read(_AWAITING, due_by=due_by)

    def states_of_practice(self, practice: str, since: datetime) -> Sequence[Reminder]:
        """By due time."""
        return self._read(_STATES, of_practice=practice, since=since)

    def _forget(self, reminder: Reminder) -> None:
        """What was fetched is no longer all there is to know."""
        self._fetched.pop(reminder.appointment_id, None)
        if reminder.text_id is not None:
            self._told.pop(reminder.appointment_id, None)

    def _write_held(self) -> None:
        self._work.insert(reminders, self._held, unless_there=True)

    def _write(self, reminder: Reminder) -> dict[str, Any]:
        return {
            "appointment_id": reminder.appointment_id,
            "patient_id": reminder.patient_id,
            "number_hash": self._work.keep_number(reminder.number),
            "practice": reminder.practice,
            "step": reminder.step,
            "slot_number": reminder.slot_number,
            "due_at": reminder.due_at,
            "not_after": reminder.not_after,
            "state": reminder.state,
            "reason": reminder.reason,
            "text_id": reminder.text_id,
            "inbox_id": reminder.inbox_id,
            "decided_at": reminder.decided_at,
            "after_text_id": reminder.after_text_id,
        }

    def _read(self, statement: sa.Executable, **parameters: Any) -> list[Reminder]:
        return [
            Reminder(
                id=row.id,
                appointment_id=row.appointment_id,
                patient_id=row.patient_id,
                number=self._work.number(bytes(row.number_hash)),
                practice=row.practice,
                step=row.step,
                slot_number=row.slot_number,
                due_at=row.due_at,
                not_after=row.not_after,
                state=row.state,
                reason=row.reason,
                text_id=row.text_id,
                inbox_id=row.inbox_id,
                decided_at=row.decided_at,
                after_text_id=row.after_text_id,
            )
            for row in self._work.rows(statement, parameters)
        ]
