"""Roll-ups in the engine: which minutes were touched, and rows of each level in and out."""

# ruff: noqa: S608 - only integers and fixed names are put into the text

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lineshaft.analytics.rollup import Rollups
from lineshaft.hub.historian.base import Level
from lineshaft.hub.historian.convert import column
from lineshaft.hub.historian.engine import Engine
from lineshaft.hub.historian.queries import among, moment
from lineshaft.hub.historian.schema import STAMP, TOUCHED_GROUP, TOUCHED_SELECT, Layout
from lineshaft.model.samples import Int64Array, TextArray, UInt32Array

MINUTE: Final = 60_000_000
WIDTHS: Final[dict[Level, int]] = {"minute": MINUTE, "hour": 60 * MINUTE, "day": 1440 * MINUTE}
"""Microseconds of a bucket."""
Range = tuple[int, int]
"""start <= time < end, UTC microseconds."""

_OFFSETS: Final = ("low_at", "high_at", "opens_at", "first_at", "last_at")
_SHORT: Final = ("deviations", "ramp")
"""Seven digits of these are enough, and half the space."""
_TEXTS: Final = ("first_text", "last_text")
_PLAIN: Final = tuple(
    field.name for field in fields(Rollups) if field.name not in ("signals", "starts", "states", "ends_at")
)
_SELECT: Final = (
    "SELECT signal AS signals, reinterpretAsInt64(start) AS starts, "
    + ", ".join(name for name in _PLAIN if name not in _TEXTS)
    + ", ends_at, first_text, last_text, state_names, state_times"
)
_FINAL: Final = {"do_not_merge_across_partitions_select_final": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """Minutes (since 1970) of signals that must be computed anew, and the stamps of the inserts that touched them."""

    signals: UInt32Array
    minutes: Int64Array
    stamps: tuple[int, ...]


class RollupStore:
    """Thread-safe; every call may block and raise StoreUnavailable."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._engine = engine
        self._layout = layout

    def touched(self, most: int) -> Touched:
        """Minutes of the oldest notes, about `most` rows of them; without notes: empty."""
        found = self._engine.arrow("SELECT stamp, toInt64(count()) AS rows FROM touched GROUP BY stamp").to_pydict()
        stamps: list[int] = []
        for stamp, rows in zip(found["stamp"], found["rows"], strict=True):
            stamps.append(stamp)
            most -= rows
            if most <= 0:
                break
        if not stamps:
            return Touched(np.empty(0, np.uint32), np.empty(0, np.int64), ())
        table = self._engine.arrow(
            f"SELECT signal, minute FROM touched WHERE stamp IN ({','.join(map(str, stamps))})"
            " GROUP BY signal, minute ORDER BY signal, minute"
        )
        return Touched(column(table, "signal"), column(table, "minute"), tuple(stamps))

    def touch(self, signals: Iterable[int], after: int) -> None:
        """Note the minutes of rows later than `after`, which are about to be removed."""
        self._engine.change(
            f"INSERT INTO touched {TOUCHED_SELECT.format(source='samples', stamp=STAMP)}"
            f" WHERE {among(signals)} AND time > {moment(after)}{TOUCHED_GROUP}"
        )

    def note(self, signals: UInt32Array, times: Int64Array) -> None:
        """Note the minutes of rows that are stored."""
        pairs = np.unique(np.stack([signals.astype(np.int64), times // MINUTE]), axis=1)
        stamp = np.full(pairs.shape[1], secrets.randbits(63), np.uint64)
        columns = [pa.array(pairs[0].astype(np.uint32)), pa.array(pairs[1]), pa.array(stamp)]
        self._engine.insert("touched", pa.table(columns, names=["signal", "minute", "stamp"]), {})

    def rolled_as(self) -> dict[int, tuple[int, bool]]:
        """Signal -> (gap in microseconds, whether it is a state) with which it was rolled up."""
        table = self._engine.arrow("SELECT signal, gap, stateful FROM rolled_as FINAL").to_pydict()
        pairs = zip(table["gap"], map(bool, table["stateful"]), strict=True)
        return dict(zip(table["signal"], pairs, strict=True))

    def note_rolled_as(self, signals: UInt32Array, gaps: Int64Array, stateful: NDArray[np.bool_]) -> None:
        """From now on these signals are rolled up so."""
        columns = [pa.array(signals), pa.array(gaps), pa.array(stateful)]
        self._engine.insert("rolled_as", pa.table(columns, names=["signal", "gap", "stateful"]), {})

    def forget(self, stamps: Sequence[int]) -> None:
        """These notes are done."""
        self._engine.change(
            f"ALTER TABLE {self._layout.stored('touched')}{self._layout.on_cluster}"
            f" DELETE WHERE stamp IN ({','.join(map(str, stamps))})",
            {"mutations_sync": 2},
        )

    def waiting(self, before: int | None = None) -> int:
        """How many minutes of signals (that start before a time) wait to be computed."""
        where = "" if before is None else f" WHERE minute < {-(-before // MINUTE)}"
        return int(self._engine.command(f"SELECT count() FROM touched{where}"))

    def unsure(self, signals: Iterable[int], start: int, end: int) -> list[Range]:
        """Ranges within [start, end) in which roll-ups of any of the signals are not up to date; whole minutes."""
        table = self._engine.arrow(
            f"SELECT DISTINCT minute FROM touched WHERE {among(signals)}"
            f" AND minute >= {start // MINUTE} AND minute <= {(end - 1) // MINUTE} ORDER BY minute"
        )
        return ranges_of(column(table, "minute"), MINUTE)

    def write(self, level: Level, rollups: Rollups) -> None:
        """Store rows, in place of those with the same signal and start."""
        if len(rollups):
            # a repeated block must replace what came after its first insert, so it is never a duplicate
            self._engine.insert(
                f"rollup_{level}",
                _to_arrow(rollups),
                {"max_partitions_per_insert_block": 0, "insert_deduplicate": 0},
            )

    def read(self, level: Level, signals: Iterable[int], ranges: Sequence[Range]) -> Rollups:
        """Rows that start in one of the ranges, by signal and time."""
        table = self._engine.arrow(
            f"{_SELECT} FROM rollup_{level} FINAL WHERE {among(signals)} AND {any_of('start', ranges)} AND rows > 0"
            " ORDER BY signal, start",
            _FINAL,
        )
        return _from_arrow(table)

    def raw_from(self) -> dict[int, int]:
        """Signal -> time before which its raw rows were removed by retention; roll-ups may still know older times."""
        table = self._engine.arrow("SELECT signal, reinterpretAsInt64(time) AS time FROM raw_from FINAL").to_pydict()
        return dict(zip(table["signal"], table["time"], strict=True))

    def raw_gone_before(self, signals: UInt32Array, time: int) -> None:
        """Raw rows of these signals before `time` are about to be removed."""
        times = pa.array(np.full(len(signals), time, np.int64)).view(pa.timestamp("us", "UTC"))
        self._engine.insert("raw_from", pa.table([pa.array(signals), times], names=["signal", "time"]), {})

    def delete_before(self, level: Level, time: int, signals: Sequence[int] | None = None) -> None:
        """Remove roll-ups of buckets that start before `time`; of all signals when None."""
        condition = f"start < {moment(time)}"
        if signals is not None:
            condition += f" AND {among(signals)}"
        self._engine.change(
            f"ALTER TABLE {self._layout.stored(f'rollup_{level}')}{self._layout.on_cluster} DELETE WHERE {condition}",
            {"mutations_sync": 2},
        )

    def size_bytes(self) -> int:
        """Bytes on disk of all roll-ups."""
        return int(
            self._engine.command(
                "SELECT toInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase()"
                " AND startsWith(table, 'rollup_')"
            )
        )


def any_of(name: str, ranges: Sequence[Range]) -> str:
    """Condition that a time lies in one of the ranges."""
    parts = [f"({name} >= {moment(start)} AND {name} < {moment(end)})" for start, end in ranges]
    return f"({' OR '.join(parts)})" if parts else "0"


def ranges_of(numbers: Int64Array, width: int, most: int = 50) -> list[Range]:
    """Bucket numbers, ascending, as ranges of time; the smallest holes are closed when there are more than `most`."""
    if not len(numbers):
        return []
    holes = np.diff(numbers)
    cuts = np.flatnonzero(holes > 1)
    if len(cuts) >= most:
        cuts = np.sort(cuts[np.argsort(-holes[cuts], kind="stable")[: most - 1]])
    starts = [0, *(cuts + 1).tolist()]
    stops = [*(cuts + 1).tolist(), len(numbers)]
    return [(int(numbers[a]) * width, (int(numbers[b - 1]) + 1) * width) for a, b in zip(starts, stops, strict=True)]


def _to_arrow(rollups: Rollups) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "signal": pa.array(rollups.signals),
        "start": pa.array(rollups.starts).view(pa.timestamp("us", "UTC")),
    }
    for name in _PLAIN:
        values = getattr(rollups, name)
        if name in _OFFSETS:
            values = values - rollups.starts
        elif name in _SHORT:
            values = values.astype(np.float32)
        columns[name] = pa.array(values, pa.string()) if name in _TEXTS else pa.array(values)
    columns["ends_at"] = pa.array(np.where(rollups.ends_at == 0, -1, rollups.ends_at - rollups.starts))
    columns |= _state_columns(rollups.states)
    return pa.table(columns)


def _state_columns(states: TextArray) -> dict[str, pa.Array]:
    """Lists of names and of times; most rows have none, and cost nothing."""
    filled = np.flatnonzero(states.astype(np.bool_))
    counts = np.zeros(len(states) + 1, np.int32)
    counts[filled + 1] = [len(one) for one in states[filled]]
    offsets = pa.array(np.cumsum(counts, dtype=np.int32))
    names = pa.array([name for one in states[filled] for name in one], pa.string())
    times = pa.array([time for one in states[filled] for time in one.values()], pa.int64())
    return {
        "state_names": pa.ListArray.from_arrays(offsets, names),
        "state_times": pa.ListArray.from_arrays(offsets, times),
    }


def _from_arrow(table: pa.Table) -> Rollups:
    columns: dict[str, NDArray[Any]] = {
        name: column(table, name) for name in ("signals", "starts", *_PLAIN, "ends_at") if name not in _TEXTS
    }
    starts = columns["starts"]
    for name in _OFFSETS:
        columns[name] = columns[name] + starts
    for name in _SHORT:
        columns[name] = columns[name].astype(np.float64)
    columns["ends_at"] = np.where(columns["ends_at"] < 0, 0, columns["ends_at"] + starts)
    for name in _TEXTS:
        columns[name] = _texts(table.column(name))
    columns["states"] = _states(table)
    return Rollups(**columns)


def _texts(values: pa.ChunkedArray) -> TextArray:
    found: TextArray = np.full(len(values), "", object)
    if pa.compute.any(pa.compute.not_equal(values, "")).as_py():
        found[:] = values.to_pylist()
    return found


def _states(table: pa.Table) -> TextArray:
    found: TextArray = np.full(table.num_rows, None, object)
    filled = np.flatnonzero(pa.compute.list_value_length(table.column("state_names")).to_numpy())
    names = table.column("state_names").take(pa.array(filled)).to_pylist()
    times = table.column("state_times").take(pa.array(filled)).to_pylist()
    for row, keys, lengths in zip(filled.tolist(), names, times, strict=True):
        found[row] = dict(zip(keys, lengths, strict=True))
    return found
