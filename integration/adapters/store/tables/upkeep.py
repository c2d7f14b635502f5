"""What the store knows of itself: what it is, its keys, and what is stopped."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import BIG, Instant, metadata

stamp = sa.Table(
    "stamp",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),  # real | demo | simulated; never opened as another
    sa.Column("created_at", Instant, nullable=False),
)

# The hash key, wrapped by each data key that may open this store; a data key that unwraps none is wrong.
data_keys = sa.Table(
    "data_keys",
    metadata,
    sa.Column(
        "id", sa.SmallInteger, primary_key=True, autoincrement=False
    ),  # the first byte of what it sealed
    sa.Column("sealed_hash_key", sa.LargeBinary, nullable=False),
)

# The last MSH-13 kept of each feed that follows the sequence number protocol. `inbox.py` writes these too.
sequence_numbers = sa.Table(
    "sequence_numbers",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("last", BIG),  # NULL: whatever comes next is the first
)

# Breakers that were ever open; a released one keeps the time of its release.
breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_at", Instant),
)
