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
