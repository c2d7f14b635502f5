"""What later breadth of HL7 v2 feeds needs: merged patients, series, silent feeds, settings that change."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
