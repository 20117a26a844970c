"""Tables of OEE in the state database; a change here needs a migration in hub/state/migrations/versions."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    false,
)

from lineshaft.hub.state.schema import metadata

# Times are UTC microseconds; machines are full paths; '' is "none" in keys.

intervals = Table(
    "oee_intervals",
    metadata,
    Column("machine", String(512), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("end", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),  # analytics.oee.states.State
    Column("cause", String(512), nullable=False),  # the machine that starved or blocked it
    Column("reason", String(64), nullable=False),  # proposed from the machine's own words
    Column("product", String(128), nullable=False),
    Column("order_id", String(128), nullable=False),
    Column("good", Float, nullable=False),
    Column("scrap", Float, nullable=False),
    Column("rework", Float, nullable=False),
)
"""What each machine did, as the signals say: nothing in it comes from a person."""

TOTALS = ("non_scheduled", "planned_down", "production", "setup", "minor_stop", "breakdown", "starved", "blocked",
          "delay", "no_order", "unknown")  # fmt: skip
COUNTS = ("produced", "good", "scrap", "rework", "start_up_scrap")
EVENTS = ("failures", "stops", "minor_stops")

slices = Table(
    "oee_slices",
    metadata,
    Column("machine", String(512), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # of the slot
    Column("product", String(128), primary_key=True),
    Column("order_id", String(128), primary_key=True),
    Column("end", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),  # local date on which the shift began
    Column("shift", String(64), nullable=False),
    Column("crew", String(64), nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in TOTALS),
    *(Column(name, Float, nullable=False) for name in COUNTS),
    *(Column(name, Integer, nullable=False) for name in EVENTS),
    Index("ix_oee_slices_start", "start"),
)
"""Totals per machine, slot, product and order; KPIs are made of sums of these."""

losses = Table(
    "oee_losses",
    metadata,
    Column("machine", String(512), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(64), primary_key=True),
    Column("element", SmallInteger, primary_key=True, autoincrement=False),  # analytics.oee.elements.Element
    Column("given", Boolean, primary_key=True),  # by a person
    Column("time", BigInteger, nullable=False),
    Column("stops", Integer, nullable=False),
    Index("ix_oee_losses_start", "start"),
)
"""Time and number of stops per machine, slot and reason."""

hours = Table(
    "oee_hours",
    metadata,
    Column("machine", String(512), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # of the local hour
    Column("product", String(128), primary_key=True),
    Column("good", Float, nullable=False),
    Column("scrap", Float, nullable=False),
)
"""Parts per hour, for the board."""

notes = Table(
    "oee_notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("machine", String(512), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),  # '' takes back what was said
    Column("comment", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("key", String(64), nullable=False, unique=True),  # of the entry, so that one sent twice counts once
    Column("open", Boolean, nullable=False, server_default=false()),  # it still stands: `end` moves until it runs
    Index("ix_oee_notes_machine_start", "machine", "start"),
    sqlite_autoincrement=True,
)
"""Reasons that people gave. Nothing is removed: what is said later for a time counts for it."""

handovers = Table(
    "oee_handovers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("path", String(512), nullable=False),  # of the line
    Column("shift_start", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),  # note: of the leaving shift; taken: the coming shift has read it
    Column("text", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("key", String(64), nullable=False, unique=True),  # of the entry, so that one sent twice counts once
    Index("ix_oee_handovers_path_shift", "path", "shift_start"),
    sqlite_autoincrement=True,
)
"""What a shift tells the next one, and who took it over; nothing is changed or removed."""

audit = Table(
    "oee_audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False, index=True),
    Column("by", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("machine", String(512), nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""Who changed what."""

orders = Table(
    "oee_orders",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("path", String(512), nullable=False, index=True),  # line or machine
    Column("product", String(128), nullable=False),
    Column("quantity", Float, nullable=False),
    Column("start", BigInteger, nullable=False),  # planned
    Column("end", BigInteger, nullable=False),
    Column("began", BigInteger),  # as a person said
    Column("ended", BigInteger),
    Column("cycle", Float),  # ideal seconds of one part, for this order alone
    Column("crew", String(128), nullable=False, server_default=""),
    Index("ix_oee_orders_start", "start"),
)
"""The production plan."""

deliveries = Table(
    "oee_deliveries",
    metadata,
    Column("id", String(400), primary_key=True),
    Column("target", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("topic", String(16), nullable=False),
    Column("path", String(512), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    Column("due", BigInteger, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("sent", BigInteger),
    Index("ix_oee_deliveries_state_due", "state", "due"),
)
"""Messages about shifts and orders that have ended: what was sent, what waits."""

cycles = Table(
    "oee_cycles",
    metadata,
    Column("machine", String(512), primary_key=True),
    Column("product", String(128), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Ideal cycles that a person confirmed; they win over those of the plant folder."""

calendar = Table(
    "oee_calendar",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("path", String(512), nullable=False),  # site, area, line or machine
    Column("kind", String(16), nullable=False),  # apps.oee.exceptions.Kind
    Column("first", String(16), nullable=False),  # local date, or date and time of a planned stop
    Column("last", String(16), nullable=False),
    Column("shifts", JSON, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_oee_calendar_path", "path"),
    sqlite_autoincrement=True,
)
"""Days that are not as the plant folder has them; the audit holds what was changed and removed."""
