"""The site itself: its configurations, who runs with which, and the feeds that are expected to speak."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Instant,
    metadata,
    own_id,
    partial_index,
    plain_word,
)

configurations = sa.Table(
    "configurations",
    metadata,
    own_id(),  # its generation
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("sealed_texts", sa.LargeBinary),  # JSON; may hold numbers of those who try it out
    sa.Column("state", sa.Text, nullable=False),  # proposed | in_force | refused | past
    sa.Column("reason", sa.Text),
    sa.Column("at", Instant, nullable=False),
    sa.Column("anew", sa.Text),  # JSON: feeds and practices whose appointments are still to be thought over
    sa.Column("anew_after", BIG, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
IN_FORCE = configurations.c.state == plain_word("in_force")
PROPOSED = configurations.c.state == plain_word("proposed")
partial_index("one_configuration_in_force", configurations.c.state, where=IN_FORCE, unique=True)
partial_index("one_configuration_proposed", configurations.c.state, where=PROPOSED, unique=True)

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("generation", BIG, nullable=False),
    sa.Column("answered", BIG),
    sa.Column("refusal", sa.Text),
    sa.Column("seen_at", Instant, nullable=False),
)

feed_watches = sa.Table(
    "feed_watches",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("since", Instant, nullable=False),
    sa.Column("looked_at", Instant, nullable=False),
    sa.Column("looked_up_to", BIG, nullable=False),
    sa.Column("last_heard", Instant),
    sa.Column("silent_since", Instant),
)
