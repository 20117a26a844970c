"""States of operators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "operator_runs",
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=640), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("operator", "asset", name=op.f("pk_operator_runs")),
    )
    op.create_table(
        "operator_states",
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=640), nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "asset", "slot", name=op.f("pk_operator_states")),
    )
