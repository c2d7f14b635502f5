"""The fake store's inbox, patients, appointments, changes and reminders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.consent import ConsentRecord
from integration.domain.reminder import OPEN
from integration.ports.store import ReasonCount
from integration.testing.store_tables import as_stored, must_be_there, own

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.ports.store import Change, InboxFilter, InboxState, KeptMessage
    from integration.settings.differences import Scope
    from integration.testing.store_tables import Tables


class FakeInboxRows:
    """See `integration.ports.store.InboxRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def claim(self, limit: int) -> Sequence[KeptMessage]:
        """Of the channel whose message waits longest."""
        new = self.listing("new", limit=len(self._tables.inbox))
        return [message for message in new if message.channel == new[0].channel][:limit]

    def done(self, message_id: int, reason: str | None = None) -> None:
        """Applied."""
        self._settle(message_id, "done", reason)

    def dead(self, message_id: int, reason: str) -> None:
        """Not applied."""
        self._settle(message_id, "dead", reason)

    def replay(self, message_ids: Collection[int]) -> int:
        """New again."""
        known = [self._tables.inbox[each] for each in message_ids if each in self._tables.inbox]
        again = [message for message in known if message.state != "new"]
        for message in again:
            self._tables.inbox[message.id] = replace(message, state="new", reason=None, replayed=True)
        return len(again)

    def add(self, message: KeptMessage, digest: bytes) -> bool:
        """Once."""
        if (message.channel, digest) in self._tables.digests:
            return False
        stored = as_stored(replace(message, id=self._tables.next_id("inbox")))
        self._tables.inbox[stored.id] = stored
        self._tables.digests[stored.channel, digest] = stored.id
        return True

    def waiting(self, channels: Collection[str], limit: int) -> Sequence[KeptMessage]:
        """Not claimed."""
        new = self.listing("new", limit=len(self._tables.inbox))
        return [message for message in new if message.channel in channels][:limit]

    def same_control_id(self, message: KeptMessage) -> bool:
        """An earlier one."""
        wanted = (message.channel, message.control_id)
        return any(
            (each.channel, each.control_id) == wanted and each.id < message.id
            for each in self._tables.inbox.values()
        )

    def get(self, message_id: int) -> KeptMessage | None:
        """One message."""
        return self._tables.inbox.get(message_id)

    def listing(
        self, state: InboxState | None = None, *, after_id: int = 0, limit: int = 100
    ) -> Sequence[KeptMessage]:
        """In order of arrival."""
        found = [message for message in self._tables.inbox.values() if state in {None, message.state}]
        return [message for message in found if message.id > after_id][:limit]

    def ids(self, wanted: InboxFilter, newest: int | None = None) -> Sequence[int]:
        """Without what they say."""
        found = [message.id for message in self._meant(wanted)]
        return found if newest is None else found[max(0, len(found) - newest) :]

    def reasons(self, wanted: InboxFilter) -> Sequence[ReasonCount]:
        """Counted one by one."""
        groups: dict[tuple[str, InboxState, str], list[int]] = {}
        for message in self._meant(wanted):
            if message.reason is not None:
                groups.setdefault((message.channel, message.state, message.reason), []).append(message.id)
        found = [ReasonCount(*group, len(ids), ids[0], ids[-1]) for group, ids in groups.items()]
        return sorted(found, key=lambda each: (-each.count, each.first_id))

    def _meant(self, wanted: InboxFilter) -> list[KeptMessage]:
        def means(message: KeptMessage) -> bool:
            listed = f", {message.reason or ''},"
            said = wanted.reason
            return (
                wanted.state in {None, message.state}
                and wanted.channel in {None, message.channel}
                and (said is None or f", {said}," in listed or f", {said} " in listed)
                and (wanted.since is None or message.received_at >= wanted.since)
                and (wanted.until is None or message.received_at < wanted.until)
            )

        return [message for message in self._tables.inbox.values() if means(message)]

    def count(self, state: InboxState) -> int:
        """How many."""
        return sum(message.state == state for message in self._tables.inbox.values())

    def _settle(self, message_id: int, state: InboxState, reason: str | None) -> None:
        self._tables.inbox[message_id] = replace(self._tables.inbox[message_id], state=state, reason=reason)


class FakePatientRows:
    """See `integration.ports.store.PatientRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """They are at hand."""

    def find(self, scope: str, identifiers: Collection[str]) -> Patient | None:
        """By the first known identifier."""
        for identifier in identifiers:
            owner = self._tables.patient_owners.get((scope, identifier))
            if owner is not None:
                return self._tables.patients[owner]
        return None

    def get(self, patient_id: int) -> Patient:
        """By id."""
        return self._tables.patients[patient_id]

    def save(self, patient: Patient, *, claimed: Collection[str] = ()) -> Patient:  # noqa: ARG002 - one unit at a time
        """Insert or update."""
        is_new = patient.id == 0
        known = () if is_new else self.get(patient.id).identifiers
        stored = as_stored(
            replace(
                patient,
                id=self._tables.next_id("patients") if is_new else patient.id,
                identifiers=tuple(dict.fromkeys((*patient.identifiers, *known))),
            )
        )
        own(self._tables.patient_owners, stored.scope, stored.identifiers, stored.id, is_new=is_new)
        self._tables.patients[stored.id] = stored
        return stored

    def heard(self, patient: Patient, at: datetime) -> Patient:
        """The event time alone."""
        known = self.get(patient.id)
        at = max(at, known.event_time or at)
        self._tables.patients[patient.id] = as_stored(replace(known, event_time=at))
        return self.get(patient.id)

    def link(self, patient_id: int, ehr_id: str) -> None:
        """The chart alone."""
        self._tables.patients[patient_id] = replace(self.get(patient_id), ehr_id=ehr_id)

    def hold_still(self, patient_id: int) -> None:
        """A unit of the fake holds every lock there is."""

    def survivor(self, patient_id: int) -> Patient:
        """Along the merges."""
        patient = self.get(patient_id)
        while patient.merged_into is not None:
            patient = self.get(patient.merged_into)
        return patient

    def merge(self, gone_id: int, survivor_id: int) -> None:
        """The identifiers, and the mark."""
        must_be_there(self._tables.patients, survivor_id)
        owners = self._tables.patient_owners
        owners |= {key: survivor_id for key, owner in owners.items() if owner == gone_id}
        for each in list(self._tables.patients.values()):
            if each.merged_into == gone_id:
                self._tables.patients[each.id] = replace(each, merged_into=survivor_id)
        gone = self.get(gone_id)
        self.save(replace(gone, number=None, guardian_number=None, merged_into=survivor_id))

    def with_number(self, number: str) -> Sequence[Patient]:
        """Oldest first."""
        known = self._tables.patients.values()
        return [patient for patient in known if number in {patient.number, patient.guardian_number}]

    def consent(self, patient_id: int) -> bool | None:
        """The newest record."""
        theirs = [each for each in self._tables.consents.values() if each.patient_id == patient_id]
        return max(theirs, key=lambda each: (each.at, each.id)).given if theirs else None

    def record_consent(self, patient_id: int, *, given: bool, source: str, at: datetime) -> None:
        """One more record."""
        must_be_there(self._tables.patients, patient_id)
        record_id = self._tables.next_id("consents")
        self._tables.consents[record_id] = as_stored(ConsentRecord(record_id, patient_id, given, at, source))


