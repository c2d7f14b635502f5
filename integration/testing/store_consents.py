"""The fake store's ledger of consent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.testing.store_tables import as_stored, must_be_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.consent import ConsentRecord, Suppression
    from integration.testing.store_tables import Tables


class FakeConsentRows:
    """See `integration.ports.consent_store.ConsentRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def record(self, record: ConsentRecord) -> bool:
        """Once."""
        must_be_there(self._tables.patients, record.patient_id)
        record = as_stored(replace(record, id=0))
        if any(replace(known, id=0) == record for known in self._tables.consents.values()):
            return False
        record_id = self._tables.next_id("consents")
        self._tables.consents[record_id] = replace(record, id=record_id)
        return True

    def of_patient(self, patient_id: int) -> Sequence[ConsentRecord]:
        """Newest first."""
        theirs = [each for each in self._tables.consents.values() if each.patient_id == patient_id]
        return sorted(theirs, key=lambda each: (each.at, each.id), reverse=True)

    def listing(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[ConsentRecord]:
        """By id."""
        return [self._tables.consents[each] for each in sorted(self._tables.consents) if each > after_id][
            :limit
        ]

    def of_number(self, number: str) -> Sequence[Suppression]:
        """Oldest first."""
        return [each for each in self._tables.suppressions.values() if each.number == number]

    def suppression(self, suppression_id: int) -> Suppression:
        """By id."""
        return self._tables.suppressions[suppression_id]

    def suppressed(self, *, after_id: int = 0, limit: int = 1000) -> Sequence[Suppression]:
        """By id."""
        known = self._tables.suppressions.values()
        return [each for each in known if each.lifted_at is None and each.id > after_id][:limit]

    def lift(
        self, suppression: Suppression, *, at: datetime, by: str, note: str = "", await_start: bool = False
    ) -> None:
        """One row."""
        known = self._tables.suppressions[suppression.id]
        if known.lifted_at is not None:
            return
        if await_start:
            changed = replace(known, awaiting_start=at, lift_note=note)
        else:
            changed = replace(known, lifted_at=at, lifted_by=by, lift_note=note)
        self._tables.suppressions[known.id] = as_stored(changed)

    def passed(self, number: str, at: datetime, *, offered_at: datetime) -> int:
        """Kept as a record."""
        waiting = [
            each
            for each in self.of_number(number)
            if each.lifted_at is None
            and each.awaiting_start is not None
            and each.awaiting_start <= offered_at
        ]
        for each in waiting:
            self._tables.suppressions[each.id] = as_stored(replace(each, lifted_at=at, lifted_by="passed"))
        return len(waiting)
