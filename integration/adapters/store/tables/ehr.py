"""The EHR's FHIR server: what is to be read there, how far we have listened, and the token all share."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Instant,
    metadata,
    own_id,
    partial_index,
    plain_word,
)

ehr_wants = sa.Table(
    "ehr_wants",
    metadata,
    own_id(),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("reference_hash", sa.LargeBinary, nullable=False),
    sa.Column("sealed_reference", sa.LargeBinary, nullable=False),  # JSON: type, id, identifier
    sa.Column("told_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending | read | refused
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Instant),
    sa.Column("reason", sa.Text),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("inbox_id", BIG),  # no foreign key, the inbox is purged by its own rules
    sa.Column("ready_at", Instant, nullable=False),  # the end of its lease, else its next try
    sa.UniqueConstraint("feed", "reference_hash"),
    sqlite_autoincrement=True,
)
PENDING_WANT = ehr_wants.c.state == plain_word("pending")
partial_index("ehr_wants_pending", ehr_wants.c.ready_at, ehr_wants.c.id, where=PENDING_WANT)

ehr_polls = sa.Table(
    "ehr_polls",
    metadata,
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("location", sa.Text, primary_key=True),  # '': all places at once
    sa.Column("changed_since", Instant),
    sa.Column("covered_until", Instant),
    # Leased, it is the end of the lease, unless somebody wants it earlier.
    sa.Column("next_at", Instant, nullable=False),
    sa.Column("leased_until", Instant, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
)

# A resource may come back to a state it was in before: the chain of its states tells them apart.
ehr_snapshots = sa.Table(
    "ehr_snapshots",
    metadata,
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("reference_hash", sa.LargeBinary, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),  # of what was read last
    sa.Column("chain", sa.LargeBinary, nullable=False),  # of all that was ever read, one after another
    sa.Column("asked_at", Instant, nullable=False),  # when it was asked for what was read last
)

ehr_subscriptions = sa.Table(
    "ehr_subscriptions",
    metadata,
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("resource_type", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),  # '': a classic one
    sa.Column("ehr_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # topic | classic
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("last_event", BIG),
    sa.Column("ahead", sa.Text, nullable=False),  # numbers, with spaces between them
    sa.Column("told_of", BIG),
    sa.Column("gap_since", Instant),
    sa.Column("heard_at", Instant),
    sa.Column("event_at", Instant),
    sa.Column("next_look_at", Instant),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("ready_at", Instant, nullable=False),  # the end of its lease, else `next_look_at`
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("sealed_token", sa.LargeBinary),  # NULL: none is kept
    sa.Column("expires_at", Instant),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("refreshed_until", Instant, nullable=False),  # somebody fetches a new one, at most until then
)
