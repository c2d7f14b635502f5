"""Texts, the attempts to send them, and what the provider said of them."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    Instant,
    Word,
    metadata,
    one_of,
    own_id,
    partial_index,
    plain_word,
    to,
)
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.text_message import HOLDING, AttemptState, TextKind

texts = sa.Table(
    "texts",
    metadata,
    own_id(),
    sa.Column("practice", sa.Text, nullable=False),
    to("numbers.number_hash", "number_hash", nullable=False),
    sa.Column("kind", Word(TextKind), nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("sealed_body", sa.LargeBinary, nullable=False),
    sa.Column("encoding", sa.Text, nullable=False),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("not_after", Instant, nullable=False),
    sa.Column("status", Word(DeliveryStatus), nullable=False),
    sa.Column("word", sa.Text),
    sa.Column("provider", sa.Text),
    sa.Column("provider_id", sa.Text),
    sa.Column("sender", sa.Text),
    sa.Column("error_code", sa.Text),
    sa.Column("failure", Word(Failure)),
    sa.Column("unresolved", sa.Boolean, nullable=False),
    sa.Column("price", sa.Text),
    sa.Column("currency", sa.Text),
    to("replies.id", "answers_reply", unique=True),  # one answer a reply
    sa.Column("not_before", Instant),
    sa.Column("offered_at", Instant),
    sa.Column("accepted_at", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("delivered_at", Instant),
    sa.Column("final_at", Instant),
    sa.Column("checked_at", Instant),
    sa.Column("heard_at", Instant),  # the latest of accepted_at, sent_at and checked_at
    sqlite_autoincrement=True,
)
QUEUED = texts.c.status == plain_word(DeliveryStatus.QUEUED)
UNDER_WAY = sa.and_(
    one_of(texts.c.status, (DeliveryStatus.ACCEPTED, DeliveryStatus.SENT)), texts.c.final_at.is_(None)
)
partial_index("texts_queued", texts.c.id, where=QUEUED)
partial_index("texts_under_way", texts.c.heard_at, where=UNDER_WAY)
sa.Index("texts_by_number", texts.c.number_hash, texts.c.offered_at)
sa.Index("texts_by_practice", texts.c.practice, texts.c.offered_at)
sa.Index("texts_by_provider_id", texts.c.provider_id)
sa.Index("texts_by_time", texts.c.offered_at)

text_subjects = sa.Table(
    "text_subjects",
    metadata,
    to("texts.id", "text_id", primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    to("patients.id", "patient_id", nullable=False),
    to("appointments.id", "appointment_id"),
    sa.Column("sealed_part", sa.LargeBinary),
    sqlite_with_rowid=False,
)
sa.Index("texts_by_patient", text_subjects.c.patient_id)

attempts = sa.Table(
    "attempts",
    metadata,
    own_id(),
    to("texts.id", "text_id", nullable=False),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("state", Word(AttemptState), nullable=False),
    sa.Column("offered_at", Instant, nullable=False),
    sa.Column("deadline", Instant, nullable=False),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("next_look_at", Instant),
    sa.Column("provider_id", sa.Text),
    sa.Column("why", sa.Text),
    sqlite_autoincrement=True,
)
HOLDS_ITS_TEXT = one_of(attempts.c.state, HOLDING)
OFFERED = attempts.c.state == plain_word(AttemptState.OFFERED)
UNCERTAIN = attempts.c.state == plain_word(AttemptState.UNCERTAIN)
partial_index("one_attempt_holds_a_text", attempts.c.text_id, where=HOLDS_ITS_TEXT, unique=True)
partial_index("attempts_offered", attempts.c.deadline, where=OFFERED)
partial_index("attempts_uncertain", attempts.c.next_look_at, where=UNCERTAIN)
sa.Index("attempts_by_text", attempts.c.text_id, attempts.c.id)
sa.Index("attempts_by_provider_id", attempts.c.provider_id)

sender_paces = sa.Table(
    "sender_paces",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("free_at", Instant, nullable=False),
    sa.Column("tail_at", Instant, nullable=False),
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    own_id(),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("sealed_form", sa.LargeBinary, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_autoincrement=True,
)
UNREAD = sa.not_(callbacks.c.done)
partial_index("callbacks_unread", callbacks.c.id, where=UNREAD)
sa.Index("callbacks_by_token", callbacks.c.token)
