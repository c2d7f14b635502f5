"""The ledger of consent: every yes and no with its evidence, and every suppression ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.columns import as_stored
from integration.adapters.store.tables.people import IN_FORCE, consents, suppressions
from integration.domain.consent import ConsentRecord, Suppression

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_EVIDENCE = "consents.sealed_evidence"
_NOTE = "suppressions.sealed_lift_note"
_WORDS = ("wording", "campaign", "ip", "recorded_by")

_OF_PATIENT = (
    sa.select(consents)
    .where(consents.c.patient_id == sa.bindparam("of_patient"))
    .order_by(consents.c.recorded_at.desc(), consents.c.id.desc())
)
_LISTING = (
    sa.select(consents)
    .where(consents.c.id > sa.bindparam("above"))
    .order_by(consents.c.id)
    .limit(sa.bindparam("so_many"))
)
_OF_NUMBER = (
    sa.select(suppressions)
    .where(suppressions.c.number_hash == sa.bindparam("of"))
    .order_by(suppressions.c.id)
)
_OF_ID = sa.select(suppressions).where(suppressions.c.id == sa.bindparam("this"))
_SUPPRESSED = (
    sa.select(suppressions)
    .where(IN_FORCE, suppressions.c.id > sa.bindparam("above"))
    .order_by(suppressions.c.id)
    .limit(sa.bindparam("so_many"))
)
_THIS = suppressions.update().where(IN_FORCE, suppressions.c.id == sa.bindparam("this"))
_LIFT = _THIS.values(
    lifted_at=sa.bindparam("at", type_=suppressions.c.lifted_at.type),
    lifted_by=sa.bindparam("by"),
    sealed_lift_note=sa.bindparam("note"),
)
_AWAIT = _THIS.values(
    awaiting_start=sa.bindparam("at", type_=suppressions.c.awaiting_start.type),
    sealed_lift_note=sa.bindparam("note"),
)
_PASSED = (
    suppressions.update()
    .where(
        IN_FORCE,
        suppressions.c.number_hash == sa.bindparam("of"),
        suppressions.c.awaiting_start <= sa.bindparam("offered_at", type_=suppressions.c.awaiting_start.type),
    )
    .values(lifted_at=sa.bindparam("at", type_=suppressions.c.lifted_at.type), lifted_by="passed")
)


class SqlConsentRows:
    """See `integration.ports.consent_store.ConsentRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def record(self, record: ConsentRecord) -> bool:
        """Once."""
        record = replace(record, id=0, at=as_stored(record.at) or record.at)
        if any(replace(known, id=0) == record for known in self.of_patient(record.patient_id)):
            return False
        evidence = {word: getattr(record, word) for word in _WORDS}
        self._work.run(
            consents.insert(),
            {
                "patient_id": record.patient_id,
                "given": record.given,
                "source": record.source,
                "recorded_at": record.at,
                "medium": record.medium,
                "number_hash": None if record.number is None else self._work.keep_number(record.number),
                "sealed_evidence": self._work.seal_json(_EVIDENCE, evidence),
            },
        )
        return True

    def of_patient(self, patient_id: int) -> Sequence[ConsentRecord]:
        """Newest first."""
        return [self._read(row) for row in self._work.early_rows(_OF_PATIENT, {"of_patient": patient_id})]

    def listing(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[ConsentRecord]:
        """By id."""
        return [self._read(row) for row in self._work.rows(_LISTING, {"above": after_id, "so_many": limit})]

    def of_number(self, number: str) -> Sequence[Suppression]:
        """Oldest first."""
        rows = self._work.rows(_OF_NUMBER, {"of": self._work.hash_of(number)})
        return [read_suppression(self._work, row) for row in rows]

    def suppression(self, suppression_id: int) -> Suppression:
        """By id."""
        for row in self._work.rows(_OF_ID, {"this": suppression_id}):
            return read_suppression(self._work, row)
        raise KeyError(suppression_id)

    def suppressed(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[Suppression]:
        """By id."""
        rows = self._work.rows(_SUPPRESSED, {"above": after_id, "so_many": limit})
        return [read_suppression(self._work, row) for row in rows]

    def lift(
        self, suppression: Suppression, *, at: datetime, by: str, note: str = "", await_start: bool = False
    ) -> None:
        """One row."""
        values = {"this": suppression.id, "at": at, "note": self._work.seal(_NOTE, note)}
        if await_start:
            self._work.run(_AWAIT, values)
        else:
            self._work.run(_LIFT, {**values, "by": by})

    def passed(self, number: str, at: datetime, *, offered_at: datetime) -> int:
        """Kept as a record."""
        values = {"of": self._work.hash_of(number), "at": at, "offered_at": offered_at}
        return self._work.run(_PASSED, values).rowcount

    def _read(self, row: sa.Row[Any]) -> ConsentRecord:
        work = self._work
        evidence = {} if row.sealed_evidence is None else work.read_json(_EVIDENCE, row.sealed_evidence)
        return ConsentRecord(
            id=row.id,
            patient_id=row.patient_id,
            given=row.given,
            at=row.recorded_at,
            source=row.source,
            medium=row.medium or "",
            number=None if row.number_hash is None else work.number(bytes(row.number_hash)),
            **evidence,
        )


def read_suppression(work: Work, row: sa.Row[Any]) -> Suppression:
    """One row of `suppressions`."""
    return Suppression(
        id=row.id,
        number=work.number(bytes(row.number_hash)),
        kind=row.kind,
        sender=row.sender,
        since=row.since,
        source=row.source,
        evidence=work.keys.read("suppressions.sealed_evidence", row.sealed_evidence),
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        awaiting_start=row.awaiting_start,
        lift_note=work.read(_NOTE, row.sealed_lift_note) or "",
    )
