"""The inbox, appointments and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("control_id", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("sealed_payload", sa.LargeBinary),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="new"),
        sa.Column("reason", sa.Text),
        sa.Column("replayed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.UniqueConstraint("digest", "channel", name="inbox_digest_channel_uq"),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_by_control_id", "inbox", ["control_id", "channel", "id"])
    op.create_index(
        "inbox_dead",
        "inbox",
        ["id"],
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "inbox_new",
        "inbox",
        ["channel", "id"],
        postgresql_where=sa.text("state = 'new'"),
        sqlite_where=sa.text("state = 'new'"),
    )

    op.create_table(
        "appointments",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("sealed_identifiers", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("start_at", sa.BigInteger),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("slot_number", sa.Integer, nullable=False),
        sa.Column("practice", sa.Text),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("event_time", sa.BigInteger),
        sa.Column("held_by", BIG),
        sa.Column("sealed_resource", sa.LargeBinary, nullable=False),
        sa.Column("sealed_ehr_id", sa.LargeBinary),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "appointment_identifiers",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="appointment_identifiers_appointment_id_fk"),
            nullable=False,
        ),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "appointment_patients",
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="appointment_patients_appointment_id_fk"),
            primary_key=True,
        ),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "patient_id",
            BIG,
            sa.ForeignKey("patients.id", name="appointment_patients_patient_id_fk"),
            nullable=False,
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("appointments_by_patient", "appointment_patients", ["patient_id"])

    op.create_table(
        "changes",
        sa.Column("id", BIG, primary_key=True),
        sa.Column(
            "appointment_id",
            BIG,
            sa.ForeignKey("appointments.id", name="changes_appointment_id_fk"),
            nullable=False,
        ),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("before_start_at", sa.BigInteger),
        sa.Column("before_place", sa.Text),
        sa.Column("before_modality", sa.Text),
        sa.Column("quiet", sa.Boolean, nullable=False),
        sa.Column("inbox_id", BIG),
        sa.Column("planned", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "changes_waiting",
        "changes",
        ["id"],
        postgresql_where=sa.not_(sa.column("planned", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("planned", sa.Boolean)),
    )
    op.create_index(
        "changes_waiting_by_appointment",
        "changes",
        ["appointment_id", "id"],
        postgresql_where=sa.not_(sa.column("planned", sa.Boolean)),
        sqlite_where=sa.not_(sa.column("planned", sa.Boolean)),
    )
