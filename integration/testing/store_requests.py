"""The texts that charts ask for, in the fake store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.text_request import RequestState
from integration.testing.store_tables import as_stored, must_be_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from integration.domain.text_request import TextRequest
    from integration.testing.store_tables import Tables


class FakeTextRequestRows:
    """See `integration.ports.store.TextRequestRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, feed: str, ehr_id: str) -> TextRequest | None:
        """By what the EHR calls it."""
        rows = self._tables.text_requests.values()
        return next((each for each in rows if (each.feed, each.ehr_id) == (feed, ehr_id)), None)

    def get(self, request_id: int) -> TextRequest:
        """By ours."""
        return self._tables.text_requests[request_id]

    def of_text(self, text_id: int) -> TextRequest | None:
        """The one that became a text."""
        rows = self._tables.text_requests.values()
        return next((each for each in rows if each.text_id == text_id), None)

    def of_patient(self, patient_id: int) -> Sequence[TextRequest]:
        """All of one patient."""
        return [each for each in self._tables.text_requests.values() if each.patient_id == patient_id]

    def save(self, request: TextRequest) -> int:
        """Insert or update."""
        must_be_there(self._tables.patients, request.patient_id)
        must_be_there(self._tables.texts, request.text_id)
        stored = replace(request, id=request.id or self._tables.next_id("text_requests"))
        self._tables.text_requests[stored.id] = as_stored(stored)
        return stored.id

    def claim_due(self, now: datetime) -> TextRequest | None:
        """The one that has been due the longest."""
        due = sorted((at, key) for at, key in self.due_times() if at <= now)
        return self._tables.text_requests[due[0][1]] if due else None

    def due_times(self) -> Iterator[tuple[datetime, int]]:
        """When each that waits is due."""
        for key, each in self._tables.text_requests.items():
            if each.state is RequestState.WAITING:
                yield each.due_at, key
