"""The questions a reply may answer, and the staff's list."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "questions",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="questions_text_id_fk"), nullable=False),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="questions_number_hash_fk"),
            nullable=False,
        ),
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="questions_appointment_id_fk"),
            nullable=False,
        ),
        sa.Column(
            "patient_id", BIG, sa.ForeignKey("patients.id", name="questions_patient_id_fk"), nullable=False
        ),
        sa.Column("slot_number", sa.Integer, nullable=False),
        sa.Column("visit_start", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("replaced", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_question_stands",
        "questions",
        ["appointment_id", "patient_id"],
        unique=True,
        postgresql_where=sa.not_(sa.column("replaced", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("replaced", sa.Boolean)),
    )
    op.create_index(
        "questions_by_number",
        "questions",
        ["number_hash", "id"],
        postgresql_where=sa.not_(sa.column("replaced", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("replaced", sa.Boolean)),
    )

    op.create_table(
        "staff_tasks",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("practice", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("patient_id", BIG, sa.ForeignKey("patients.id", name="staff_tasks_patient_id_fk")),
        sa.Column(
            "appointment_id", BIG, sa.ForeignKey("appointments.id", name="staff_tasks_appointment_id_fk")
        ),
        sa.Column("reply_id", BIG, sa.ForeignKey("replies.id", name="staff_tasks_reply_id_fk")),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="staff_tasks_text_id_fk")),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("about", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_task_open",
        "staff_tasks",
        ["kind", "about"],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "staff_tasks_to_do",
        "staff_tasks",
        ["id"],
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
