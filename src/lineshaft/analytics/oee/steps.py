"""Steps: values that hold from one instant to the next, the one shape of states, shifts, products and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Int64Array

NOTHING = -1
"""The value before the first step, and of what is not known or not given."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A piecewise constant function of time.

    times   int64[n]  UTC microseconds, strictly ascending
    values  int64[n]  values[i] holds from times[i] to times[i + 1], the last one without end
    """

    times: Int64Array
    values: Int64Array

    @staticmethod
    def of(times: Sequence[int] | Int64Array, values: Sequence[int] | Int64Array) -> Steps:
        """From entries in time order; of several at one instant the last counts, and repeated values are joined.

        Raises ValueError when the times descend or the columns differ in length.
        """
        t, v = np.asarray(times, np.int64), np.asarray(values, np.int64)
        if len(t) != len(v):
            raise ValueError(f"columns of different length: {len(t)} and {len(v)}")
        if len(t) > 1:
            gaps = np.diff(t)
            if gaps.min() < 0:
                raise ValueError("times descend")
            last = np.append(gaps > 0, True)
            t, v = t[last], v[last]
            change = np.append(True, v[1:] != v[:-1])
            t, v = t[change], v[change]
        return Steps(t, v)

    @staticmethod
    def spans(spans: Sequence[tuple[int, int, int]]) -> Steps:
        """From (start, end, value) in time order that do not overlap; NOTHING in between. Empty spans are left out."""
        times: list[int] = []
        values: list[int] = []
        for start, end, value in spans:
            if end <= start:
                continue
            if times and times[-1] == start:
                values[-1] = value
            else:
                times.append(start)
                values.append(value)
            times.append(end)
            values.append(NOTHING)
        return Steps.of(times, values)

    def __len__(self) -> int:
        return len(self.times)

    def at(self, times: Int64Array) -> Int64Array:
        """int64[n]: the value at each instant, NOTHING before the first step."""
        if not len(self.times):
            return np.full(len(times), NOTHING, np.int64)
        place = np.searchsorted(self.times, times, side="right") - 1
        return np.where(place >= 0, self.values[np.maximum(place, 0)], NOTHING)

    def cut(self, start: int, end: int) -> Steps:
        """The same function within [start, end): a step at `start`, none at or after `end`."""
        if start >= end:
            return Steps(np.empty(0, np.int64), np.empty(0, np.int64))
        inside = (self.times > start) & (self.times < end)
        first = self.at(np.array([start], np.int64))
        return Steps(
            np.concatenate([np.array([start], np.int64), self.times[inside]]),
            np.concatenate([first, self.values[inside]]),
        )

    def lengths(self, end: int) -> Int64Array:
        """int64[n]: how long each value holds, the last one until `end`. Microseconds."""
        return np.diff(self.times, append=np.int64(end))

    def joined(self) -> Steps:
        """Without steps that change nothing."""
        return Steps.of(self.times, self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Several functions of time on their common steps: within one cell nothing changes."""

    starts: Int64Array
    ends: Int64Array
    columns: tuple[Int64Array, ...]

    @property
    def lengths(self) -> Int64Array:
        """int64[n]: microseconds of each cell; they add up to the whole range."""
        return self.ends - self.starts


def overlay(start: int, end: int, *functions: Steps) -> Grid:
    """Cut [start, end) wherever one of the functions changes; columns are in the order of the arguments."""
    if start >= end:
        empty = np.empty(0, np.int64)
        return Grid(empty, empty, tuple(empty for _ in functions))
    inner = [f.times[(f.times > start) & (f.times < end)] for f in functions]
    starts = np.unique(np.concatenate([np.array([start], np.int64), *inner]))
    return Grid(starts, np.append(starts[1:], np.int64(end)), tuple(f.at(starts) for f in functions))


def sums(lengths: Int64Array, *keys: NDArray[np.int64]) -> dict[tuple[int, ...], int]:
    """Total length per combination of key values."""
    if not len(lengths):
        return {}
    found, place = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    totals = np.zeros(len(found), np.int64)
    np.add.at(totals, place.ravel(), lengths)
    return {tuple(key): total for key, total in zip(found.tolist(), totals.tolist(), strict=True)}
