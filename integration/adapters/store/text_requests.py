"""Texts that charts ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.requests import WAITING, text_requests
from integration.domain.text_request import TextRequest

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

_EHR_ID, _BODY = "text_requests.sealed_ehr_id", "text_requests.sealed_body"
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
        if row is None:
            return None
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
        )

    def _hash(self, ehr_id: str) -> bytes:
        return self._work.keys.hash("text request", ehr_id)
