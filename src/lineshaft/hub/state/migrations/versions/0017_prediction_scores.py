"""What scores need of all predictions, kept small."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make what is new."""
    op.create_index("ix_predictions_superseded", "predictions", ["superseded"])
    op.create_table(
        "prediction_scores",
        sa.Column("asset", sa.String(length=640), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("expiries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("asset", "model", "version", "kind", "type", name=op.f("pk_prediction_scores")),
    )
