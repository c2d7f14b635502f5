"""Replies, texts and the attempts to send them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="replies_number_hash_fk"),
            nullable=False,
        ),
        sa.Column("to_number", sa.Text, nullable=False),
        sa.Column("sealed_body", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("media", sa.Integer, nullable=False),
        sa.Column("keyword_handled", sa.Text),
        sa.Column("intent", sa.Text),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("practice", sa.Text),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="replies_text_id_fk", use_alter=True)),
        sa.Column("patient_id", BIG, sa.ForeignKey("patients.id", name="replies_patient_id_fk")),
        sa.Column("appointment_id", BIG, sa.ForeignKey("appointments.id", name="replies_appointment_id_fk")),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.UniqueConstraint("provider", "provider_id", name="replies_provider_provider_id_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index("replies_by_number", "replies", ["number_hash", "heard_at"])
    op.create_index(
        "replies_waiting",
        "replies",
        ["id"],
        postgresql_where=sa.not_(sa.column("done", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("done", sa.Boolean)),
    )
    op.create_index(
        "replies_waiting_by_number",
        "replies",
        ["number_hash", "id"],
        postgresql_where=sa.not_(sa.column("done", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("done", sa.Boolean)),
    )

    op.create_table(
        "texts",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="texts_number_hash_fk"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("occasion", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("sealed_body", sa.LargeBinary, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("word", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("provider_id", sa.Text),
        sa.Column("sender", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("unresolved", sa.Boolean, nullable=False),
        sa.Column("price", sa.Text),
        sa.Column("currency", sa.Text),
        sa.Column("answers_reply", BIG, sa.ForeignKey("replies.id", name="texts_answers_reply_fk")),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("offered_at", sa.BigInteger),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("final_at", sa.BigInteger),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("heard_at", sa.BigInteger),
        sa.UniqueConstraint("answers_reply", name="texts_answers_reply_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index("texts_by_number", "texts", ["number_hash", "offered_at"])
    op.create_index("texts_by_practice", "texts", ["practice", "offered_at"])
    op.create_index("texts_by_time", "texts", ["offered_at"])
    op.create_index(
        "texts_queued",
        "texts",
        ["id"],
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "texts_under_way",
        "texts",
        ["heard_at"],
        postgresql_where=sa.text("status IN ('accepted', 'sent') AND final_at IS NULL"),
        sqlite_where=sa.text("status IN ('accepted', 'sent') AND final_at IS NULL"),
    )

    op.create_table(
        "text_subjects",
        sa.Column(
            "text_id", BIG, sa.ForeignKey("texts.id", name="text_subjects_text_id_fk"), primary_key=True
        ),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "patient_id",
            BIG,
            sa.ForeignKey("patients.id", name="text_subjects_patient_id_fk"),
            nullable=False,
        ),
        sa.Column(
            "appointment_id", BIG, sa.ForeignKey("appointments.id", name="text_subjects_appointment_id_fk")
        ),
        sa.Column("sealed_part", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_index("texts_by_patient", "text_subjects", ["patient_id"])

    op.create_table(
        "attempts",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("text_id", BIG, sa.ForeignKey("texts.id", name="attempts_text_id_fk"), nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("offered_at", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("next_look_at", sa.BigInteger),
        sa.Column("provider_id", sa.Text),
        sa.Column("why", sa.Text),
        sa.UniqueConstraint("token", name="attempts_token_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index("attempts_by_provider_id", "attempts", ["provider_id"])
    op.create_index("attempts_by_text", "attempts", ["text_id", "id"])
    op.create_index(
        "attempts_offered",
        "attempts",
        ["deadline"],
        postgresql_where=sa.text("state = 'offered'"),
        sqlite_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "attempts_uncertain",
        "attempts",
        ["next_look_at"],
        postgresql_where=sa.text("state = 'uncertain'"),
        sqlite_where=sa.text("state = 'uncertain'"),
    )
    op.create_index(
        "one_attempt_holds_a_text",
        "attempts",
        ["text_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('accepted', 'offered', 'uncertain', 'unresolved')"),
        sqlite_where=sa.text("state IN ('accepted', 'offered', 'uncertain', 'unresolved')"),
    )

    op.create_table(
        "callbacks",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("sealed_form", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index("callbacks_by_token", "callbacks", ["token"])
    op.create_index(
        "callbacks_unread",
        "callbacks",
        ["id"],
        postgresql_where=sa.not_(sa.column("done", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("done", sa.Boolean)),
    )

    if op.get_bind().dialect.name != "sqlite":  # SQLite has it from the table's beginning
        op.create_foreign_key("replies_text_id_fk", "replies", "texts", ["text_id"], ["id"])
