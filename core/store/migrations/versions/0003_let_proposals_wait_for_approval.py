"""let proposals wait for approval."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    op.add_column("proposal", sa.Column("ticket", sa.String(length=64), server_default="", nullable=False))
