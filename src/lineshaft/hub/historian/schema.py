"""The historian's tables as SQL text, in versions, for one engine or for a cluster.

One table holds numbers and texts alike, so that a block is stored by one atomic insert and the order of a signal that
changes between number and text is kept. `is_text` tells an empty text from no text; both columns cost nothing on disk
where there is no text. A view keeps the newest row of each signal in a small table. Codecs were chosen by measurement,
see docs/guide/historian.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERSION_TABLE: Final = "historian_schema"
TOKENS: Final = 10_000
"""How many insert tokens the engine remembers: far more than blocks can be unfinished."""

_COLUMNS: Final = """
    signal UInt32 CODEC(Delta, ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    value Float64 CODEC(Delta, ZSTD(1)),
    quality UInt8 CODEC(ZSTD(1)),
    text String CODEC(ZSTD(1)),
    is_text Bool CODEC(ZSTD(1))"""
_LATEST_COLUMNS: Final = (
    "signal UInt32, time DateTime64(6, 'UTC'), value Float64, quality UInt8, text String, is_text Bool"
)
_LATEST_SELECT: Final = (
    "SELECT signal, max({source}.time) AS time, argMax(value, {source}.time) AS value,"
    " argMax(quality, {source}.time) AS quality, argMax(text, {source}.time) AS text,"
    " argMax(is_text, {source}.time) AS is_text FROM {source} GROUP BY signal"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tables live: one engine (cluster ''), or a cluster with a local table behind a distributed one."""

    cluster: str = ""

    @property
    def on_cluster(self) -> str:
        """Clause of a statement that must run on every node."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def stored(self, table: str) -> str:
        """Name of the table that holds the rows on one node."""
        return f"{table}_local" if self.cluster else table

    def engine(self, family: str, table: str, arguments: str = "") -> str:
        """Engine clause: MergeTree family, replicated on a cluster."""
        if not self.cluster:
            return f"{family}({arguments})"
        path = f"'/clickhouse/tables/{{shard}}/{{database}}/{self.stored(table)}', '{{replica}}'"
        return f"Replicated{family}({path}{', ' + arguments if arguments else ''})"

    def window(self) -> str:
        """Setting that makes the engine remember insert tokens."""
        name = "replicated_deduplication_window" if self.cluster else "non_replicated_deduplication_window"
        return f"{name} = {TOKENS}"

    @property
    def settings(self) -> dict[str, str]:
        """Settings of every call. An insert returns when the shards have the rows, not when they are queued; reads and
        inserts prefer the same replica of a shard, so that what was written is read."""
        return {"distributed_foreground_insert": "1", "load_balancing": "in_order"} if self.cluster else {}

    def distributed(self, table: str) -> tuple[str, ...]:
        """The table that spreads reads and inserts over the shards, by signal; nothing without a cluster."""
        if not self.cluster:
            return ()
        return (
            f"CREATE TABLE IF NOT EXISTS {table}{self.on_cluster} AS {self.stored(table)}"
            f" ENGINE = Distributed('{self.cluster}', currentDatabase(), '{self.stored(table)}', signal)",
        )


def version_table(layout: Layout) -> str:
    """Statement that makes the table which remembers the version of the others; the same one on every node."""
    engine = "MergeTree()"
    if layout.cluster:
        path = f"/clickhouse/tables/all/{{database}}/{VERSION_TABLE}"
        engine = f"ReplicatedMergeTree('{path}', '{{shard}}-{{replica}}')"
    return (
        f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE}{layout.on_cluster} (version UInt32, at DateTime DEFAULT now())"
        f" ENGINE = {engine} ORDER BY version"
    )


def _version_1(layout: Layout) -> tuple[str, ...]:
    samples, latest = layout.stored("samples"), layout.stored("latest")
    return (
        f"CREATE TABLE IF NOT EXISTS {samples}{layout.on_cluster} ({_COLUMNS})"
        f" ENGINE = {layout.engine('MergeTree', 'samples')} PARTITION BY toYYYYMM(time) ORDER BY (signal, time)"
        f" SETTINGS fsync_after_insert = 1, {layout.window()}",
        f"CREATE TABLE IF NOT EXISTS {latest}{layout.on_cluster} ({_LATEST_COLUMNS})"
        f" ENGINE = {layout.engine('ReplacingMergeTree', 'latest', 'time')} ORDER BY signal",
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS latest_view{layout.on_cluster} TO {latest}"
        f" AS {_LATEST_SELECT.format(source=samples)}",
        *layout.distributed("samples"),
        *layout.distributed("latest"),
    )


_ROLLUP_COLUMNS: Final = """
    signal UInt32 CODEC(Delta, ZSTD(1)),
    start DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    rows Int64 CODEC(T64, ZSTD(3)),
    count Int64 CODEC(T64, ZSTD(3)),
    numbers Int64 CODEC(T64, ZSTD(3)),
    uncertain Int64 CODEC(T64, ZSTD(3)),
    total Float64 CODEC(ZSTD(3)),
    deviations Float32 CODEC(ZSTD(3)),
    low Float64 CODEC(ZSTD(3)),
    low_at Int64 CODEC(T64, ZSTD(3)),
    low_quality UInt8 CODEC(ZSTD(1)),
    high Float64 CODEC(ZSTD(3)),
    high_at Int64 CODEC(T64, ZSTD(3)),
    high_quality UInt8 CODEC(ZSTD(1)),
    opens_at Int64 CODEC(T64, ZSTD(3)),
    first_at Int64 CODEC(T64, ZSTD(3)),
    first Float64 CODEC(ZSTD(3)),
    last_at Int64 CODEC(T64, ZSTD(3)),
    last Float64 CODEC(ZSTD(3)),
    ends_at Int64 CODEC(T64, ZSTD(3)),
    covered Int64 CODEC(T64, ZSTD(3)),
    step Float64 CODEC(ZSTD(3)),
    ramp Float32 CODEC(ZSTD(3)),
    increase Float64 CODEC(ZSTD(3)),
    first_text String CODEC(ZSTD(1)),
    last_text String CODEC(ZSTD(1)),
    state_names Array(String) CODEC(ZSTD(1)),
    state_times Array(Int64) CODEC(ZSTD(1))"""
"""Columns of analytics.rollup.Rollups; times within the bucket count from its start, -1 for none."""
TOUCHED_SELECT: Final = (
    "SELECT signal, intDiv(reinterpretAsInt64(time), 60000000) - (reinterpretAsInt64(time) < 0) AS minute, {stamp}"
    " FROM {source}"
)
"""Notes of touched minutes, without the grouping that must follow."""
TOUCHED_GROUP: Final = " GROUP BY signal, minute"
STAMP: Final = "toUInt64(randConstant(1)) * 4294967296 + randConstant(2) AS stamp"


def _version_2(layout: Layout) -> tuple[str, ...]:
    """Roll-ups, and which minutes have to be computed anew: a view notes them with each insert of samples."""
    samples, touched = layout.stored("samples"), layout.stored("touched")
    found = [
        f"CREATE TABLE IF NOT EXISTS {touched}{layout.on_cluster} (signal UInt32 CODEC(Delta, ZSTD(1)),"
        " minute Int64 CODEC(Delta, ZSTD(1)), stamp UInt64 CODEC(ZSTD(1)))"
        f" ENGINE = {layout.engine('MergeTree', 'touched')} ORDER BY (signal, minute) SETTINGS {layout.window()}",
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS touched_view{layout.on_cluster} TO {touched}"
        f" AS {TOUCHED_SELECT.format(source=samples, stamp=STAMP)}{TOUCHED_GROUP}",
        *layout.distributed("touched"),
    ]
    for level, months in (("minute", "toYYYYMM"), ("hour", "toYear"), ("day", "toYear")):
        table = layout.stored(f"rollup_{level}")
        found += [
            f"CREATE TABLE IF NOT EXISTS {table}{layout.on_cluster} ({_ROLLUP_COLUMNS})"
            f" ENGINE = {layout.engine('ReplacingMergeTree', f'rollup_{level}')} PARTITION BY {months}(start)"
            " ORDER BY (signal, start) SETTINGS fsync_after_insert = 1",
            *layout.distributed(f"rollup_{level}"),
        ]
    found += [
        f"ALTER TABLE {samples}{layout.on_cluster} MODIFY COLUMN value Float64 CODEC(Delta, ZSTD(3))",
        f"CREATE TABLE IF NOT EXISTS {layout.stored('raw_from')}{layout.on_cluster}"
        " (signal UInt32, time DateTime64(6, 'UTC'))"
        f" ENGINE = {layout.engine('ReplacingMergeTree', 'raw_from', 'time')} ORDER BY signal",
        *layout.distributed("raw_from"),
        f"INSERT INTO touched {TOUCHED_SELECT.format(source='samples', stamp='toUInt64(1) AS stamp')}{TOUCHED_GROUP}"
        " SETTINGS optimize_aggregation_in_order = 1, max_threads = 1",
    ]
    return tuple(found)


_WAVE_COLUMNS: Final = """
    signal UInt32 CODEC(Delta, ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    offset UInt32 CODEC(ZSTD(1)),
    total UInt32 CODEC(ZSTD(1)),
    rate Float64 CODEC(ZSTD(1)),
    speed Float64 CODEC(ZSTD(1)),
    scale Float64 CODEC(ZSTD(1)),
    rms Float64 CODEC(ZSTD(1)),
    quality UInt8 CODEC(ZSTD(1)),
    counts Array(Int16) CODEC(T64('bit'), ZSTD(1)),
    numbers Array(Float32) CODEC(ZSTD(1))"""


def _version_3(layout: Layout) -> tuple[str, ...]:
    """Bursts: one row per piece, its samples in `counts` or in `numbers`; `time` is that of the whole burst."""
    stored = layout.stored("waveforms")
    return (
        f"CREATE TABLE IF NOT EXISTS {stored}{layout.on_cluster} ({_WAVE_COLUMNS})"
        f" ENGINE = {layout.engine('ReplacingMergeTree', 'waveforms')} PARTITION BY toYYYYMM(time)"
        " ORDER BY (signal, time, offset)"
        f" SETTINGS index_granularity = 64, fsync_after_insert = 1, {layout.window()}",
        *layout.distributed("waveforms"),
    )


def _version_4(layout: Layout) -> tuple[str, ...]:
    """Parts that were merged stay a minute: until what was made of them is on the disk, and was looked at."""
    tables = ("samples", "latest", "touched", "rollup_minute", "rollup_hour", "rollup_day", "raw_from", "waveforms")
    return tuple(
        f"ALTER TABLE {layout.stored(table)}{layout.on_cluster} MODIFY SETTING old_parts_lifetime = 60"
        for table in tables
    )


def _version_5(layout: Layout) -> tuple[str, ...]:
    """What each signal was taken for when it was rolled up: another kind or gap means that all must be done anew."""
    return (
        f"CREATE TABLE IF NOT EXISTS {layout.stored('rolled_as')}{layout.on_cluster}"
        " (signal UInt32, gap Int64, stateful Bool, at DateTime64(6, 'UTC') DEFAULT now64(6))"
        f" ENGINE = {layout.engine('ReplacingMergeTree', 'rolled_as', 'at')} ORDER BY signal",
        *layout.distributed("rolled_as"),
    )


VERSIONS: Final = (_version_1, _version_2, _version_3, _version_4, _version_5)
"""Statements that lead from each version to the next; a new version goes to the end, none is ever changed."""


def statements(layout: Layout, have: int) -> tuple[str, ...]:
    """SQL that brings tables of version `have` (0: none) to the newest version, the version marks included."""
    found: list[str] = []
    for number, version in enumerate(VERSIONS[have:], start=have + 1):
        found += [*version(layout), f"INSERT INTO {VERSION_TABLE} (version) VALUES ({number})"]  # noqa: S608
    return tuple(found)
