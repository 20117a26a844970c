"""Aggregates of one signal over buckets of any edges: local days, shifts, months, pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.rollup import Rollups, States, fold_by, growth, label
from lineshaft.model.samples import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Parallel columns; bucket i is edges[i] <= time < edges[i + 1]. NaN where a bucket tells nothing.

    rows, count, numbers, uncertain   as in Rollups
    covered    microseconds in which a value was known; the rest of the bucket is gap
    step       integral of held values, value x microseconds; linear: of straight lines between the rows
    increase   growth of a counter; what grew between two buckets belongs to the later one
    states     time in each state, empty for signals that are no state
    """

    edges: Int64Array
    rows: Int64Array
    count: Int64Array
    numbers: Int64Array
    uncertain: Int64Array
    total: Float64Array
    deviations: Float64Array
    low: Float64Array
    high: Float64Array
    first: Float64Array
    last: Float64Array
    covered: Int64Array
    step: Float64Array
    linear: Float64Array
    increase: Float64Array
    states: tuple[States, ...]

    @property
    def mean(self) -> Float64Array:
        """Mean of the numbers, each counted once."""
        return _ratio(self.total, self.numbers)

    @property
    def deviation(self) -> Float64Array:
        """Standard deviation of the numbers (n - 1)."""
        found: Float64Array = np.sqrt(_ratio(self.deviations, self.numbers - 1))
        return found

    def time_mean(self, *, linear: bool = False) -> Float64Array:
        """Mean over time: each value counts as long as it was held, or along straight lines."""
        return _ratio(self.linear if linear else self.step, np.where(np.isnan(self.step), 0, self.covered))

    @property
    def missing(self) -> Int64Array:
        """Microseconds of each bucket in which nothing was known."""
        return np.diff(self.edges) - self.covered


def _ratio(total: Float64Array, by: NDArray[Any]) -> Float64Array:
    found: Float64Array = np.where(by > 0, total / np.maximum(by, 1), np.nan)
    return found


def aggregate(
    atoms: Rollups, edges: Int64Array, gap: int, *, until: int | None = None, stateful: bool = False
) -> Buckets:
    """Aggregates of one signal.

    atoms     its roll-ups or rows in time order, none over an edge; one before the first edge and one after the last
              tell what is held into the range and out of it
    edges     int64[k + 1], ascending
    gap       longest time that a value is held, microseconds
    until     the last row is held up to here (now) if that is not further than the gap; None: it is not
    """
    count = len(edges) - 1
    place = np.searchsorted(edges, atoms.opens_at, side="right") - 1
    inside = (place >= 0) & (place < count)
    own = atoms.take(inside)
    many = len(own)
    folded = fold_by(own, edges[place[inside]], np.full(many, gap), np.full(many, stateful))
    at = np.searchsorted(edges, folded.starts, side="right") - 1

    def spread(values: NDArray[Any], blank: float) -> NDArray[Any]:
        column = np.full(count, blank, values.dtype)
        column[at] = values
        return column

    states: list[States] = [{} for _ in range(count)]
    for row, bucket in enumerate(at.tolist()):
        states[bucket] = dict(folded.states[row] or {})
    covered: Int64Array = spread(folded.covered, 0).astype(np.int64)
    step, ramp = spread(folded.step, 0.0), spread(folded.ramp, 0.0)
    known = spread(folded.numbers, 0) > 0
    for piece in _pieces(atoms, place, edges, gap, until):
        covered[piece.bucket] += piece.length
        if not np.isnan(piece.step):
            step[piece.bucket] += piece.step
            ramp[piece.bucket] += piece.ramp
            known[piece.bucket] = True
        if stateful or piece.text:
            name = label(piece.value, piece.text)
            states[piece.bucket][name] = states[piece.bucket].get(name, 0) + piece.length
    unknown = ~known
    step[unknown] = np.nan
    return Buckets(
        edges=edges,
        rows=spread(folded.rows, 0).astype(np.int64),
        count=spread(folded.count, 0).astype(np.int64),
        numbers=spread(folded.numbers, 0).astype(np.int64),
        uncertain=spread(folded.uncertain, 0).astype(np.int64),
        total=np.where(spread(folded.numbers, 0) > 0, spread(folded.total, np.nan), np.nan),
        deviations=spread(folded.deviations, np.nan),
        low=spread(folded.low, np.nan),
        high=spread(folded.high, np.nan),
        first=spread(folded.first, np.nan),
        last=spread(folded.last, np.nan),
        covered=covered,
        step=step,
        linear=step + ramp,
        increase=spread(folded.increase, 0.0) + _grown_between(atoms, place, count),
        states=tuple(states),
    )


def _grown_between(atoms: Rollups, place: Int64Array, count: int) -> Float64Array:
    at = np.flatnonzero(atoms.count > 0)
    between = place[at[1:]] != place[at[:-1]]
    grown = growth(atoms.last[at[:-1]], atoms.first[at[1:]])
    bucket = place[at[1:]]
    wanted = between & (bucket >= 0) & (bucket < count)
    found = np.zeros(count)
    np.add.at(found, bucket[wanted], grown[wanted])
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a held value within one bucket."""

    bucket: int
    length: int
    value: float
    text: str
    step: float
    ramp: float


def _pieces(atoms: Rollups, place: Int64Array, edges: Int64Array, gap: int, until: int | None) -> Iterator[_Piece]:
    """What is held over an edge, cut at the edges."""
    crossing = np.flatnonzero(np.diff(place) != 0).tolist()
    if len(atoms):
        crossing.append(len(atoms) - 1)
    for row in crossing:
        if not atoms.count[row] or atoms.ends_at[row]:
            continue
        final = row + 1 == len(atoms)
        start = int(atoms.last_at[row])
        if final:
            if until is None:
                continue
            end = max(start, until)
        else:
            end = int(atoms.opens_at[row + 1])
        if end - start > gap:
            continue
        value, after = float(atoms.last[row]), np.nan
        if not final and atoms.opens_at[row + 1] == atoms.first_at[row + 1] and atoms.count[row + 1]:
            after = float(atoms.first[row + 1])
        slope = (after - value) / (end - start) if end > start and not np.isnan(after) else 0.0
        yield from _cut(start, end, value, atoms.last_text[row], slope, edges)


def _cut(start: int, end: int, value: float, text: str, slope: float, edges: Int64Array) -> Iterator[_Piece]:
    bucket = max(int(np.searchsorted(edges, start, side="right")) - 1, 0)
    while bucket < len(edges) - 1 and edges[bucket] < end:
        left, right = max(start, int(edges[bucket])), min(end, int(edges[bucket + 1]))
        if right > left:
            middle = (left + right) / 2 - start
            length = right - left
            yield _Piece(bucket, length, value, text, value * length, slope * middle * length)
        bucket += 1
