"""Replies, and the questions they may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.conversation import NOT_DONE, STANDS, questions, replies
from integration.adapters.store.tables.people import numbers
from integration.adapters.store.tables.texts import texts
from integration.domain.conversation import Question, Reply

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.texts import SqlTextRows
    from integration.adapters.store.work import Work
    from integration.domain.text_message import TextMessage

_ARRIVED = (
    *("provider", "provider_id", "to_number", "received_at", "heard_at"),
    *("media", "partial", "keyword_handled", "segments"),
)
_BILLED = ("price", "currency")
_UNDERSTOOD = (
    "intent",
    "urgent",
    "reason",
    "practice",
    "text_id",
    "patient_id",
    "appointment_id",
    "done",
)
_ASKED = (
    "text_id",
    "appointment_id",
    "patient_id",
    "slot_number",
    "visit_start",
    "asked_at",
    "expires_at",
    "answered_at",
)
_ADD = insert(replies).on_conflict_do_nothing().returning(replies.c.id)
_GET = sa.select(replies).where(replies.c.id == sa.bindparam("wanted"))
_UPDATE = replies.update().where(replies.c.id == sa.bindparam("wanted"))
_CLAIM = (
    sa.select(numbers.c.number_hash)
    .join_from(replies, numbers)
    .where(NOT_DONE)
    .order_by(replies.c.id)
    .limit(1)
    .with_for_update(of=numbers, key_share=True, skip_locked=True)
)
_HEARD_SINCE = (
    sa.select(replies)
    .where(replies.c.number_hash == sa.bindparam("of_number"), replies.c.heard_at >= sa.bindparam("since"))
    .order_by(replies.c.heard_at.desc(), replies.c.id.desc())
)
_FIRST_OF_NUMBER = (
    sa.select(replies)
    .where(NOT_DONE, replies.c.number_hash == sa.bindparam("of_number"))
    .order_by(replies.c.id)
    .limit(1)
)
_REPLACE = (
    questions.update()
    .where(
        STANDS,
        questions.c.appointment_id == sa.bindparam("of_appointment"),
        questions.c.patient_id == sa.bindparam("of_patient"),
    )
    .values(replaced=True)
)
_ASK = questions.insert()
_OF_NUMBER = (
    sa.select(questions, texts.c.sender)
    .join_from(questions, texts, questions.c.text_id == texts.c.id)
    .where(STANDS, questions.c.number_hash == sa.bindparam("of_number"))
    .order_by(questions.c.id.desc())
)
_ANSWERED = (
    questions.update().where(questions.c.id == sa.bindparam("wanted")).values(answered_at=sa.bindparam("at"))
)


_OF_GONE = sa.and_(
    STANDS,
    questions.c.appointment_id.in_(sa.bindparam("appointment_ids", expanding=True)),
    questions.c.patient_id == sa.bindparam("gone_id"),
)
_other = questions.alias("other")
_DROP_TWINS = (
    questions.update()
    .where(
        _OF_GONE,
        sa.exists().where(
            sa.not_(_other.c.replaced),
            _other.c.appointment_id == questions.c.appointment_id,
            _other.c.patient_id == sa.bindparam("survivor_id"),
        ),
    )
    .values(replaced=True)
)
_HAND_OVER = questions.update().where(_OF_GONE).values(patient_id=sa.bindparam("survivor_id"))


class SqlReplyRows:
    """See `integration.ports.store.ReplyRows`."""

    def __init__(self, work: Work, texts: SqlTextRows) -> None:
        self._work = work
        self._texts = texts

    def add(self, reply: Reply) -> bool:
        """Once."""
        row = self._work.row(
            _ADD,
            {
                **{name: getattr(reply, name) for name in (*_ARRIVED, *_UNDERSTOOD)},
                "number_hash": self._work.keep_number(reply.number),
                "sealed_body": self._work.keys.seal("replies.sealed_body", reply.body),
            },
        )
        return row is not None

    def claim(self) -> Reply | None:
        """The oldest of a number nobody else works on; its number locked."""
        while (claimed := self._work.row(_CLAIM)) is not None:
            # Only a query begun under the lock sees what its former holder has done.
            row = self._work.row(_FIRST_OF_NUMBER, {"of_number": claimed.number_hash})
            if row is not None:
                return self._read(row)
        return None

    def waits(self, number: str) -> bool:
        """Takes no lock."""
        return self._work.row(_FIRST_OF_NUMBER, {"of_number": self._work.hash_of(number)}) is not None

    def update(self, reply: Reply) -> None:
        """What was understood."""
        self._work.run(_UPDATE, {**{name: getattr(reply, name) for name in _UNDERSTOOD}, "wanted": reply.id})

    def get(self, reply_id: int) -> Reply:
        """By our id."""
        row = self._work.row(_GET, {"wanted": reply_id})
        if row is None:
            raise KeyError(reply_id)
        return self._read(row)

    def heard_since(self, number: str, since: datetime) -> Sequence[Reply]:
        """Newest first."""
        wanted = {"of_number": self._work.hash_of(number), "since": since}
        return [self._read(row) for row in self._work.rows(_HEARD_SINCE, wanted)]

    def ask(self, question: Question) -> None:
        """In the place of an older one."""
        self._work.run(
            _REPLACE, {"of_appointment": question.appointment_id, "of_patient": question.patient_id}
        )
        number_hash = self._work.keep_number(question.number)
        self._work.run(
            _ASK, {**{name: getattr(question, name) for name in _ASKED}, "number_hash": number_hash}
        )

    def questions(self, number: str) -> Sequence[Question]:
        """Newest first."""
        return [
            Question(
                id=row.id,
                number=number,
                sender=row.sender,
                **{name: row._mapping[name] for name in _ASKED},  # noqa: SLF001 - SQLAlchemy's public name
            )
            for row in self._work.rows(_OF_NUMBER, {"of_number": self._work.hash_of(number)})
        ]

    def answered(self, question_id: int, at: datetime) -> None:
        """The newest answer's time."""
        self._work.run(_ANSWERED, {"wanted": question_id, "at": at})

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """Those that stand."""
        if appointment_ids:
            wanted = {
                "appointment_ids": list(appointment_ids),
                "gone_id": gone_id,
                "survivor_id": survivor_id,
            }
            self._work.run(_DROP_TWINS, wanted)
            self._work.run(_HAND_OVER, wanted)

    def last_text_to(self, number: str) -> TextMessage | None:
        """Newest by the time it was offered."""
        return self._texts.last_to(number)

    def _read(self, row: sa.Row[Any]) -> Reply:
        plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        return Reply(
            id=row.id,
            number=self._work.number(bytes(row.number_hash)),
            body=self._work.keys.read("replies.sealed_body", row.sealed_body),
            **{name: plain[name] for name in (*_ARRIVED, *_UNDERSTOOD, *_BILLED)},
        )
