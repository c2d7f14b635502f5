"""What exact, lawful and kind texting needs to remember."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consents", sa.Column("medium", sa.Text))
    op.add_column("consents", sa.Column("number_hash", sa.LargeBinary))
    op.add_column("consents", sa.Column("sealed_evidence", sa.LargeBinary))
    op.add_column("suppressions", sa.Column("awaiting_start", sa.BigInteger))
    op.add_column("suppressions", sa.Column("sealed_lift_note", sa.LargeBinary))
    op.add_column(
        "reminders", sa.Column("after_text_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"))
    )
    op.add_column("replies", sa.Column("segments", sa.Integer, nullable=False, server_default="1"))
    op.add_column("replies", sa.Column("price", sa.Text))
    op.add_column("replies", sa.Column("currency", sa.Text))
    op.create_index("texts_by_provider_id", "texts", ["provider_id"])
    op.create_index("replies_by_practice", "replies", ["practice", "heard_at"])
    op.create_table(
        "billing_days",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("next_look_at", sa.BigInteger),
        sa.Column("leased_until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "budget_news",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("month", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("what", sa.Text, primary_key=True),
    )
    for name in ("owner", "outcome"):
        op.add_column("staff_tasks", sa.Column(name, sa.Text))
    for name in ("sealed_done_by", "sealed_note"):
        op.add_column("staff_tasks", sa.Column(name, sa.LargeBinary))
    op.add_column("replies", sa.Column("partial", sa.Boolean, nullable=False, server_default=sa.false()))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "visit_choices",
        sa.Column("id", big, primary_key=True),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="visit_choices_number_hash_fk"),
            nullable=False,
        ),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column(
            "reply_id", big, sa.ForeignKey("replies.id", name="visit_choices_reply_id_fk"), nullable=False
        ),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("visit_choices_by_number", "visit_choices", ["number_hash", "id"])
    for column in (
        sa.Column("source", sa.Text),
        sa.Column("sealed_author", sa.LargeBinary),
        sa.Column("form", sa.Text),
        sa.Column("minutes", sa.Integer),
        sa.Column("appointment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("slot_number", sa.Integer),
        sa.Column("sealed_override", sa.LargeBinary),
        sa.Column("to_related", sa.Boolean),
        sa.Column("asked_at", sa.BigInteger),
    ):
        op.add_column("text_requests", column)
    op.create_index("text_requests_by_patient", "text_requests", ["patient_id"])
    op.create_table(
        "sender_paces",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("free_at", sa.BigInteger, nullable=False),
        sa.Column("tail_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "number_lines",
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="number_lines_number_hash_fk"),
            primary_key=True,
        ),
        sa.Column("line_type", sa.Text),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
    )
