"""Aliases and attributes of equipment; changes of descriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("equipment") as equipment:
        equipment.add_column(sa.Column("aliases", sa.JSON(), nullable=False, server_default="[]"))
        equipment.add_column(sa.Column("attributes", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("equipment") as equipment:
        equipment.alter_column("aliases", server_default=None)
        equipment.alter_column("attributes", server_default=None)
    op.create_table(
        "catalogue_changes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=768), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_changes")),
    )
    with op.batch_alter_table("catalogue_changes") as changes:
        changes.create_index("ix_catalogue_changes_path_time", ["path", "time"], unique=False)
