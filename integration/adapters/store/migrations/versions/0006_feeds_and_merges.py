"""What later breadth of HL7 v2 feeds needs: merged patients, series, silent feeds, settings that change."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # what is encrypted cannot be compressed: do not try
        op.execute("ALTER TABLE inbox ALTER COLUMN sealed_payload SET STORAGE EXTERNAL")
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
        "sequence_numbers",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("last", BIG),
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
    op.add_column("patients", sa.Column("guardian_number_hash", sa.LargeBinary))
    op.add_column("patients", sa.Column("guardian_language", sa.Text))
    op.create_index("patients_by_guardian", "patients", ["guardian_number_hash"])

    op.create_table(
        "configurations",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("sealed_texts", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("anew", sa.Text),
        sa.Column("anew_after", BIG, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    for name, state in (
        ("one_configuration_in_force", "in_force"),
        ("one_configuration_proposed", "proposed"),
    ):
        op.create_index(
            name,
            "configurations",
            ["state"],
            unique=True,
            postgresql_where=sa.text(f"state = '{state}'"),
            sqlite_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "processes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("generation", BIG, nullable=False),
        sa.Column("answered", BIG),
        sa.Column("refusal", sa.Text),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "feed_watches",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
        sa.Column("looked_up_to", BIG, nullable=False),
        sa.Column("last_heard", sa.BigInteger),
        sa.Column("silent_since", sa.BigInteger),
    )
    op.add_column("appointments", sa.Column("slot_from", BIG))
    op.add_column("staff_tasks", sa.Column("feed", sa.Text))
    op.add_column("appointments", sa.Column("sealed_parents", sa.LargeBinary))
    op.add_column("appointments", sa.Column("sealed_past", sa.LargeBinary))
    op.create_table(
        "appointment_parents",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="appointment_parents_appointment_id_fk"),
            primary_key=True,
        ),
        sqlite_with_rowid=False,
    )
    op.add_column("changes", sa.Column("patients_before", sa.Text))
    op.add_column("patients", sa.Column("silenced_by", sa.Text))
    op.add_column("patients", sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("patients", sa.Column("sealed_gone", sa.LargeBinary))
    op.add_column("patients", sa.Column("merged_into", BIG))
    op.add_column("patients", sa.Column("number_at", sa.BigInteger))
    op.create_index(
        "patients_merged",
        "patients",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
        sqlite_where=sa.text("merged_into IS NOT NULL"),
    )
