"""The attempts to send a text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.texts import OFFERED, UNCERTAIN, attempts, texts
from integration.domain.text_message import Attempt, AttemptState
from integration.ports.store import AlreadyOffered

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_FIELDS = (
    "text_id",
    "token",
    "state",
    "offered_at",
    "deadline",
    "looks",
    "next_look_at",
    "provider_id",
    "why",
)
_TIME = attempts.c.deadline.type
_INSERT = insert(attempts).on_conflict_do_nothing().returning(attempts.c.id)
_COMPARE_AND_SET = attempts.update().where(
    attempts.c.id == sa.bindparam("wanted"), attempts.c.state.in_(sa.bindparam("expected", expanding=True))
)
_OF_TEXT = sa.select(attempts).where(attempts.c.text_id == sa.bindparam("of_text")).order_by(attempts.c.id)
_BY_TOKEN = sa.select(attempts).where(attempts.c.token == sa.bindparam("wanted"))
_BY_PROVIDER_ID = (
    sa.select(attempts)
    .join_from(attempts, texts)
    .where(
        attempts.c.provider_id == sa.bindparam("wanted_id"),
        texts.c.provider == sa.bindparam("wanted_provider"),
    )
    .order_by(attempts.c.id.desc())
    .limit(1)
)
_PAST_DEADLINE = (
    sa.select(attempts)
    .where(OFFERED, attempts.c.deadline <= sa.bindparam("now", type_=_TIME))
    .order_by(attempts.c.deadline)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)
_DUE_FOR_A_LOOK = (
    sa.select(attempts)
    .where(UNCERTAIN, attempts.c.next_look_at <= sa.bindparam("now", type_=_TIME))
    .order_by(attempts.c.next_look_at)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)


class SqlAttemptRows:
    """Part of `integration.ports.store.TextRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add_attempt(self, attempt: Attempt) -> Attempt:
        """Unless another holds the text."""
        row = self._work.row(_INSERT, {name: getattr(attempt, name) for name in _FIELDS})
        if row is None:
            raise AlreadyOffered(f"text {attempt.text_id}")
        return replace(attempt, id=row.id)

    def update_attempt(self, attempt: Attempt, expected: Collection[str]) -> bool:
        """Compare and set."""
        wanted = [AttemptState(state) for state in expected]
        values = {name: getattr(attempt, name) for name in _FIELDS}
        return (
            self._work.run(_COMPARE_AND_SET, {**values, "wanted": attempt.id, "expected": wanted}).rowcount
            == 1
        )

    def attempts(self, text_id: int) -> Sequence[Attempt]:
        """Of a text."""
        return [_read(row) for row in self._work.rows(_OF_TEXT, {"of_text": text_id})]

    def attempt_by_token(self, token: str) -> Attempt | None:
        """By our token."""
        return self._one(_BY_TOKEN, wanted=token)

    def attempt_by_provider_id(self, provider: str, provider_id: str) -> Attempt | None:
        """By the provider's id."""
        return self._one(_BY_PROVIDER_ID, wanted_id=provider_id, wanted_provider=provider)

    def claim_overdue(self, now: datetime) -> Attempt | None:
        """Offers without an outcome first, then uncertain ones."""
        return self._one(_PAST_DEADLINE, now=now) or self._one(_DUE_FOR_A_LOOK, now=now)

    def _one(self, statement: sa.Executable, **parameters: Any) -> Attempt | None:
        row = self._work.row(statement, parameters)
        return None if row is None else _read(row)


def _read(row: sa.Row[Any]) -> Attempt:
    plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Attempt(id=row.id, **{name: plain[name] for name in _FIELDS})
