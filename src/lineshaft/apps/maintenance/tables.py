"""Tables of maintenance in the state database; a change here needs a migration in hub/state/migrations/versions."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text

from lineshaft.hub.state.schema import metadata

# Times are UTC microseconds; assets and parts are full paths; '' is "none".

cases = Table(
    "maintenance_cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("asset", String(640), nullable=False),
    Column("part", String(640), nullable=False),
    Column("fault", String(64), nullable=False),  # kind of a finding
    Column("opened", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("stage", String(16), nullable=False),
    Column("worst", String(16), nullable=False),
    Column("left_normal", String(40), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("chance", Float, nullable=False),  # of a failure within the horizon of apps.maintenance.risk
    Column("failure_cost", Float),
    Column("repair_cost", Float),
    Column("acknowledged", String(64), nullable=False),
    Column("assigned", String(64), nullable=False),
    Column("worked", BigInteger),
    Column("outcome", String(16), nullable=False),
    Column("why", String(16), nullable=False),  # it was closed
    Column("cost", Float, nullable=False),  # of the work so far
    Column("life", JSON, nullable=False),
    Column("finding", JSON, nullable=False),
    Column("entries", JSON, nullable=False),  # [{time, kind, words, by, details}, ...]
    Column("comparison", JSON),  # vibration before and after the repair
    Column("updated", BigInteger, nullable=False),
    Index("ix_maintenance_cases_asset_opened", "asset", "opened"),
    Index("ix_maintenance_cases_closed", "closed"),
    sqlite_autoincrement=True,
)
"""One row per case, with its whole story; rows follow the events, an id stays with its case."""

marks = Table(
    "maintenance_marks",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""How far the events and bursts were worked in."""
