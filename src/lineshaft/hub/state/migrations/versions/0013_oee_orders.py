"""Ideal cycle and crew of an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("oee_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cycle", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("crew", sa.String(length=128), nullable=False, server_default=""))
        batch_op.create_index("ix_oee_orders_start", ["start"], unique=False)
