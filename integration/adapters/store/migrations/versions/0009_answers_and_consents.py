"""What each patient of a visit has answered, and what consent rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appointments", sa.Column("confirmed_by", sa.Text))
    op.create_index(
        "staff_tasks_by_reply",
        "staff_tasks",
        ["reply_id"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
