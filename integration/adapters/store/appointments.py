"""Appointments and whose they are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.identifiers import Identifiers, one_of_them, united
from integration.adapters.store.tables.columns import as_stored
from integration.adapters.store.tables.visits import (
    appointment_identifiers,
    appointment_parents,
    appointment_patients,
    appointments,
)
from integration.adapters.store.visit_past import as_remembered, past_from_json, past_to_json
from integration.domain.appointment import Appointment, Slot
from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.settings.differences import Scope

_PATIENT = appointment_patients.c.patient_id


@cache
def _find(count: int) -> sa.Select[Any]:
    """By so many hashes of identifiers; locked."""
    return (
        sa.select(appointments, _PATIENT, appointment_identifiers.c.identifier_hash)
        .join_from(appointment_identifiers, appointments)
        .outerjoin(appointment_patients, appointment_patients.c.appointment_id == appointments.c.id)
        .where(one_of_them(appointment_identifiers, count))
        .order_by(appointments.c.id, appointment_patients.c.position)
        .with_for_update(of=appointments, key_share=True)
    )


_GET = (
    sa.select(appointments, _PATIENT)
    .outerjoin(appointment_patients, appointment_patients.c.appointment_id == appointments.c.id)
    .where(appointments.c.id == sa.bindparam("wanted"))
    .order_by(appointment_patients.c.position)
)
_ALL = (
    sa.select(appointments, _PATIENT)
    .outerjoin(appointment_patients, appointment_patients.c.appointment_id == appointments.c.id)
    .where(appointments.c.id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .order_by(appointments.c.id, appointment_patients.c.position)
)
_OF_PATIENT = (
    sa.select(appointment_patients.c.appointment_id)
    .where(appointment_patients.c.patient_id == sa.bindparam("of_patient"))
    .order_by(appointment_patients.c.appointment_id)
)
_TO_COME = (
    sa.select(appointments.c.id)
    .join_from(appointment_patients, appointments)
    .where(
        appointment_patients.c.patient_id == sa.bindparam("of_patient"),
        appointments.c.start_at > sa.bindparam("after", type_=appointments.c.start_at.type),
    )
    .order_by(appointments.c.id)
)
_TOUCHED = (
    sa.select(appointments.c.id)
    .where(
        appointments.c.id > sa.bindparam("after_id"),
        appointments.c.id <= sa.bindparam("up_to"),
        sa.or_(
            appointments.c.start_at.is_(None),
            appointments.c.start_at >= sa.bindparam("since", type_=appointments.c.start_at.type),
        ),
        sa.or_(
            appointments.c.feed.in_(sa.bindparam("feeds", expanding=True)),
            appointments.c.practice.in_(sa.bindparam("practices", expanding=True)),
        ),
    )
    .order_by(appointments.c.id)
    .limit(sa.bindparam("at_most"))
)
_NEWEST = sa.select(sa.func.max(appointments.c.id))
_LOCK = (
    sa.select(appointments.c.id)
    .where(appointments.c.id.in_(sa.bindparam("appointment_ids", expanding=True)))
    .order_by(appointments.c.id)
    .with_for_update(key_share=True)
)
# Rows are looked at along the key, so many at once: none is skipped, and none takes long.
LOOKED_AT = 1000
TOUCHED_IN_A_BITE = 10
_UPDATE = (
    appointments.update()
    .where(appointments.c.id == sa.bindparam("wanted"), appointments.c.revision == sa.bindparam("read"))
    .values(revision=appointments.c.revision + 1)
)
_PARTS = (
    sa.select(appointment_parents.c.appointment_id)
    .where(
        appointment_parents.c.scope == sa.bindparam("of_scope"),
        appointment_parents.c.identifier_hash.in_(sa.bindparam("hashes", expanding=True)),
    )
    .distinct()
    .order_by(appointment_parents.c.appointment_id)
)
_REMOVE_PATIENTS = appointment_patients.delete().where(
    appointment_patients.c.appointment_id == sa.bindparam("wanted")
)


class SqlAppointmentRows:
    """See `integration.ports.store.AppointmentRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._identifiers = Identifiers(work, appointment_identifiers, "appointment_id", _find)
        self._known: dict[int, Appointment] = {}  # written by this unit, or fetched under its lock
        self._read_before: dict[int, tuple[int, Appointment]] = {}  # with its revision, as stored
        self._held: dict[int, dict[str, Any]] = {}
        self._held_patients: list[dict[str, Any]] = []
        self._held_parents: list[dict[str, Any]] = []
        work.add_writer(self._write_held)

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """Locked."""
        self._identifiers.expect(scope, identifiers)

    def find(self, scope: str, identifiers: Collection[str]) -> Appointment | None:
        """By the first known identifier; locked."""
        found = self._identifiers.find(scope, identifiers)
        if found is None:
            return None
        appointment_id = found if isinstance(found, int) else int(found[0].id)
        if appointment_id in self._known:
            return self._known[appointment_id]
        assert not isinstance(found, int)  # noqa: S101 - what is held back is known
        return self._read(found)

    def parts_of(self, scope: str, parents: Collection[str]) -> Sequence[int]:
        """By the hashes of the parent's keys."""
        hashes = [self._hash(scope, parent) for parent in parents]
        return [row.appointment_id for row in self._work.rows(_PARTS, {"of_scope": scope, "hashes": hashes})]

    def get(self, appointment_id: int) -> Appointment:
        """By our id."""
        known = self._known.get(appointment_id)
        if known is not None:
            return known
        rows = self._work.early_rows(_GET, {"wanted": appointment_id})
        if not rows:
            raise KeyError(appointment_id)
        return self._read(rows)

    def of_patient(self, patient_id: int) -> Sequence[int]:
        """Not locked."""
        return [row.appointment_id for row in self._work.rows(_OF_PATIENT, {"of_patient": patient_id})]

    def to_come(self, patient_id: int, after: datetime) -> Sequence[int]:
        """Not locked."""
        return [row.id for row in self._work.rows(_TO_COME, {"of_patient": patient_id, "after": after})]

    def touched(
        self, scope: Scope, *, after_id: int, since: datetime, limit: int
    ) -> tuple[Sequence[int], int | None]:
        """Along the key, in windows."""
        newest = self._work.run(_NEWEST).scalar_one() or 0
        at_most = self._work.bite(limit, TOUCHED_IN_A_BITE)
        found: list[int] = []
        if after_id < newest:
            wanted = {"after_id": after_id, "up_to": after_id + LOOKED_AT, "since": since}
            wanted |= {"feeds": list(scope.feeds), "practices": list(scope.practices), "at_most": at_most}
            found = [row.id for row in self._work.rows(_TOUCHED, wanted)]
        if len(found) == at_most:
            return found, found[-1]
        return found, after_id + LOOKED_AT if after_id + LOOKED_AT < newest else None

    def lock(self, appointment_ids: Collection[int]) -> Sequence[Appointment]:
        """In order of id, as every unit locks them."""
        if not appointment_ids:
            return []
        self._work.run(_LOCK, {"appointment_ids": list(appointment_ids)})
        # Only a query begun under the locks sees what their former holders have done.
        return list(self.fetch(appointment_ids))

    def fetch(self, appointment_ids: Collection[int]) -> Collection[Appointment]:
        """Read these now, in one query: `get` will be asked for them. Their locks must be held."""
        rows = self._work.rows(_ALL, {"appointment_ids": list(appointment_ids)})
        fetched = [self._read(list(some)) for _, some in groupby(rows, key=lambda row: row.id)]
        self._known.update({each.id: each for each in fetched})
        return fetched

    def save(self, appointment: Appointment) -> Appointment:
        """Insert, when the unit flushes, or update."""
        slot = replace(appointment.slot, start=as_stored(appointment.slot.start))
        appointment = replace(
            appointment, slot=slot, event_time=as_stored(appointment.event_time), **as_remembered(appointment)
        )
        if appointment.id == 0:
            revision, stored = 1, replace(appointment, id=self._work.next_id(appointments))
            self._held[stored.id] = {"id": stored.id, **self._write(stored)}
            self._identifiers.hold(stored.scope, stored.identifiers, stored.id, is_new=True)
            self._hold_patients(stored)
            self._hold_parents(stored, stored.parents)
        else:
            if appointment.id not in self._read_before:
                self.get(appointment.id)
            revision, before = self._read_before[appointment.id]
            stored = replace(appointment, identifiers=united(appointment.identifiers, before.identifiers))
            added = [identifier for identifier in stored.identifiers if identifier not in before.identifiers]
            self._identifiers.hold(stored.scope, added, stored.id, is_new=False)
            revision = self._update(stored, revision)
            if stored.patients != before.patients:
                self._work.run(_REMOVE_PATIENTS, {"wanted": stored.id})
                self._hold_patients(stored)
            self._hold_parents(stored, [key for key in stored.parents if key not in before.parents])
        self._known[stored.id] = stored
        self._read_before[stored.id] = (revision, stored)
        return stored

    def _update(self, appointment: Appointment, revision: int) -> int:
        """Write over what this unit has read, and nothing newer; the new revision."""
        values = {**self._write(appointment), "wanted": appointment.id, "read": revision}
        if self._work.run(_UPDATE, values).rowcount == 0:
            raise Overtaken("another unit wrote this appointment meanwhile; run this one again")
        return revision + 1

    def _hold_patients(self, appointment: Appointment) -> None:
        self._held_patients += [
            {"appointment_id": appointment.id, "position": position, "patient_id": patient_id}
            for position, patient_id in enumerate(appointment.patients)
        ]
        self._work.hold()

    def _hold_parents(self, appointment: Appointment, parents: Collection[str]) -> None:
        for parent in parents:
            hashed = self._hash(appointment.scope, parent)
            self._held_parents.append(
                {"scope": appointment.scope, "identifier_hash": hashed, "appointment_id": appointment.id}
            )
            self._work.hold()

    def _hash(self, scope: str, key: str) -> bytes:
        return self._work.keys.hash(f"identifier\0{scope}", key)

    def _write_held(self) -> None:
        self._work.insert(appointments, list(self._held.values()))
        self._held.clear()
        self._work.insert(appointment_patients, self._held_patients)
        self._work.insert(appointment_parents, self._held_parents, unless_there=True)
        self._identifiers.write()

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
            "confirmed_by": appointment.confirmed_by or None,
            "event_time": appointment.event_time,
            "held_by": appointment.held_by,
            "sealed_resource": work.seal_json("appointments.sealed_resource", appointment.resource),
            "sealed_ehr_id": work.seal("appointments.sealed_ehr_id", appointment.ehr_id),
            "slot_from": appointment.slot_from,
            "sealed_parents": self._seal("appointments.sealed_parents", appointment.parents),
            "sealed_past": self._seal("appointments.sealed_past", past_to_json(appointment)),
        }

    def _seal(self, column: str, value: Any) -> bytes | None:
        """Most have none."""
        return self._work.seal_json(column, value) if value else None

    def _unseal(self, column: str, sealed: bytes | None) -> Any:
        return None if sealed is None else self._work.read_json(column, sealed)

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
            confirmed_by=row.confirmed_by or (),
            event_time=row.event_time,
            held_by=row.held_by,
            resource=work.read_json("appointments.sealed_resource", row.sealed_resource),
            ehr_id=work.read("appointments.sealed_ehr_id", row.sealed_ehr_id),
            slot_from=row.slot_from,
            parents=tuple(self._unseal("appointments.sealed_parents", row.sealed_parents) or ()),
            **past_from_json(self._unseal("appointments.sealed_past", row.sealed_past)),
        )
        self._read_before[appointment.id] = (row.revision, appointment)
        return appointment
