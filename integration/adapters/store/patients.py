"""Patients and their recorded consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.identifiers import Identifiers, one_of_them, united
from integration.adapters.store.tables.columns import as_stored
from integration.adapters.store.tables.people import consents, patient_identifiers, patients
from integration.domain.recipient import Patient
from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work


@cache
def _find(count: int) -> sa.Select[Any]:
    """By so many hashes of identifiers."""
    return (
        sa.select(patients, patient_identifiers.c.identifier_hash)
        .join_from(patient_identifiers, patients)
        .where(one_of_them(patient_identifiers, count))
    )


_GET = sa.select(patients).where(patients.c.id == sa.bindparam("patient_id"))
_HOLD_STILL = sa.select(patients.c.id).where(patients.c.id == sa.bindparam("patient_id")).with_for_update()
_WITH_NUMBER = (
    sa.select(patients)
    .where(
        sa.or_(
            patients.c.number_hash == sa.bindparam("hash"),
            patients.c.guardian_number_hash == sa.bindparam("hash"),
        )
    )
    .order_by(patients.c.id)
)
_ALL = sa.select(patients).where(patients.c.id.in_(sa.bindparam("patient_ids", expanding=True)))
_UPDATE = (
    patients.update()
    .where(patients.c.id == sa.bindparam("patient_id"), patients.c.revision == sa.bindparam("read"))
    .values(revision=patients.c.revision + 1)
)
_LINK = (
    patients.update()
    .where(patients.c.id == sa.bindparam("patient_id"))
    .values(sealed_ehr_id=sa.bindparam("sealed"), revision=patients.c.revision + 1)
)
_HEARD = (
    patients.update()
    .where(
        patients.c.id == sa.bindparam("heard_of"),
        sa.or_(
            patients.c.event_time.is_(None),
            patients.c.event_time < sa.bindparam("at", type_=patients.c.event_time.type),
        ),
    )
    .values(event_time=sa.bindparam("at", type_=patients.c.event_time.type))
)
_LEAD_ELSEWHERE = (
    patient_identifiers.update()
    .where(
        patient_identifiers.c.scope == sa.bindparam("of_scope"),
        patient_identifiers.c.identifier_hash.in_(sa.bindparam("hashes", expanding=True)),
        patient_identifiers.c.patient_id == sa.bindparam("gone_id"),
    )
    .values(patient_id=sa.bindparam("survivor_id"))
)
_FOLLOW = (
    patients.update()
    .where(patients.c.merged_into == sa.bindparam("gone_id"))
    .values(merged_into=sa.bindparam("survivor_id"))
)
_CONSENT = (
    sa.select(consents.c.given)
    .where(consents.c.patient_id == sa.bindparam("of_patient"))
    .order_by(consents.c.recorded_at.desc(), consents.c.id.desc())
    .limit(1)
)
_RECORD_CONSENT = consents.insert()


class SqlPatientRows:
    """See `integration.ports.store.PatientRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._identifiers = Identifiers(work, patient_identifiers, "patient_id", _find)
        self._known: dict[int, Patient] = {}  # written by this unit, or fetched in advance
        self._read_before: dict[int, tuple[int, tuple[str, ...]]] = {}  # revision and identifiers, as stored
        self._held: dict[int, dict[str, Any]] = {}
        self._held_times: dict[int, datetime] = {}
        work.add_writer(self._write_held)

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """Not locked; `save` notices who was faster."""
        self._identifiers.expect(scope, identifiers)

    def find(self, scope: str, identifiers: Collection[str]) -> Patient | None:
        """By the first known identifier."""
        found = self._identifiers.find(scope, identifiers)
        if found is None:
            return None
        patient_id = found if isinstance(found, int) else int(found[0].id)
        if patient_id in self._known:
            return self._known[patient_id]
        assert not isinstance(found, int)  # noqa: S101 - what is held back is known
        return self._read(found[0])

    def get(self, patient_id: int) -> Patient:
        """By our id."""
        known = self._known.get(patient_id)
        if known is not None:
            return known
        for row in self._work.early_rows(_GET, {"patient_id": patient_id}):
            return self._read(row)
        raise KeyError(patient_id)

    def fetch(self, patient_ids: Collection[int]) -> None:
        """Read these now, in one query: `get` will be asked for them."""
        for row in self._work.rows(_ALL, {"patient_ids": list(patient_ids)}):
            self._known[row.id] = self._read(row)

    def save(self, patient: Patient, *, claimed: Collection[str] = ()) -> Patient:
        """Insert, when the unit flushes, or update."""
        patient = replace(
            patient, event_time=as_stored(patient.event_time), number_at=as_stored(patient.number_at)
        )
        if patient.id == 0:
            revision, stored = 1, replace(patient, id=self._work.next_id(patients))
            self._held[stored.id] = {"id": stored.id, **self._write(stored)}
            self._identifiers.hold(stored.scope, stored.identifiers, stored.id, is_new=True, claimed=claimed)
        else:
            if patient.id not in self._read_before:
                self.get(patient.id)
            revision, known = self._read_before[patient.id]
            stored = replace(patient, identifiers=united(patient.identifiers, known))
            added = [identifier for identifier in stored.identifiers if identifier not in known]
            self._identifiers.hold(stored.scope, added, stored.id, is_new=False, claimed=claimed)
            if stored.id in self._held:
                self._held[stored.id] = {"id": stored.id, **self._write(stored)}
            else:
                revision = self._update(stored, revision)
        self._known[stored.id] = stored
        self._read_before[stored.id] = (revision, stored.identifiers)
        return stored

    def heard(self, patient: Patient, at: datetime) -> Patient:
        """Written when the unit ends, all in one."""
        at = max(at, patient.event_time or at)
        known = replace(patient, event_time=as_stored(at))
        self._known[known.id] = known
        if known.id in self._held:
            self._held[known.id]["event_time"] = known.event_time
        else:
            self._held_times[known.id] = at
            self._work.hold()
        return known

    def link(self, patient_id: int, ehr_id: str) -> None:
        """One column."""
        sealed = self._work.seal("patients.sealed_ehr_id", ehr_id)
        self._work.run(_LINK, {"patient_id": patient_id, "sealed": sealed})
        self._known.pop(patient_id, None)
        self._read_before.pop(patient_id, None)
        self._identifiers.forget()

    def hold_still(self, patient_id: int) -> None:
        """No row can refer to it meanwhile: what is written of it is seen from here on, or waits."""
        self._work.run(_HOLD_STILL, {"patient_id": patient_id})

    def survivor(self, patient_id: int) -> Patient:
        """Along the merges."""
        patient = self.get(patient_id)
        while patient.merged_into is not None:
            patient = self.get(patient.merged_into)
        return patient

    def merge(self, gone_id: int, survivor_id: int) -> None:
        """The identifiers, and the mark."""
        gone = self.get(gone_id)
        hashes = [self._work.keys.hash(f"identifier\0{gone.scope}", each) for each in gone.identifiers]
        self._work.run(
            _LEAD_ELSEWHERE,
            {"of_scope": gone.scope, "hashes": hashes, "gone_id": gone_id, "survivor_id": survivor_id},
        )
        self._work.run(_FOLLOW, {"gone_id": gone_id, "survivor_id": survivor_id})
        self._identifiers.forget()
        self.save(replace(gone, number=None, guardian_number=None, merged_into=survivor_id))

    def with_number(self, number: str) -> Sequence[Patient]:
        """Oldest first."""
        return [
            self._read(row) for row in self._work.rows(_WITH_NUMBER, {"hash": self._work.hash_of(number)})
        ]

    def consent(self, patient_id: int) -> bool | None:
        """The newest record."""
        row = self._work.row(_CONSENT, {"of_patient": patient_id})
        return None if row is None else row.given

    def record_consent(self, patient_id: int, *, given: bool, source: str, at: datetime) -> None:
        """One more record."""
        self._work.run(
            _RECORD_CONSENT, {"patient_id": patient_id, "given": given, "source": source, "recorded_at": at}
        )

    def _update(self, patient: Patient, revision: int) -> int:
        """Write over what this unit has read, and nothing newer; the new revision."""
        values = {**self._write(patient), "patient_id": patient.id, "read": revision}
        if self._work.run(_UPDATE, values).rowcount == 0:
            raise Overtaken("another unit wrote this patient meanwhile; run this one again")
        return revision + 1

    def _write_held(self) -> None:
        self._work.insert(patients, list(self._held.values()))
        self._held.clear()
        # By id: of two units that write the same ones, one waits for the other, never in a circle.
        times = [{"heard_of": each, "at": at} for each, at in sorted(self._held_times.items())]
        self._work.write(_HEARD, times)
        self._held_times.clear()
        self._identifiers.write()

    def _write(self, patient: Patient) -> dict[str, Any]:
        work = self._work
        return {
            "scope": patient.scope,
            "sealed_identifiers": work.seal_json("patients.sealed_identifiers", patient.identifiers),
            "sealed_given": work.keys.seal("patients.sealed_given", patient.given),
            "sealed_family": work.keys.seal("patients.sealed_family", patient.family),
            "number_hash": None if patient.number is None else work.keep_number(patient.number),
            "sealed_birth_date": work.seal(
                "patients.sealed_birth_date",
                None if patient.birth_date is None else patient.birth_date.isoformat(),
            ),
            "language": patient.language,
            "deceased": patient.deceased,
            "suppressed": patient.suppressed,
            "event_time": patient.event_time,
            "sealed_resource": work.seal_json("patients.sealed_resource", patient.resource),
            "sealed_ehr_id": work.seal("patients.sealed_ehr_id", patient.ehr_id),
            "guardian_number_hash": None
            if patient.guardian_number is None
            else work.keep_number(patient.guardian_number),
            "guardian_language": patient.guardian_language,
            "silenced_by": " ".join(patient.silenced_by) or None,
            "removed": patient.removed,
            "sealed_gone": work.seal_json("patients.sealed_gone", patient.gone) if patient.gone else None,
            "merged_into": patient.merged_into,
            "number_at": patient.number_at,
        }

    def _read(self, row: sa.Row[Any]) -> Patient:
        work = self._work
        born = work.read("patients.sealed_birth_date", row.sealed_birth_date)
        patient = Patient(
            id=row.id,
            scope=row.scope,
            identifiers=tuple(work.read_json("patients.sealed_identifiers", row.sealed_identifiers)),
            given=work.keys.read("patients.sealed_given", row.sealed_given),
            family=work.keys.read("patients.sealed_family", row.sealed_family),
            number=None if row.number_hash is None else work.number(bytes(row.number_hash)),
            birth_date=None if born is None else date.fromisoformat(born),
            language=row.language,
            deceased=row.deceased,
            suppressed=row.suppressed,
            event_time=row.event_time,
            resource=work.read_json("patients.sealed_resource", row.sealed_resource),
            ehr_id=work.read("patients.sealed_ehr_id", row.sealed_ehr_id),
            guardian_number=None
            if row.guardian_number_hash is None
            else work.number(bytes(row.guardian_number_hash)),
            guardian_language=row.guardian_language,
            silenced_by=tuple((row.silenced_by or "").split()),
            removed=row.removed,
            gone=()
            if row.sealed_gone is None
            else tuple(work.read_json("patients.sealed_gone", row.sealed_gone)),
            merged_into=row.merged_into,
            number_at=row.number_at,
        )
        self._read_before[patient.id] = (row.revision, patient.identifiers)
        return patient
