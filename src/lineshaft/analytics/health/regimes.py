"""Operating regimes of a machine: speed, load, product; a feature is only compared within one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Regimes:
    """Centres of the regimes float64[r, q] in the units of the q operating values, their scale, and the widest reach.

    A machine without operating values has one regime with q = 0.
    """

    centres: Float64Array
    scale: Float64Array
    reach: float

    def of(self, operating: Float64Array | None, n: int) -> Int64Array:
        """int64[n]: the regime of each row of float64[n, q]; -1 for one that was never seen in the healthy period."""
        if operating is None or self.centres.shape[1] == 0:
            return np.zeros(n, np.int64)
        distance = np.linalg.norm((operating[:, None, :] - self.centres) / self.scale, axis=2)
        nearest = np.argmin(np.where(np.isnan(distance), np.inf, distance), axis=1)
        far = ~(np.min(distance, axis=1) <= self.reach)
        return np.where(far, -1, nearest).astype(np.int64)

    def document(self) -> dict[str, Any]:
        """The regimes as plain values, for JSON."""
        return {
            "centres": self.centres.tolist(),
            "scale": [None if np.isinf(x) else float(x) for x in self.scale],
            "reach": None if np.isinf(self.reach) else self.reach,
        }


def regimes(document: Mapping[str, Any]) -> Regimes:
    """Regimes out of their document. Raises KeyError or ValueError for what are none."""
    scale = np.array([np.inf if x is None else x for x in document["scale"]], np.float64)
    centres = np.array(document["centres"], np.float64).reshape(len(document["centres"]), len(scale))
    reach = document["reach"]
    return Regimes(centres, scale, np.inf if reach is None else float(reach))


def no_regimes() -> Regimes:
    """One regime for everything."""
    return Regimes(np.zeros((1, 0)), np.zeros(0), np.inf)


def fit_regimes(operating: Float64Array, most: int = 8) -> Regimes:
    """Regimes of float64[n, q] operating values of a healthy period: at most `most`, fewer where they are alike.

    The farthest point from all centres becomes the next centre until it is closer than a tenth of the spread; then
    centres move to the means of their points (k-means, Lloyd 1982). Deterministic. Raises ValueError without a row.
    """
    rows = operating[np.isfinite(operating).all(axis=1)]
    if not len(rows):
        raise ValueError("there is no row of operating values without a gap")
    scale = np.ptp(rows, axis=0)
    scale = np.where(scale > 1e-3 * np.maximum(1e-9, np.max(np.abs(rows), axis=0)), scale, np.inf)
    points = rows / scale
    centres = [np.median(points, axis=0)]
    while len(centres) < most:
        distance = np.min(np.linalg.norm(points[:, None, :] - np.array(centres), axis=2), axis=1)
        far = int(np.argmax(distance))
        if distance[far] < 0.1:
            break
        centres.append(points[far])
    moved = np.array(centres)
    for _ in range(20):
        nearest = np.argmin(np.linalg.norm(points[:, None, :] - moved, axis=2), axis=1)
        filled = [np.mean(points[nearest == k], axis=0) for k in range(len(moved)) if (nearest == k).any()]
        if len(filled) == len(moved) and np.allclose(filled, moved):
            break
        moved = np.array(filled)
    finite = np.where(np.isfinite(scale), scale, 1.0)
    away = np.min(np.linalg.norm(points[:, None, :] - moved, axis=2), axis=1)
    return Regimes(
        np.where(np.isfinite(scale), moved * finite, np.median(rows, axis=0)), scale, 2 * float(np.max(away)) + 0.05
    )
