"""What senders are yet to hear of their messages: the outbox of application acknowledgments."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import BIG, Instant, Word, metadata, partial_index, plain_word
from integration.domain.application_acknowledgment import AcknowledgmentState

application_acknowledgments = sa.Table(
    "application_acknowledgments",
    metadata,
    # No foreign key: the inbox is purged by its own rules.
    sa.Column("inbox_id", BIG, primary_key=True, autoincrement=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("control_id", sa.Text, nullable=False),
    sa.Column("sealed_message", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("state", Word(AcknowledgmentState), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Instant),
    sa.Column("reason", sa.Text),
    sa.Column("ready_at", Instant, nullable=False),  # the end of its lease, else its next try
)
WAITING = application_acknowledgments.c.state == plain_word(AcknowledgmentState.WAITING)
partial_index(
    "application_acknowledgments_waiting",
    application_acknowledgments.c.feed,
    application_acknowledgments.c.inbox_id,
    where=WAITING,
)
