"""Rows of several signals on common times."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.model.samples import Float64Array, Int64Array, Quality, SampleBatch, UInt8Array


class Aligned:
    """Puts rows of several inputs on common times: at each time the newest known value of every input."""

    def __init__(self, inputs: Sequence[tuple[str, int]]) -> None:
        self._names = tuple(name for name, _ in inputs)
        self._handles = tuple(handle for _, handle in inputs)
        self._values = np.full(len(inputs), np.nan)
        self._qualities: UInt8Array = np.zeros(len(inputs), np.uint8)
        self._seen = np.zeros(len(inputs), np.bool_)

    def update(self, batch: SampleBatch) -> tuple[Int64Array, dict[str, Float64Array], UInt8Array] | None:
        """(times, name -> column, lowest quality) at the different times of the inputs' rows, oldest first.

        None when the batch has none of the inputs, or some input never had a row.
        """
        rows = [np.flatnonzero(batch.signals == handle) for handle in self._handles]
        if not any(len(at) for at in rows):
            return None
        times = np.unique(np.concatenate([batch.times[at] for at in rows]))
        columns: dict[str, Float64Array] = {}
        worst: UInt8Array = np.full(len(times), Quality.GOOD, np.uint8)
        for place, (name, at) in enumerate(zip(self._names, rows, strict=True)):
            values, qualities = self._column(place, batch, at, times)
            columns[name] = values
            worst = np.minimum(worst, qualities)
        return (times, columns, worst) if self._seen.all() else None

    def _column(
        self, place: int, batch: SampleBatch, rows: NDArray[np.int64], times: Int64Array
    ) -> tuple[Float64Array, UInt8Array]:
        before = self._qualities[place] if self._seen[place] else np.uint8(Quality.BAD_NO_VALUE)
        if len(rows) == 0:
            return np.full(len(times), self._values[place]), np.full(len(times), before, np.uint8)
        own = rows[np.argsort(batch.times[rows], kind="stable")]
        at = np.searchsorted(batch.times[own], times, side="right") - 1
        known = at >= 0
        values = np.where(known, batch.values[own[at]], self._values[place])
        qualities = np.where(known, batch.qualities[own[at]], before)
        self._values[place], self._qualities[place] = values[-1], qualities[-1]
        self._seen[place] = True
        return values, qualities

    def snapshot(self) -> str:
        """The newest known row of every input, as JSON."""
        values = [None if np.isnan(value) else value for value in self._values.tolist()]
        return json.dumps([values, self._qualities.tolist(), self._seen.tolist()])

    def restore(self, snapshot: str) -> None:
        """Go on as the instance that gave the snapshot. Raises DataError when it is of other inputs."""
        values, qualities, seen = json.loads(snapshot)
        if len(values) != len(self._names):
            raise DataError(f"the snapshot is of {len(values)} inputs, there are {len(self._names)}")
        self._values = np.array([np.nan if value is None else value for value in values], np.float64)
        self._qualities = np.array(qualities, np.uint8)
        self._seen = np.array(seen, np.bool_)
