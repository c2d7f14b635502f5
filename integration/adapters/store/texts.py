"""Texts and whom they speak of."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.attempts import SqlAttemptRows
from integration.adapters.store.tables.columns import one_of, plain_word
from integration.adapters.store.tables.people import numbers
from integration.adapters.store.tables.texts import (
    HOLDS_ITS_TEXT,
    QUEUED,
    UNDER_WAY,
    attempts,
    text_subjects,
    texts,
)
from integration.adapters.store.tables.visits import reminders
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.second_try import GIVEN_UP
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.ports.store import AlreadyAnswered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from integration.adapters.store.reminders import SqlReminderRows
    from integration.adapters.store.work import Work

# Fields that record and table spell and type alike: what is written once, and what news may change.
_FIXED = ("practice", "kind", "created_at")
_NEWS = (
    "occasion",
    "language",
    "encoding",
    "segments",
    "not_after",
    "status",
    "word",
    "provider",
    "provider_id",
    "sender",
    "error_code",
    "failure",
    "unresolved",
    "price",
    "currency",
    "answers_reply",
    "not_before",
    "offered_at",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "final_at",
    "checked_at",
)
_TIME = texts.c.offered_at.type
_NUMBER = texts.c.number_hash == sa.bindparam("of_number")
_SINCE = texts.c.offered_at >= sa.bindparam("since", type_=_TIME)
_COUNTS_TOWARDS_CAPS = one_of(texts.c.kind, (TextKind.REMINDER, TextKind.FREE))
_HELD = sa.exists().where(attempts.c.text_id == texts.c.id, HOLDS_ITS_TEXT)
_MAY_GO = sa.and_(
    QUEUED,
    sa.or_(texts.c.not_before.is_(None), texts.c.not_before <= sa.bindparam("now", type_=_TIME)),
    ~_HELD,
)

_WITH_SUBJECTS = (
    sa.select(
        texts,
        text_subjects.c.patient_id,
        text_subjects.c.appointment_id,
        text_subjects.c.sealed_part,
    )
    .outerjoin(text_subjects, text_subjects.c.text_id == texts.c.id)
    .order_by(texts.c.offered_at, texts.c.id, text_subjects.c.position)
)
_GET = _WITH_SUBJECTS.where(texts.c.id == sa.bindparam("wanted"))
_BETWEEN = _WITH_SUBJECTS.where(
    texts.c.offered_at >= sa.bindparam("start", type_=_TIME),
    texts.c.offered_at < sa.bindparam("end", type_=_TIME),
)
_OF_PATIENT = _WITH_SUBJECTS.where(
    texts.c.created_at >= sa.bindparam("since", type_=_TIME),
    texts.c.id.in_(
        sa.select(text_subjects.c.text_id).where(text_subjects.c.patient_id == sa.bindparam("of_patient"))
    ),
)
_BETWEEN_OF_PRACTICE = _BETWEEN.where(texts.c.practice == sa.bindparam("of_practice"))
_INSERT = insert(texts).on_conflict_do_nothing().returning(texts.c.id)
_INSERT_SUBJECTS = text_subjects.insert()
_UPDATE = texts.update().where(texts.c.id == sa.bindparam("wanted"))
_CLAIM_QUEUED = (
    sa.select(texts.c.id)
    .join_from(texts, numbers)
    .where(_MAY_GO)
    .order_by(texts.c.id)
    .limit(1)
    .with_for_update(of=numbers, key_share=True, skip_locked=True)
)
_STILL_MAY_GO = sa.select(texts.c.id).where(_MAY_GO, texts.c.id == sa.bindparam("wanted"))
_CLAIM_STALE = (
    sa.select(texts.c.id)
    .where(UNDER_WAY, texts.c.heard_at < sa.bindparam("before", type_=_TIME))
    .order_by(texts.c.heard_at)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)
_NOT_ARRIVED = one_of(texts.c.status, (DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED))
_OFFERED_TO = (
    sa.select(texts.c.offered_at)
    .where(_NUMBER, _COUNTS_TOWARDS_CAPS, _SINCE, ~_NOT_ARRIVED)
    .order_by(texts.c.offered_at)
)
_FAILURES_SINCE = (
    sa.select(texts.c.failure, sa.func.count().label("many"))
    .where(_SINCE, texts.c.failure.is_not(None))
    .group_by(texts.c.failure)
)
_FAILURES_SINCE_OF_PRACTICE = _FAILURES_SINCE.where(texts.c.practice == sa.bindparam("of_practice"))
_ENDS = (
    sa.select(texts.c.status, texts.c.failure)
    .where(_NUMBER, texts.c.final_at.is_not(None), texts.c.offered_at.is_not(None))
    .order_by(texts.c.offered_at.desc(), texts.c.id.desc())
    .limit(GIVEN_UP)
)
_WAS_TEXTED = (
    sa.select(texts.c.id)
    .where(
        _NUMBER,
        texts.c.practice == sa.bindparam("of_practice"),
        _COUNTS_TOWARDS_CAPS,
        texts.c.offered_at.is_not(None),
        ~_NOT_ARRIVED,
    )
    .limit(1)
)
_OFFERED_BY = (
    sa.select(sa.func.count())
    .select_from(texts)
    .where(texts.c.practice == sa.bindparam("of_practice"), _SINCE)
)
_ANSWERS_TO = (
    sa.select(texts.c.id)
    .where(
        _NUMBER,
        texts.c.kind == plain_word(TextKind.ANSWER),
        texts.c.created_at >= sa.bindparam("since", type_=_TIME),
    )
    .order_by(texts.c.created_at.desc(), texts.c.id.desc())
)
_LAST_TO = (
    sa.select(texts.c.id)
    .where(_NUMBER, _COUNTS_TOWARDS_CAPS, texts.c.offered_at.is_not(None))
    .order_by(texts.c.offered_at.desc(), texts.c.id.desc())
    .limit(1)
)
_FOR_SLOT = (
    sa.select(texts.c.id)
    .join_from(reminders, texts)
    .where(
        reminders.c.appointment_id == sa.bindparam("of_appointment"),
        reminders.c.slot_number == sa.bindparam("of_slot"),
        texts.c.status != DeliveryStatus.FAILED,
        _HELD,
    )
    .limit(1)
)


class SqlTextRows(SqlAttemptRows):
    """See `integration.ports.store.TextRows`."""

    def __init__(self, work: Work, reminders: SqlReminderRows) -> None:
        super().__init__(work)
        self._reminders = reminders

    def add(self, text: TextMessage) -> TextMessage:
        """With its subjects."""
        row = self._work.row(
            _INSERT,
            {
                **{name: getattr(text, name) for name in _FIXED},
                "number_hash": self._work.keep_number(text.number),
                **self._news(text),
            },
        )
        if row is None:
            raise AlreadyAnswered(f"reply {text.answers_reply}")
        if text.subjects:
            self._work.run(
                _INSERT_SUBJECTS,
                [
                    {
                        "text_id": row.id,
                        "position": position,
                        "patient_id": subject.patient_id,
                        "appointment_id": subject.appointment_id,
                        "sealed_part": self._work.seal("text_subjects.sealed_part", subject.part),
                    }
                    for position, subject in enumerate(text.subjects)
                ],
            )
        return replace(text, id=row.id)

    def get(self, text_id: int) -> TextMessage:
        """By our id."""
        for text in self._texts(_GET, wanted=text_id):
            return text
        raise KeyError(text_id)

    def update(self, text: TextMessage) -> None:
        """News."""
        self._work.run(_UPDATE, {**self._news(text), "wanted": text.id})

    def claim_queued(self, now: datetime) -> TextMessage | None:
        """The oldest."""
        while (row := self._work.row(_CLAIM_QUEUED, {"now": now})) is not None:
            # Only a query begun under the lock sees what its former holder has done.
            if self._work.row(_STILL_MAY_GO, {"now": now, "wanted": row.id}) is not None:
                return self.get(row.id)
        return None

    def claim_stale(self, before: datetime) -> TextMessage | None:
        """The one longest unheard of."""
        row = self._work.row(_CLAIM_STALE, {"before": before})
        return None if row is None else self.get(row.id)

    def offered_to(self, number: str, since: datetime) -> Sequence[datetime]:
        """Oldest first."""
        wanted = {"of_number": self._work.hash_of(number), "since": since}
        return [row.offered_at for row in self._work.rows(_OFFERED_TO, wanted)]

    def was_texted(self, number: str, practice: str) -> bool:
        """By number, of which there are few texts."""
        wanted = {"of_number": self._work.hash_of(number), "of_practice": practice}
        return self._work.row(_WAS_TEXTED, wanted) is not None

    def offered_by(self, practice: str, since: datetime) -> int:
        """Of all kinds."""
        return int(self._work.run(_OFFERED_BY, {"of_practice": practice, "since": since}).scalar_one())

    def failures_since(self, since: datetime, practice: str | None = None) -> Mapping[Failure, int]:
        """By kind."""
        if practice is None:
            rows = self._work.rows(_FAILURES_SINCE, {"since": since})
        else:
            rows = self._work.rows(_FAILURES_SINCE_OF_PRACTICE, {"since": since, "of_practice": practice})
        return {row.failure: row.many for row in rows}

    def unreachable_in_a_row(self, number: str) -> int:
        """Newest first, until one ended otherwise."""
        ends = self._work.rows(_ENDS, {"of_number": self._work.hash_of(number)})
        return len(list(takewhile(lambda row: row.failure is Failure.UNREACHABLE, ends)))

    def answers_to(self, number: str, since: datetime) -> Sequence[TextMessage]:
        """Newest first."""
        wanted = {"of_number": self._work.hash_of(number), "since": since}
        return [self.get(row.id) for row in self._work.rows(_ANSWERS_TO, wanted)]

    def for_slot(self, appointment_id: int, slot_number: int) -> bool:
        """A text that is held by an attempt went out or may have, unless it is known to have failed."""
        if self._reminders.surely_not_told(appointment_id, slot_number):
            return False
        wanted = {"of_appointment": appointment_id, "of_slot": slot_number}
        return self._work.row(_FOR_SLOT, wanted) is not None

    def of_patient(self, patient_id: int, since: datetime) -> Sequence[TextMessage]:
        """Those that speak of them."""
        found = self._texts(_OF_PATIENT, of_patient=patient_id, since=since)
        return sorted(found, key=lambda text: (text.created_at, text.id))

    def between(self, start: datetime, end: datetime, practice: str | None = None) -> Sequence[TextMessage]:
        """By the time they were offered."""
        if practice is None:
            return self._texts(_BETWEEN, start=start, end=end)
        return self._texts(_BETWEEN_OF_PRACTICE, start=start, end=end, of_practice=practice)

    def last_to(self, number: str) -> TextMessage | None:
        """The newest reminder or free text offered to a number."""
        row = self._work.row(_LAST_TO, {"of_number": self._work.hash_of(number)})
        return None if row is None else self.get(row.id)

    def _news(self, text: TextMessage) -> dict[str, Any]:
        heard = [time for time in (text.accepted_at, text.sent_at, text.checked_at) if time is not None]
        return {
            **{name: getattr(text, name) for name in _NEWS},
            "sealed_body": self._work.keys.seal("texts.sealed_body", text.body),
            "heard_at": max(heard, default=None),
        }

    def _texts(self, statement: sa.Executable, **parameters: Any) -> list[TextMessage]:
        """Texts from their rows, one for each subject."""
        found = groupby(self._work.rows(statement, parameters), key=lambda row: row.id)
        return [self._text(list(rows)) for _, rows in found]

    def _text(self, rows: list[sa.Row[Any]]) -> TextMessage:
        row = rows[0]
        plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        return TextMessage(
            id=row.id,
            number=self._work.number(bytes(row.number_hash)),
            body=self._work.keys.read("texts.sealed_body", row.sealed_body),
            subjects=tuple(
                Subject(
                    patient_id=each.patient_id,
                    appointment_id=each.appointment_id,
                    part=self._work.read("text_subjects.sealed_part", each.sealed_part),
                )
                for each in rows
                if each.patient_id is not None
            ),
            **{name: plain[name] for name in (*_FIXED, *_NEWS)},
        )
