"""An EHR in memory: takes every fact, keeps its history, and fails when told to."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from integration.ports.ehr import Written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integration.domain.write_back import WriteBackKind
    from integration.ports.ehr import Fact, WriteOutcome


class FakeWriteBack:
    """A write-back mode; one record for each (kind, subject, patient), each with all its states."""

    name = "fake"

    def __init__(self) -> None:
        self.records: dict[tuple[WriteBackKind, int, int], list[Fact]] = {}
        self.asked = 0  # how often it was called, failures included
        self._next: deque[WriteOutcome | BaseException] = deque()
        self._lock = Lock()

    def will(self, outcomes: Iterable[WriteOutcome | BaseException]) -> None:
        """Answer the next calls with these (raise those that are exceptions), and write nothing then."""
        self._next.extend(outcomes)

    def write(self, fact: Fact) -> WriteOutcome:
        """Keep the fact, unless told to do otherwise."""
        with self._lock:
            self.asked += 1
            if self._next:
                outcome = self._next.popleft()
                if isinstance(outcome, BaseException):
                    raise outcome
                return outcome
            row = fact.row
            history = self.records.setdefault((row.kind, row.subject_id, row.patient_id), [])
            history.append(fact)
            return Written(
                ehr_id=f"{row.kind}-{row.subject_id}-{row.patient_id}",
                version=str(len(history)),
                patient_id=f"patient-{row.patient_id}",
                appointment_ids=tuple((visit.id, f"visit-{visit.id}") for visit in fact.appointments),
            )

    def describe(self) -> str:
        """One line for the operator."""
        return "an EHR in memory, for tests"
