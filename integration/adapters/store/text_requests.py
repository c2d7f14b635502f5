"""Texts that charts ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.requests import WAITING, text_requests
from integration.domain.catalog_sections import FreeForm
from integration.domain.text_request import RequestSource, TextRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_EHR_ID, _BODY = "text_requests.sealed_ehr_id", "text_requests.sealed_body"
_AUTHOR, _OVERRIDE = "text_requests.sealed_author", "text_requests.sealed_override"
_FIND = (
    sa.select(text_requests)
    .where(
        text_requests.c.feed == sa.bindparam("of_feed"),
        text_requests.c.ehr_id_hash == sa.bindparam("of_hash"),
    )
    .with_for_update()
)
_GET = sa.select(text_requests).where(text_requests.c.id == sa.bindparam("wanted"))
_OF_TEXT = sa.select(text_requests).where(text_requests.c.text_id == sa.bindparam("of_text"))
_OF_PATIENT = (
    sa.select(text_requests)
    .where(text_requests.c.patient_id == sa.bindparam("of_patient"))
    .order_by(text_requests.c.id)
)
_CLAIM = (
    sa.select(text_requests)
    .where(WAITING, text_requests.c.due_at <= sa.bindparam("now", type_=text_requests.c.due_at.type))
    .order_by(text_requests.c.due_at, text_requests.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


class SqlTextRequestRows:
    """See `integration.ports.store.TextRequestRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def find(self, feed: str, ehr_id: str) -> TextRequest | None:
        """By what the EHR calls it."""
        return self._one(_FIND, {"of_feed": feed, "of_hash": self._hash(ehr_id)})

    def get(self, request_id: int) -> TextRequest:
        """By ours."""
        found = self._one(_GET, {"wanted": request_id})
        if found is None:
            raise KeyError(request_id)
        return found

    def of_text(self, text_id: int) -> TextRequest | None:
        """The one that became a text."""
        return self._one(_OF_TEXT, {"of_text": text_id})

    def of_patient(self, patient_id: int) -> Sequence[TextRequest]:
        """All of one patient."""
        rows = self._work.rows(_OF_PATIENT, {"of_patient": patient_id})
        return [self._read(row) for row in rows]

    def save(self, request: TextRequest) -> int:
        """Insert or update."""
        values = {
            "feed": request.feed,
            "ehr_id_hash": self._hash(request.ehr_id),
            "sealed_ehr_id": self._work.seal(_EHR_ID, request.ehr_id),
            "patient_id": request.patient_id,
            "practice": request.practice,
            "sealed_body": self._work.seal(_BODY, request.body),
            "due_at": request.due_at,
            "not_after": request.not_after,
            "state": request.state,
            "reason": request.reason,
            "text_id": request.text_id,
            "source": request.source,
            "sealed_author": self._work.seal(_AUTHOR, request.author),
            "form": request.form,
            "minutes": request.minutes,
            "appointment_id": request.appointment_id,
            "slot_number": request.slot_number,
            "sealed_override": self._work.seal(_OVERRIDE, request.override),
            "to_related": request.to_related,
            "asked_at": request.asked_at,
        }
        if request.id:
            self._work.run(text_requests.update().where(text_requests.c.id == request.id).values(values))
            return request.id
        added = text_requests.insert().values(values).returning(text_requests.c.id)
        return int(self._work.run(added).scalar_one())

    def claim_due(self, now: datetime) -> TextRequest | None:
        """The one that has been due the longest."""
        return self._one(_CLAIM, {"now": now})

    def _one(self, statement: sa.Executable, wanted: dict[str, Any]) -> TextRequest | None:
        row = self._work.row(statement, wanted)
        return None if row is None else self._read(row)

    def _read(self, row: sa.Row[Any]) -> TextRequest:
        return TextRequest(
            id=row.id,
            feed=row.feed,
            ehr_id=self._work.keys.read(_EHR_ID, row.sealed_ehr_id),
            patient_id=row.patient_id,
            body=self._work.keys.read(_BODY, row.sealed_body),
            due_at=row.due_at,
            not_after=row.not_after,
            practice=row.practice,
            state=row.state,
            reason=row.reason,
            text_id=row.text_id,
            source=row.source or RequestSource.CHART,
            author=self._work.read(_AUTHOR, row.sealed_author),
            form=row.form or FreeForm.OWN_WORDS,
            minutes=row.minutes,
            appointment_id=row.appointment_id,
            slot_number=row.slot_number,
            override=self._work.read(_OVERRIDE, row.sealed_override),
            to_related=bool(row.to_related),
            asked_at=row.asked_at,
        )

    def _hash(self, ehr_id: str) -> bytes:
        return self._work.keys.hash("text request", ehr_id)
