"""What later breadth of HL7 v2 feeds needs: merged patients, series, silent feeds, settings that change."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
        sa.Column("inbox_id", BIG, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("holds_by_message", "holds", ["inbox_id"])
    op.create_index(
        "appointments_held",
        "appointments",
        ["held_by"],
        postgresql_where=sa.text("held_by IS NOT NULL"),
        sqlite_where=sa.text("held_by IS NOT NULL"),
    )
    op.create_table(
        "application_acknowledgments",
        sa.Column("inbox_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("control_id", sa.Text, nullable=False),
        sa.Column("sealed_message", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "application_acknowledgments_waiting",
        "application_acknowledgments",
        ["feed", "inbox_id"],
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
