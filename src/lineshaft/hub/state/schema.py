"""The tables of the state database; a change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Times are UTC microseconds everywhere.

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("created", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the cookie's value
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),  # moves with use, up to a bound
    Column("used", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
)

views = Table(
    "views",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(100), nullable=False),
    Column("owner", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("address", Text, nullable=False),  # path and query of a page
    Column("changed", BigInteger, nullable=False),
    UniqueConstraint("owner", "name"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("user_name", ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("used", BigInteger),
    Column("may_write", Boolean, nullable=False, server_default=false()),  # to devices
)

screens = Table(
    "screens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the key
    Column("name", String(100), nullable=False),
    Column("made_by", String(64), nullable=False),  # no foreign key: a wall screen outlives the account that made it
    Column("created", BigInteger, nullable=False),
    Column("used", BigInteger),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

equipment = Table(
    "equipment",
    metadata,
    Column("path", String(512), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("level", String(16), nullable=False),
    Column("type", String(64), nullable=False),
    Column("description", Text, nullable=False),
    Column("aliases", JSON, nullable=False),  # [text, ...]
    Column("attributes", JSON, nullable=False),  # [[name, value, unit, description], ...]
)

catalogue_changes = Table(
    "catalogue_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("path", String(768), nullable=False),  # of the equipment or the signal
    Column("source", String(255), nullable=False),  # group/edge node whose birth brought the change, '' for none
    Column("changes", JSON, nullable=False),  # [[field, before, after], ...]
    Index("ix_catalogue_changes_path_time", "path", "time"),
)

signals = Table(
    "signals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("path", String(768), nullable=False, unique=True),
    Column("asset", String(512), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("datatype", String(16), nullable=False),
    Column("unit", String(64), nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("limit_low_low", Float),
    Column("limit_low", Float),
    Column("limit_high", Float),
    Column("limit_high_high", Float),
    Column("decimals", Integer),
    Column("states", JSON, nullable=False),  # [[raw, word], ...]
    Column("description", Text, nullable=False),
    Column("node", String(255), nullable=False),
    Column("device", String(255), nullable=False),
    Column("address", Text, nullable=False),
    Column("writable", Text, nullable=False, server_default=""),  # JSON of its bounds; '' when it can only be read
    Column("made", String(768), nullable=False),  # of a found signal: path made of its source's names
    Column("placed", Boolean, nullable=False),  # a person said where the found signal belongs
    sqlite_autoincrement=True,  # an id is never given twice, for the historian keeps it for years
)

sources = Table(
    "sources",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("device", String(255), primary_key=True),  # '' for the gateway itself
    Column("state", String(16), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("details", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject", String(768), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_events_time_id", "time", "id"),
    Index("ix_events_subject_time", "subject", "time"),
)

writes = Table(
    "writes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("signal", String(768), nullable=False),
    Column("node", String(255), nullable=False),
    Column("user_name", String(64), nullable=False),  # a name, not a key: a removed user stays in the log
    Column("role", String(16), nullable=False),
    Column("via", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("value", JSON),
    Column("expected", JSON),
    Column("before", JSON),
    Column("after", JSON),
    Column("deadline", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("finished", BigInteger),
    Column("undo_of", String(64), nullable=False),
    Index("ix_writes_time_id", "time", "id"),
    Index("ix_writes_signal_time", "signal", "time"),
)

ledger_expected = Table(
    "ledger_expected",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("path", String(768), primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("frame", BigInteger, nullable=False),
)

ledger_arrived = Table(
    "ledger_arrived",
    metadata,
    Column("signal", Integer, primary_key=True, autoincrement=False),
    Column("arrived", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("other_rows", BigInteger, nullable=False),  # rows in the historian that did not arrive from a gateway
)

ledger_drops = Table(
    "ledger_drops",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("node", String(255), nullable=False),
    Column("epoch", String(64), nullable=False),
    Column("path", String(768), nullable=False, index=True),
    Column("rows", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("reason", String(255), nullable=False),
    UniqueConstraint(
        "node", "epoch", "path", "first", "last", "rows", "reason", name="uq_ledger_drops"
    ),  # the same note told again is one drop
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("node", String(255), primary_key=True),  # group/edge node
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ... of each gateway
    Column("digest", String(64), nullable=False),
    Column("base", String(64), nullable=False),  # digest of what it was made from
    Column("files", JSON, nullable=False),  # name -> text
    Column("time", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),  # '' for what was found at the gateway
    Column("why", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided", BigInteger, nullable=False),  # when it came into this state
    Column("words", Text, nullable=False),
    Column("problems", JSON, nullable=False),
)

operator_runs = Table(
    "operator_runs",
    metadata,
    Column("operator", String(64), primary_key=True),
    Column("asset", String(640), primary_key=True),
    Column("inputs", Text, nullable=False),  # what it was made for; another text begins anew
    Column("began", BigInteger, nullable=False),  # rows after this time are its own
    Column("late", BigInteger),  # earliest row that came late and is not yet worked in
    Column("trouble", JSON),  # why it fails and since when, as it was told; null: it works
)

operator_states = Table(
    "operator_states",
    metadata,
    Column("operator", String(64), primary_key=True),
    Column("asset", String(640), primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),  # the last state of each ten minutes stays
    Column("time", BigInteger, nullable=False),  # rows up to this time are in the state
    Column("state", LargeBinary, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("operator", String(64), nullable=False),  # what the plant calls it
    Column("asset", String(640), nullable=False),
    Column("type", String(64), nullable=False),  # asset type at that time
    Column("kind", String(32), nullable=False),
    Column("model", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("made", BigInteger, nullable=False),  # when the hub stored it: after the fact for what history gave
    Column("superseded", BigInteger, nullable=False),  # when late rows proved it wrong; 0: it stands
    Column("value", Float),
    Column("p10", Float),
    Column("p90", Float),
    Column("alarm", Boolean, nullable=False),
    Column("due", BigInteger),
    Column("shadow", Boolean, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("words", Text, nullable=False),
    UniqueConstraint(
        "operator", "asset", "kind", "model", "version", "time", "superseded", name="uq_predictions"
    ),  # told again after a kill it is one
    Index("ix_predictions_asset_time", "asset", "time"),
    Index("ix_predictions_time_id", "time", "id"),
    Index("ix_predictions_superseded", "superseded"),
)

prediction_scores = Table(
    "prediction_scores",
    metadata,
    Column("asset", String(640), primary_key=True),
    Column("model", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("entry", JSON, nullable=False),  # counts, claims, times watched, lives that are judged; see scoreboard.py
    Column("expiries", LargeBinary, nullable=False),  # int64[n], little endian: when remaining lives are over
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("asset", String(640), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("source", String(128), nullable=False),  # a case, a work order; '' for what somebody just said
    Column("recorded", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),  # taken back, with the reason in its changes
    Index("ix_outcomes_asset_time", "asset", "time"),
)

outcome_changes = Table(
    "outcome_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("outcome", ForeignKey("outcomes.id"), nullable=False, index=True),
    Column("time", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ... of each name
    Column("type", String(64), nullable=False),  # asset type
    Column("state", String(16), nullable=False),
    Column("features", JSON, nullable=False),
    Column("operating", JSON, nullable=False),
    Column("start", BigInteger, nullable=False),  # what it was trained on
    Column("end", BigInteger, nullable=False),
    Column("held_start", BigInteger, nullable=False),  # what it was validated on
    Column("held_end", BigInteger, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("document", JSON, nullable=False),  # by path of the asset
    Column("warnings", JSON, nullable=False),
    Column("code", String(32), nullable=False),  # version of Lineshaft
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

model_changes = Table(
    "model_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Index("ix_model_changes_name_version", "name", "version"),
)

import_blocks = Table(
    "import_blocks",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("done", Boolean, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