class FakeAppointmentRows:
    """See `integration.ports.store.AppointmentRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """They are at hand."""

    def find(self, scope: str, identifiers: Collection[str]) -> Appointment | None:
        """By the first known identifier."""
        for identifier in identifiers:
            owner = self._tables.appointment_owners.get((scope, identifier))
            if owner is not None:
                return self._tables.appointments[owner]
        return None

    def get(self, appointment_id: int) -> Appointment:
        """By id."""
        return self._tables.appointments[appointment_id]

    def of_patient(self, patient_id: int) -> Sequence[int]:
        """Whenever they are."""
        return [each.id for each in self._tables.appointments.values() if patient_id in each.patients]

    def parts_of(self, scope: str, parents: Collection[str]) -> Sequence[int]:
        """Oldest first."""
        return [
            each.id
            for each in self._tables.appointments.values()
            if each.scope == scope and not set(parents).isdisjoint(each.parents)
        ]

    def to_come(self, patient_id: int, after: datetime) -> Sequence[int]:
        """Whatever their status."""
        return [
            each.id
            for each in self._tables.appointments.values()
            if patient_id in each.patients and each.slot.start is not None and each.slot.start > after
        ]

    def touched(
        self, scope: Scope, *, after_id: int, since: datetime, limit: int
    ) -> tuple[Sequence[int], int | None]:
        """In order."""
        found = [
            each.id
            for each in self._tables.appointments.values()
            if each.id > after_id
            and (each.slot.start is None or each.slot.start >= since)
            and (each.feed in scope.feeds or each.practice in scope.practices)
        ]
        return found[:limit], found[limit - 1] if len(found) >= limit else None

    def lock(self, appointment_ids: Collection[int]) -> Sequence[Appointment]:
        """A unit is alone."""
        return [self.get(each) for each in sorted(appointment_ids)]

    def save(self, appointment: Appointment) -> Appointment:
        """Insert or update."""
        must_be_there(self._tables.patients, *appointment.patients)
        is_new = appointment.id == 0
        known = () if is_new else self.get(appointment.id).identifiers
        stored = as_stored(
            replace(
                appointment,
                id=self._tables.next_id("appointments") if is_new else appointment.id,
                identifiers=tuple(dict.fromkeys((*appointment.identifiers, *known))),
            )
        )
        own(self._tables.appointment_owners, stored.scope, stored.identifiers, stored.id, is_new=is_new)
        self._tables.appointments[stored.id] = stored
        return stored


class FakeChangeRows:
    """See `integration.ports.store.ChangeRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, change: Change) -> None:
        """In order."""
        must_be_there(self._tables.appointments, change.appointment_id)
        stored = as_stored(replace(change, id=self._tables.next_id("changes")))
        self._tables.changes[stored.id] = stored

    def claim(self, limit: int) -> Sequence[Change]:
        """All of each appointment."""
        waiting = list(self._tables.changes.values())
        claimed = {change.appointment_id for change in waiting[:limit]}
        return [change for change in waiting if change.appointment_id in claimed]

    def done(self, change_ids: Collection[int]) -> None:
        """Planned."""
        for change_id in change_ids:
            self._tables.changes.pop(change_id, None)

    def backlog(self, at_most: int) -> int:
        """Not planned."""
        return min(at_most, len(self._tables.changes))

    def waits(self, appointment_ids: Collection[int]) -> bool:
        """Whether one is not planned."""
        return any(change.appointment_id in appointment_ids for change in self._tables.changes.values())


class FakeReminderRows:
    """See `integration.ports.store.ReminderRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of_appointment(self, appointment_id: int) -> Sequence[Reminder]:
        """Oldest first."""
        return [each for each in self._all() if each.appointment_id == appointment_id]

    def add(self, reminders: Sequence[Reminder]) -> None:
        """Those that are new."""
        known = {reminder.key for reminder in self._all()}
        for reminder in reminders:
            must_be_there(self._tables.appointments, reminder.appointment_id)
            must_be_there(self._tables.patients, reminder.patient_id)
            if reminder.key not in known:
                known.add(reminder.key)
                stored = as_stored(replace(reminder, id=self._tables.next_id("reminders")))
                self._tables.reminders[stored.id] = stored

    def update(self, reminders: Sequence[Reminder]) -> None:
        """What may change."""
        for reminder in reminders:
            must_be_there(self._tables.texts, reminder.text_id)
            self._tables.reminders[reminder.id] = as_stored(
                replace(
                    self._tables.reminders[reminder.id],
                    practice=reminder.practice,
                    state=reminder.state,
                    reason=reminder.reason,
                    due_at=reminder.due_at,
                    not_after=reminder.not_after,
                    text_id=reminder.text_id,
                    decided_at=reminder.decided_at,
                    after_text_id=reminder.after_text_id,
                )
            )

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """Unless the other has the same."""
        known = {reminder.key for reminder in self._all()}
        for reminder in self._all():
            theirs = replace(reminder, patient_id=survivor_id)
            is_meant = reminder.appointment_id in appointment_ids and reminder.patient_id == gone_id
            if is_meant and theirs.key not in known:
                self._tables.reminders[reminder.id] = theirs

    def claim_number(self, now: datetime) -> str | None:
        """The number whose turn it is."""
        return next(iter(self.claim_numbers(now, 1)), None)

    def claim_numbers(self, now: datetime, limit: int) -> Sequence[str]:
        """The numbers whose turn it is."""
        due = [reminder for reminder in self._awaiting_a_text() if reminder.due_at <= now]
        return list(dict.fromkeys(reminder.number for reminder in due))[:limit]

    def open_of_number(self, number: str) -> Sequence[Reminder]:
        """By due time."""
        return [each for each in self._by_due_time() if each.number == number and each.state in OPEN]

    def of_text(self, text_id: int) -> Sequence[Reminder]:
        """Of one text."""
        return [each for each in self._all() if each.text_id == text_id]

    def get(self, reminder_id: int) -> Reminder:
        """By its id."""
        return self._tables.reminders[reminder_id]

    def awaiting(self, due_by: datetime) -> Sequence[Reminder]:
        """By due time."""
        return [reminder for reminder in self._awaiting_a_text() if reminder.due_at <= due_by]

    def next_due(self) -> datetime | None:
        """The earliest."""
        return next((reminder.due_at for reminder in self._awaiting_a_text()), None)

    def count_planned(self, practice: str, step: str, since: datetime) -> int:
        """By due time."""
        wanted = (practice, step)
        return sum((each.practice, each.step) == wanted and each.due_at >= since for each in self._all())

    def states_of_practice(self, practice: str, since: datetime) -> Sequence[Reminder]:
        """By due time."""
        return [
            each
            for each in self._by_due_time()
            if each.practice == practice
            and (each.due_at >= since or (each.decided_at is not None and each.decided_at >= since))
        ]

    def _all(self) -> list[Reminder]:
        return list(self._tables.reminders.values())

    def _by_due_time(self) -> list[Reminder]:
        return sorted(self._all(), key=lambda reminder: reminder.due_at)

    def _awaiting_a_text(self) -> list[Reminder]:
        return [each for each in self._by_due_time() if each.state in OPEN and each.text_id is None]
