"""Tables of OEE."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "oee_audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oee_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("oee_audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oee_audit_time"), ["time"], unique=False)
    op.create_table(
        "oee_cycles",
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("product", sa.String(length=128), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "product", name=op.f("pk_oee_cycles")),
    )
    op.create_table(
        "oee_hours",
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product", sa.String(length=128), nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("scrap", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "start", "product", name=op.f("pk_oee_hours")),
    )
    op.create_table(
        "oee_intervals",
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("cause", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("machine", "start", name=op.f("pk_oee_intervals")),
    )
    op.create_table(
        "oee_losses",
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("element", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "start", "reason", "element", "given", name=op.f("pk_oee_losses")),
    )
    with op.batch_alter_table("oee_losses", schema=None) as batch_op:
        batch_op.create_index("ix_oee_losses_start", ["start"], unique=False)
    op.create_table(
        "oee_notes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oee_notes")),
        sa.UniqueConstraint("key", name=op.f("uq_oee_notes_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("oee_notes", schema=None) as batch_op:
        batch_op.create_index("ix_oee_notes_machine_start", ["machine", "start"], unique=False)
    op.create_table(
        "oee_orders",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("product", sa.String(length=128), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oee_orders")),
    )
    with op.batch_alter_table("oee_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oee_orders_path"), ["path"], unique=False)
    op.create_table(
        "oee_slices",
        sa.Column("machine", sa.String(length=512), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("crew", sa.String(length=64), nullable=False),
        sa.Column("non_scheduled", sa.BigInteger(), nullable=False),
        sa.Column("planned_down", sa.BigInteger(), nullable=False),
        sa.Column("production", sa.BigInteger(), nullable=False),
        sa.Column("setup", sa.BigInteger(), nullable=False),
        sa.Column("minor_stop", sa.BigInteger(), nullable=False),
        sa.Column("breakdown", sa.BigInteger(), nullable=False),
        sa.Column("starved", sa.BigInteger(), nullable=False),
        sa.Column("blocked", sa.BigInteger(), nullable=False),
        sa.Column("delay", sa.BigInteger(), nullable=False),
        sa.Column("no_order", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("produced", sa.Float(), nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("scrap", sa.Float(), nullable=False),
        sa.Column("rework", sa.Float(), nullable=False),
        sa.Column("start_up_scrap", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("minor_stops", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "start", "product", "order_id", name=op.f("pk_oee_slices")),
    )
    with op.batch_alter_table("oee_slices", schema=None) as batch_op:
        batch_op.create_index("ix_oee_slices_start", ["start"], unique=False)
