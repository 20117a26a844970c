"""Reads that choose between raw rows and roll-ups by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lineshaft.analytics.buckets import Buckets, aggregate
from lineshaft.analytics.rollup import Rollups, of_rows, ordered
from lineshaft.hub.historian import lanes, queries
from lineshaft.hub.historian.base import Level, Series
from lineshaft.hub.historian.convert import extremes_of, joined, series_of, to_batch
from lineshaft.hub.historian.cover import COARSE_FIRST, cover
from lineshaft.hub.historian.engine import Engine
from lineshaft.hub.historian.roller import Traits
from lineshaft.hub.historian.rollups import MINUTE, WIDTHS, RollupStore, any_of
from lineshaft.model.samples import Int64Array, SampleBatch

_RANGES_AT_ONCE: Final = 100
"""Ranges of one statement; more make it slow to read."""
_HOUR: Final = WIDTHS["hour"]
_CHANGES_FROM: Final = 50_000
"""Rows of a state in which its changes are still looked for, in some 30 ms; of more, roll-ups tell time in state."""


class Reader:
    """Ranges for charts, and aggregates. Thread-safe."""

    def __init__(self, engine: Engine, store: RollupStore, traits: Traits) -> None:
        self._engine = engine
        self._store = store
        self._traits = traits
        self.raw_from: dict[int, int] = {}  # signal -> time before which only roll-ups are left

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        """See historian/base.py."""
        if not signals:
            return []
        found: dict[int, Series] = {}
        if points is not None:
            found = self._rolled(signals, start, end, max(points, 1))
        rest = [signal for signal in dict.fromkeys(signals) if signal not in found]
        if rest:
            found |= self._rows(rest, start, end, points)
        entering = series_of(self._engine.arrow(queries.before(set(signals), start)), "raw") if before else {}
        return [joined(signal, entering.get(signal), found.get(signal)) for signal in signals]

    def _rows(self, signals: Sequence[int], start: int, end: int, points: int | None) -> dict[int, Series]:
        """From raw rows alone; reduced where there are more than points."""
        census = self._engine.arrow(queries.census(signals, start, end)).to_pydict()
        crowded = {
            signal: texts > 0
            for signal, rows, texts in zip(census["signal"], census["rows"], census["texts"], strict=True)
            if points is not None and rows > points
        }
        plain = [signal for signal in census["signal"] if signal not in crowded]
        found = series_of(self._engine.arrow(queries.raw(plain, start, end)), "raw") if plain else {}
        if points is not None and crowded:
            found |= self._reduced(crowded, start, end, max(points, 1))
        return found

    def _reduced(self, crowded: dict[int, bool], start: int, end: int, points: int) -> dict[int, Series]:
        width = max(1, -(-(end - start) // points))
        found: dict[int, Series] = {}
        stately = self._stately(crowded)
        numeric = [signal for signal in crowded if signal not in stately]
        if numeric:
            found |= extremes_of(self._engine.arrow(queries.extremes(numeric, start, end, width)))
        if stately:
            changes = series_of(self._engine.arrow(queries.changes(stately, start, end, points + 1)), "raw")
            many = [signal for signal, series in changes.items() if len(series.times) > points]
            found |= changes | self._lanes(many, start, end, points)
        return found

    def _stately(self, has_text: dict[int, bool]) -> list[int]:
        """Signals whose rows are states: those of that kind, and texts."""
        ids = np.array(list(has_text), np.uint32)
        stateful = self._traits.stateful(ids)
        return [one for one, state in zip(has_text, stateful, strict=True) if state or has_text[one]]

    def _lanes(self, signals: Sequence[int], start: int, end: int, points: int) -> dict[int, Series]:
        """Time in state, from roll-ups where they fit."""
        if not signals:
            return {}
        edges = lanes.edges_of(start, end, points)
        atoms = self._atoms(signals, edges, COARSE_FIRST)
        gaps = self._traits.gaps(np.array(signals, np.uint32)).tolist()
        found = {
            signal: lanes.lane(signal, atoms.take(atoms.signals == signal), edges, gap)
            for signal, gap in zip(signals, gaps, strict=True)
        }
        return {signal: series for signal, series in found.items() if series is not None}

    def _rolled(self, signals: Sequence[int], start: int, end: int, points: int) -> dict[int, Series]:
        """Signals that roll-ups show as well as rows: pixels of a minute or more and many rows, or no rows left."""
        width = (end - start) // points
        gone = [signal for signal in signals if self.raw_from.get(signal, start) > start]
        if width < MINUTE and not gone:
            return {}
        census = self._engine.arrow(queries.rolled_census(signals, start // _HOUR * _HOUR, end)).to_pydict()
        rows = dict(zip(census["signal"], census["rows"], strict=True))
        stately = self._stately({signal: texts > 0 for signal, texts in zip(rows, census["texts"], strict=True)})
        many = [one for one in stately if one in gone or (rows[one] > _CHANGES_FROM and width >= MINUTE)]
        return self._lanes(many, start, end, points) | self._rolled_extremes(
            [one for one in rows if one not in stately and (one in gone or (rows[one] > points and width >= MINUTE))],
            start,
            end,
            width,
        )

    def _rolled_extremes(self, wanted: Sequence[int], start: int, end: int, width: int) -> dict[int, Series]:
        if not wanted:
            return {}
        level: Level = "hour" if width >= _HOUR else "minute"
        step = WIDTHS[level]
        chosen, raw = cover(np.array([start, end], np.int64), self._store.unsure(wanted, start, end), (level,))
        sql = queries.rolled_extremes(
            level,
            wanted,
            start // step * step,
            max(width // step, 1) * step,
            any_of("start", chosen[level]),
            any_of("time", raw),
        )
        return extremes_of(self._engine.arrow(sql, {"do_not_merge_across_partitions_select_final": 1}))

    def aggregate(
        self, signals: Sequence[int], edges: Int64Array, *, until: int | None = None, gap: int | None = None
    ) -> list[Buckets]:
        """See historian/base.py."""
        if not signals:
            return []
        ids = np.array(list(dict.fromkeys(signals)), np.uint32)
        gaps = self._traits.gaps(ids) if gap is None else np.full(len(ids), gap, np.int64)
        atoms = self._atoms(ids.tolist(), edges, self._levels(gap))
        stateful = self._traits.stateful(ids)
        found = {
            signal: aggregate(
                atoms.take(atoms.signals == signal),
                edges,
                int(gaps[place]),
                until=until,
                stateful=bool(stateful[place]),
            )
            for place, signal in enumerate(ids.tolist())
        }
        return [found[signal] for signal in signals]

    def _levels(self, gap: int | None) -> Sequence[Level]:
        """Levels that are right for a gap other than the signals' own: within a minute none is longer than a minute."""
        if gap is None:
            return COARSE_FIRST
        return ("minute",) if gap >= MINUTE else ()

    def _atoms(self, signals: Sequence[int], edges: Int64Array, levels: Sequence[Level]) -> Rollups:
        """Roll-ups and rows between the edges, with the row before and the row after."""
        start, end = int(edges[0]), int(edges[-1])
        chosen, raw = cover(edges, self._store.unsure(signals, start, end), levels)
        parts = [
            self._store.read(level, signals, ranges[at : at + _RANGES_AT_ONCE])
            for level, ranges in chosen.items()
            for at in range(0, len(ranges), _RANGES_AT_ONCE)
        ]
        parts += [
            self._raw(queries.raw_in(signals, any_of("time", raw[at : at + _RANGES_AT_ONCE])))
            for at in range(0, len(raw), _RANGES_AT_ONCE)
        ]
        parts += [self._raw(queries.before(signals, start)), self._raw(queries.after(signals, end))]
        return Rollups.concat(parts).sorted()

    def _raw(self, sql: str) -> Rollups:
        batch: SampleBatch = to_batch(self._engine.arrow(sql))
        return of_rows(ordered(batch))
