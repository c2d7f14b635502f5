"""Replies, the questions they may answer, and what staff must do about them."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import Instant, Word, metadata, own_id, partial_index, to
from integration.domain.staff_task import TaskKind, TaskOutcome

replies = sa.Table(
    "replies",
    metadata,
    own_id(),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    to("numbers.number_hash", "number_hash", nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),  # ours, so plain
    sa.Column("sealed_body", sa.LargeBinary, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("heard_at", Instant, nullable=False),
    sa.Column("media", sa.Integer, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("keyword_handled", sa.Text),
    sa.Column("intent", sa.Text),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("practice", sa.Text),
    to("texts.id", "text_id", use_alter=True),  # a text may answer a reply, too
    to("patients.id", "patient_id"),
    to("appointments.id", "appointment_id"),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("segments", sa.Integer, nullable=False, server_default="1"),
    sa.Column("price", sa.Text),
    sa.Column("currency", sa.Text),
    sa.UniqueConstraint("provider", "provider_id"),
    sqlite_autoincrement=True,
)
NOT_DONE = sa.not_(replies.c.done)
sa.Index("replies_by_practice", replies.c.practice, replies.c.heard_at)
sa.Index("replies_by_number", replies.c.number_hash, replies.c.heard_at)
partial_index("replies_waiting", replies.c.id, where=NOT_DONE)
partial_index("replies_waiting_by_number", replies.c.number_hash, replies.c.id, where=NOT_DONE)

questions = sa.Table(
    "questions",
    metadata,
    own_id(),
    to("texts.id", "text_id", nullable=False),
    to("numbers.number_hash", "number_hash", nullable=False),
    to("appointments.id", "appointment_id", nullable=False),
    to("patients.id", "patient_id", nullable=False),
    sa.Column("slot_number", sa.Integer, nullable=False),
    sa.Column("visit_start", Instant, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("answered_at", Instant),
    sa.Column("replaced", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_autoincrement=True,
)
STANDS = sa.not_(questions.c.replaced)
partial_index(
    "one_question_stands", questions.c.appointment_id, questions.c.patient_id, where=STANDS, unique=True
)
partial_index("questions_by_number", questions.c.number_hash, questions.c.id, where=STANDS)

visit_choices = sa.Table(
    "visit_choices",
    metadata,
    own_id(),
    to("numbers.number_hash", "number_hash", nullable=False),
    sa.Column("sender", sa.Text, nullable=False),  # ours, so plain
    sa.Column("intent", sa.Text, nullable=False),
    to("replies.id", "reply_id", nullable=False),
    sa.Column("options", sa.JSON, nullable=False),  # each [appointment, patient, slot number], by our ids
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("visit_choices_by_number", visit_choices.c.number_hash, visit_choices.c.id)

staff_tasks = sa.Table(
    "staff_tasks",
    metadata,
    own_id(),
    sa.Column("kind", Word(TaskKind), nullable=False),
    sa.Column("practice", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant),
    to("patients.id", "patient_id"),
    to("appointments.id", "appointment_id"),
    to("replies.id", "reply_id"),
    to("texts.id", "text_id"),
    sa.Column("done_at", Instant),
    sa.Column(
        "about", sa.Text, nullable=False
    ),  # practice, patient, visit, reply, text, feed in one: NULLs are never equal
    sa.Column("feed", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("outcome", Word(TaskOutcome)),
    sa.Column("sealed_done_by", sa.LargeBinary),
    sa.Column("sealed_note", sa.LargeBinary),
    sqlite_autoincrement=True,
)
TO_DO = staff_tasks.c.done_at.is_(None)
partial_index("one_task_open", staff_tasks.c.kind, staff_tasks.c.about, where=TO_DO, unique=True)
partial_index("staff_tasks_to_do", staff_tasks.c.id, where=TO_DO)
partial_index("staff_tasks_by_reply", staff_tasks.c.reply_id, where=TO_DO)
