"""Parts of each OEE interval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was kept before is summed up again at the next start, for it has no parts yet."""
    for table in ("oee_intervals", "oee_slices", "oee_losses", "oee_hours"):
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - fixed names
    with op.batch_alter_table("oee_intervals", schema=None) as batch_op:
        for name in ("good", "scrap", "rework"):
            batch_op.add_column(sa.Column(name, sa.Float(), nullable=False))
