"""Appointments and whose they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.identifiers import Identifiers, hash_of, united
from integration.adapters.store.tables.visits import (
    appointment_identifiers,
    appointment_patients,
    appointments,
)
from integration.domain.appointment import Appointment, Slot

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.work import Work

_IDENTIFIERS = Identifiers(appointment_identifiers, "appointment_id")
_PATIENT = appointment_patients.c.patient_id
_FIND = (
    sa.select(appointments, _PATIENT, appointment_identifiers.c.identifier_hash)
    .join_from(appointment_identifiers, appointments)
    .outerjoin(appointment_patients, appointment_patients.c.appointment_id == appointments.c.id)
    .where(_IDENTIFIERS.one_of_them)
    .order_by(appointments.c.id, appointment_patients.c.position)
    .with_for_update(of=appointments, key_share=True)
)
_GET = (
    sa.select(appointments, _PATIENT)
    .outerjoin(appointment_patients, appointment_patients.c.appointment_id == appointments.c.id)
    .where(appointments.c.id == sa.bindparam("wanted"))
    .order_by(appointment_patients.c.position)
)
_INSERT = appointments.insert().returning(appointments.c.id)
_UPDATE = appointments.update().where(appointments.c.id == sa.bindparam("wanted"))
_ADD_PATIENTS = appointment_patients.insert()
_REMOVE_PATIENTS = appointment_patients.delete().where(
    appointment_patients.c.appointment_id == sa.bindparam("wanted")
)


class SqlAppointmentRows:
    """See `integration.ports.store.AppointmentRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._seen: dict[int, Appointment] = {}

    def find(self, scope: str, identifiers: Collection[str]) -> Appointment | None:
        """By the first known identifier; locked."""
        hashes = [hash_of(self._work, scope, identifier) for identifier in identifiers]
        rows = self._work.rows(_FIND, {"scope": scope, "hashes": hashes})
        if not rows:
            return None
        first = min(rows, key=lambda row: hashes.index(bytes(row.identifier_hash)))
        return self._read([row for row in rows if row.identifier_hash == first.identifier_hash])

    def get(self, appointment_id: int) -> Appointment:
        """By our id."""
        rows = self._work.rows(_GET, {"wanted": appointment_id})
        if not rows:
            raise KeyError(appointment_id)
        return self._read(rows)

    def save(self, appointment: Appointment) -> Appointment:
        """Insert or update."""
        if appointment.id == 0:
            row = self._work.run(_INSERT, self._write(appointment)).one()
            stored = replace(appointment, id=row.id)
            _IDENTIFIERS.add(self._work, stored.scope, stored.identifiers, stored.id, is_new=True)
            self._write_patients(stored)
        else:
            before = self._seen.get(appointment.id) or self.get(appointment.id)
            stored = replace(appointment, identifiers=united(appointment.identifiers, before.identifiers))
            self._work.run(_UPDATE, {**self._write(stored), "wanted": stored.id})
            added = [identifier for identifier in stored.identifiers if identifier not in before.identifiers]
            _IDENTIFIERS.add(self._work, stored.scope, added, stored.id, is_new=False)
            if stored.patients != before.patients:
                self._work.run(_REMOVE_PATIENTS, {"wanted": stored.id})
                self._write_patients(stored)
        self._seen[stored.id] = stored
        return stored

    def _write_patients(self, appointment: Appointment) -> None:
        if appointment.patients:
            self._work.run(
                _ADD_PATIENTS,
                [
                    {"appointment_id": appointment.id, "position": position, "patient_id": patient_id}
                    for position, patient_id in enumerate(appointment.patients)
                ],
            )

    def _write(self, appointment: Appointment) -> dict[str, Any]:
        work = self._work
        return {
            "scope": appointment.scope,
            "feed": appointment.feed,
            "sealed_identifiers": work.seal_json("appointments.sealed_identifiers", appointment.identifiers),
            "status": appointment.status,
            "start_at": appointment.slot.start,
            "place": appointment.slot.place,
            "modality": appointment.slot.modality,
            "zone": appointment.zone,
            "slot_number": appointment.slot_number,
            "practice": appointment.practice,
            "confirmed": appointment.confirmed,
            "event_time": appointment.event_time,
            "held_by": appointment.held_by,
            "sealed_resource": work.seal_json("appointments.sealed_resource", appointment.resource),
            "sealed_ehr_id": work.seal("appointments.sealed_ehr_id", appointment.ehr_id),
        }

    def _read(self, rows: Sequence[sa.Row[Any]]) -> Appointment:
        """One appointment from its rows, one for each patient."""
        work, row = self._work, rows[0]
        appointment = Appointment(
            id=row.id,
            scope=row.scope,
            feed=row.feed,
            identifiers=tuple(work.read_json("appointments.sealed_identifiers", row.sealed_identifiers)),
            patients=tuple(each.patient_id for each in rows if each.patient_id is not None),
            status=row.status,
            slot=Slot(row.start_at, row.place, row.modality),
            zone=row.zone,
            slot_number=row.slot_number,
            practice=row.practice,
            confirmed=row.confirmed,
            event_time=row.event_time,
            held_by=row.held_by,
            resource=work.read_json("appointments.sealed_resource", row.sealed_resource),
            ehr_id=work.read("appointments.sealed_ehr_id", row.sealed_ehr_id),
        )
        self._seen[appointment.id] = appointment
        return appointment
