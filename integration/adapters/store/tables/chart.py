"""What the chart should be told: the outbox."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Instant,
    Word,
    metadata,
    own_id,
    partial_index,
    plain_word,
    to,
)
from integration.domain.write_back import WriteBackKind, WriteBackState

write_backs = sa.Table(
    "write_backs",
    metadata,
    own_id(),
    sa.Column("kind", Word(WriteBackKind), nullable=False),
    sa.Column("subject_id", BIG, nullable=False),  # of texts, replies or staff tasks, as `kind` says
    to("patients.id", "patient_id", nullable=False),
    sa.Column("state", Word(WriteBackState), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("written_revision", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Instant),
    sa.Column("ehr_id", sa.Text),
    sa.Column("ehr_version", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("mode", sa.Text),
    sa.Column("sealed_words", sa.LargeBinary),  # the EHR's own about a refusal
    sa.Column("ready_at", Instant, nullable=False),  # the end of its lease, else its next try
    sa.UniqueConstraint("kind", "subject_id", "patient_id"),
    sqlite_autoincrement=True,
)
PENDING = write_backs.c.state == plain_word(WriteBackState.PENDING)
partial_index("write_backs_pending", write_backs.c.ready_at, write_backs.c.id, where=PENDING)
