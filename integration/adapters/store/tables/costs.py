"""The days whose bill is still to be read, and what has been told of a month's budget."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import Instant, metadata

billing_days = sa.Table(
    "billing_days",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("day", Instant, primary_key=True, autoincrement=False),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("next_look_at", Instant),
    sa.Column("leased_until", Instant, nullable=False),
)

budget_news = sa.Table(
    "budget_news",
    metadata,
    sa.Column("practice", sa.Text, primary_key=True),
    sa.Column("month", Instant, primary_key=True, autoincrement=False),
    sa.Column("what", sa.Text, primary_key=True),
)
