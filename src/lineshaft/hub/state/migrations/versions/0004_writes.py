"""Values that were set on devices: who, when, why, from, to, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "writes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("signal", sa.String(length=768), nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("expected", sa.JSON(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.Column("undo_of", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writes")),
    )
    with op.batch_alter_table("writes", schema=None) as batch_op:
        batch_op.create_index("ix_writes_time_id", ["time", "id"], unique=False)
        batch_op.create_index("ix_writes_signal_time", ["signal", "time"], unique=False)
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("writable", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("may_write", sa.Boolean(), nullable=False, server_default=sa.false()))
