"""What listening to the EHR's FHIR server needs, and the token that all processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ehr_wants",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("reference_hash", sa.LargeBinary, nullable=False),
        sa.Column("sealed_reference", sa.LargeBinary, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("inbox_id", BIG),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("feed", "reference_hash", name="ehr_wants_feed_reference_hash_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ehr_wants_pending",
        "ehr_wants",
        ["ready_at", "id"],
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "ehr_polls",
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("location", sa.Text, primary_key=True),
        sa.Column("changed_since", sa.BigInteger),
        sa.Column("covered_until", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "ehr_snapshots",
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("reference_hash", sa.LargeBinary, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ehr_subscriptions",
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("resource_type", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("ehr_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("last_event", BIG),
        sa.Column("ahead", sa.Text, nullable=False),
        sa.Column("told_of", BIG),
        sa.Column("gap_since", sa.BigInteger),
        sa.Column("heard_at", sa.BigInteger),
        sa.Column("event_at", sa.BigInteger),
        sa.Column("next_look_at", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "access_tokens",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed_token", sa.LargeBinary),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("refreshed_until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "text_requests",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("ehr_id_hash", sa.LargeBinary, nullable=False),
        sa.Column("sealed_ehr_id", sa.LargeBinary, nullable=False),
        sa.Column(
            "patient_id",
            BIG,
            sa.ForeignKey("patients.id", name="text_requests_patient_id_fk"),
            nullable=False,
        ),
        sa.Column("practice", sa.Text),
        sa.Column("sealed_body", sa.LargeBinary, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="text_requests_text_id_fk")),
        sa.UniqueConstraint("text_id", name="text_requests_text_id_uq"),
        sa.UniqueConstraint("feed", "ehr_id_hash", name="text_requests_feed_ehr_id_hash_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "text_requests_waiting",
        "text_requests",
        ["due_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.add_column("write_backs", sa.Column("mode", sa.Text))
    op.add_column("write_backs", sa.Column("sealed_words", sa.LargeBinary))
