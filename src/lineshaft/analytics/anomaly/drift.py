"""Whether what a model sees is still what it was trained on: the population stability index of each input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.model.samples import Float64Array

BINS: Final = 10
LEAST_LIMIT: Final = 0.25
"""An index above 0.25 is a shift that matters (Siddiqi 2006); below 0.1 there is none."""
_LEAST_PART: Final = 1e-3
FEWEST: Final = 50
"""Rows that are compared with the training, or more."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The training distribution of p inputs.

    edges float64[p, 9], deciles; parts float64[p, 10], part of the training rows in each bin; limits float64[p], what
    stretches of the training of the length of a look reach at the most, and at least 0.25.
    """

    edges: Float64Array
    parts: Float64Array
    limits: Float64Array

    def bins(self, row: Float64Array) -> list[int]:
        """The bin of each input; -1 for NaN."""
        return [
            -1 if np.isnan(value) else int(np.searchsorted(edges, value, side="right"))
            for edges, value in zip(self.edges, row, strict=True)
        ]

    def index(self, counts: Float64Array) -> Float64Array:
        """float64[p]: the index of counts float64[p, 10] of rows; NaN for an input with fewer than 50."""
        total = counts.sum(axis=1)
        seen = np.maximum(counts / np.maximum(total, 1)[:, None], _LEAST_PART)
        expected = np.maximum(self.parts, _LEAST_PART)
        found = np.sum((seen - expected) * np.log(seen / expected), axis=1)
        return np.where(total >= FEWEST, found, np.nan)

    def document(self) -> dict[str, Any]:
        """The reference as plain values, for JSON."""
        return {name: getattr(self, name).tolist() for name in ("edges", "parts", "limits")}


def reference(document: Mapping[str, Any]) -> Reference:
    """A reference out of its document. Raises KeyError or ValueError for what is none."""
    return Reference(*(np.array(document[name], np.float64) for name in ("edges", "parts", "limits")))


def fit_reference(rows: Float64Array, look: int) -> Reference:
    """Learn from float64[n, p] in time order; NaN is left out. look: rows that are compared at once later on.

    Raises ValueError for an input without a value.
    """
    if np.isnan(rows).all(axis=0).any():
        raise ValueError("an input has no value")
    edges = np.nanquantile(rows, np.linspace(0, 1, BINS + 1)[1:-1], axis=0).T
    first = Reference(edges, np.ones((rows.shape[1], BINS)), np.full(rows.shape[1], LEAST_LIMIT))
    counted = count_rows(first, rows)
    parts = counted / np.maximum(counted.sum(axis=1), 1)[:, None]
    whole = Reference(edges, parts, first.limits)
    stretches = [rows[begin : begin + look] for begin in range(0, max(len(rows) - look, 0) + 1, max(look // 2, 1))]
    reached = np.array([whole.index(count_rows(whole, part)) for part in stretches if len(part) < len(rows)])
    highest = np.nan_to_num(np.nanmax(reached, axis=0, initial=0.0)) if len(reached) else 0.0
    return Reference(edges, parts, np.maximum(LEAST_LIMIT, 1.25 * highest))


def count_rows(found: Reference, rows: Float64Array) -> Float64Array:
    """float64[p, 10]: how many rows of float64[n, p] are in each bin."""
    counts = np.zeros((rows.shape[1], BINS))
    for j, edges in enumerate(found.edges):
        known = rows[np.isfinite(rows[:, j]), j]
        counts[j] = np.bincount(np.searchsorted(edges, known, side="right"), minlength=BINS)
    return counts
