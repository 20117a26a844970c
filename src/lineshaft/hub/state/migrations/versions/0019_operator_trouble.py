"""Why an operator fails, kept over a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("operator_runs", sa.Column("trouble", sa.JSON(), nullable=True))
