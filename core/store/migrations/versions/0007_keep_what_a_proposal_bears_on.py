"""keep what a proposal bears on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables forward."""
    op.add_column("proposal", sa.Column("parent", sa.String(length=16), server_default="", nullable=False))
    op.add_column("proposal", sa.Column("members", sa.Text(), server_default="[]", nullable=False))
    op.add_column("proposal", sa.Column("effects", sa.Text(), server_default="", nullable=False))
    op.add_column("proposal", sa.Column("total", sa.Integer(), server_default="0", nullable=False))
    op.add_column("proposal", sa.Column("found", sa.Text(), server_default="", nullable=False))
    op.add_column("proposal", sa.Column("ordered_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_proposal_parent", "proposal", ["parent"], unique=False)
