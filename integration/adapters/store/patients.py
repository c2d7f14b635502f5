"""Patients and their recorded consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.identifiers import Identifiers, hash_of, united
from integration.adapters.store.tables.people import consents, patient_identifiers, patients
from integration.domain.recipient import Patient

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_IDENTIFIERS = Identifiers(patient_identifiers, "patient_id")
_FIND = (
    sa.select(patients, patient_identifiers.c.identifier_hash)
    .join_from(patient_identifiers, patients)
    .where(_IDENTIFIERS.one_of_them)
)
_GET = sa.select(patients).where(patients.c.id == sa.bindparam("patient_id"))
_WITH_NUMBER = (
    sa.select(patients).where(patients.c.number_hash == sa.bindparam("hash")).order_by(patients.c.id)
)
_INSERT = patients.insert().returning(patients.c.id)
_UPDATE = patients.update().where(patients.c.id == sa.bindparam("patient_id"))
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
        self._seen: dict[int, tuple[str, ...]] = {}  # identifiers as they are stored

    def find(self, scope: str, identifiers: Collection[str]) -> Patient | None:
        """By any identifier."""
        hashes = [hash_of(self._work, scope, identifier) for identifier in identifiers]
        rows = self._work.rows(_FIND, {"scope": scope, "hashes": hashes})
        if not rows:
            return None
        return self._read(min(rows, key=lambda row: hashes.index(bytes(row.identifier_hash))))

    def get(self, patient_id: int) -> Patient:
        """By our id."""
        row = self._work.row(_GET, {"patient_id": patient_id})
        if row is None:
            raise KeyError(patient_id)
        return self._read(row)

    def save(self, patient: Patient) -> Patient:
        """Insert or update."""
        if patient.id == 0:
            row = self._work.run(_INSERT, self._write(patient)).one()
            stored = replace(patient, id=row.id)
            _IDENTIFIERS.add(self._work, stored.scope, stored.identifiers, stored.id, is_new=True)
        else:
            known = self._seen.get(patient.id)
            if known is None:
                known = self.get(patient.id).identifiers
            stored = replace(patient, identifiers=united(patient.identifiers, known))
            self._work.run(_UPDATE, {**self._write(stored), "patient_id": stored.id})
            added = [identifier for identifier in stored.identifiers if identifier not in known]
            _IDENTIFIERS.add(self._work, stored.scope, added, stored.id, is_new=False)
        self._seen[stored.id] = stored.identifiers
        return stored

    def link(self, patient_id: int, ehr_id: str) -> None:
        """One column."""
        sealed = self._work.seal("patients.sealed_ehr_id", ehr_id)
        self._work.run(_UPDATE, {"patient_id": patient_id, "sealed_ehr_id": sealed})

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
        )
        self._seen[patient.id] = patient.identifiers
        return patient
