"""Reminders, and what the chart should be told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("id", BIG, primary_key=True),
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="reminders_appointment_id_fk"),
            nullable=False,
        ),
        sa.Column(
            "patient_id", BIG, sa.ForeignKey("patients.id", name="reminders_patient_id_fk"), nullable=False
        ),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="reminders_number_hash_fk"),
            nullable=False,
        ),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("slot_number", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="reminders_text_id_fk")),
        sa.Column("inbox_id", BIG),
        sa.Column("decided_at", sa.BigInteger),
        sa.UniqueConstraint(
            "appointment_id", "patient_id", "number_hash", "step", "slot_number", name="one_reminder"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("reminders_by_practice", "reminders", ["practice", "step", "due_at"])
    op.create_index(
        "reminders_by_text",
        "reminders",
        ["text_id"],
        postgresql_where=sa.text("text_id IS NOT NULL"),
        sqlite_where=sa.text("text_id IS NOT NULL"),
    )
    op.create_index(
        "reminders_due",
        "reminders",
        ["due_at", "id"],
        postgresql_where=sa.text("state IN ('held', 'planned') AND text_id IS NULL"),
        sqlite_where=sa.text("state IN ('held', 'planned') AND text_id IS NULL"),
    )
    op.create_index(
        "reminders_open_by_number",
        "reminders",
        ["number_hash"],
        postgresql_where=sa.text("state IN ('held', 'planned')"),
        sqlite_where=sa.text("state IN ('held', 'planned')"),
    )

    op.create_table(
        "write_backs",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column(
            "patient_id", BIG, sa.ForeignKey("patients.id", name="write_backs_patient_id_fk"), nullable=False
        ),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("written_revision", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("ehr_id", sa.Text),
        sa.Column("ehr_version", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("ready_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint(
            "kind", "subject_id", "patient_id", name="write_backs_kind_subject_id_patient_id_uq"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "write_backs_pending",
        "write_backs",
        ["ready_at", "id"],
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
