"""Found signals and where people put them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("signals") as signals:
        signals.add_column(sa.Column("made", sa.String(length=768), nullable=False, server_default=""))
        signals.add_column(sa.Column("placed", sa.Boolean(), nullable=False, server_default=sa.false()))
