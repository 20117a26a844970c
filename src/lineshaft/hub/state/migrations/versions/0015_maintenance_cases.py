"""Cases of maintenance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "maintenance_cases",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("asset", sa.String(length=640), nullable=False),
        sa.Column("part", sa.String(length=640), nullable=False),
        sa.Column("fault", sa.String(length=64), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("worst", sa.String(length=16), nullable=False),
        sa.Column("left_normal", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("failure_cost", sa.Float(), nullable=True),
        sa.Column("repair_cost", sa.Float(), nullable=True),
        sa.Column("acknowledged", sa.String(length=64), nullable=False),
        sa.Column("assigned", sa.String(length=64), nullable=False),
        sa.Column("worked", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("life", sa.JSON(), nullable=False),
        sa.Column("finding", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("comparison", sa.JSON(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_cases")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("maintenance_cases", schema=None) as batch_op:
        batch_op.create_index("ix_maintenance_cases_asset_opened", ["asset", "opened"], unique=False)
        batch_op.create_index("ix_maintenance_cases_closed", ["closed"], unique=False)
    op.create_table(
        "maintenance_marks",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_maintenance_marks")),
    )
