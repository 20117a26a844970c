"""Reasons given while a machine stands, and handovers from shift to shift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("oee_notes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "oee_handovers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("shift_start", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oee_handovers")),
        sa.UniqueConstraint("key", name=op.f("uq_oee_handovers_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("oee_handovers", schema=None) as batch_op:
        batch_op.create_index("ix_oee_handovers_path_shift", ["path", "shift_start"], unique=False)
