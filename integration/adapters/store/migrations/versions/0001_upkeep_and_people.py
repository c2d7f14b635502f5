"""What the store knows of itself; numbers and patients."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "stamp",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )

    op.create_table(
        "data_keys",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("sealed_hash_key", sa.LargeBinary, nullable=False),
    )

    op.create_table(
        "breakers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("released_at", sa.BigInteger),
    )

    op.create_table(
        "numbers",
        sa.Column("number_hash", sa.LargeBinary, primary_key=True),
        sa.Column("sealed_number", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "patients",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("sealed_identifiers", sa.LargeBinary, nullable=False),
        sa.Column("sealed_given", sa.LargeBinary, nullable=False),
        sa.Column("sealed_family", sa.LargeBinary, nullable=False),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="patients_number_hash_fk"),
        ),
        sa.Column("sealed_birth_date", sa.LargeBinary),
        sa.Column("language", sa.Text),
        sa.Column("deceased", sa.Boolean, nullable=False),
        sa.Column("suppressed", sa.Boolean, nullable=False),
        sa.Column("event_time", sa.BigInteger),
        sa.Column("sealed_resource", sa.LargeBinary, nullable=False),
        sa.Column("sealed_ehr_id", sa.LargeBinary),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sqlite_autoincrement=True,
    )
    op.create_index("patients_by_number", "patients", ["number_hash"])

    op.create_table(
        "patient_identifiers",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "patient_id",
            BIG,
            sa.ForeignKey("patients.id", name="patient_identifiers_patient_id_fk"),
            nullable=False,
        ),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "consents",
        sa.Column("id", BIG, primary_key=True),
        sa.Column(
            "patient_id", BIG, sa.ForeignKey("patients.id", name="consents_patient_id_fk"), nullable=False
        ),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("consents_by_patient", "consents", ["patient_id", "recorded_at", "id"])

    op.create_table(
        "suppressions",
        sa.Column("id", BIG, primary_key=True),
        sa.Column(
            "number_hash",
            sa.LargeBinary,
            sa.ForeignKey("numbers.number_hash", name="suppressions_number_hash_fk"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sealed_evidence", sa.LargeBinary, nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
        sa.Column("lifted_by", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "automatic_opt_outs",
        "suppressions",
        ["since"],
        postgresql_where=sa.text("kind = 'opt_out' AND source = 'carrier'"),
        sqlite_where=sa.text("kind = 'opt_out' AND source = 'carrier'"),
    )
    op.create_index(
        "one_suppression_in_force",
        "suppressions",
        ["number_hash", "kind", "sender"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
        sqlite_where=sa.text("lifted_at IS NULL"),
    )
