"""An ensemble of regression trees as plain arrays: learned elsewhere, read and applied with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

_ARRAYS = ("roots", "feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class TreeEnsemble:
    """Trees one after the other; a row's prediction is `base` plus the value of the leaf that it reaches in each.

    roots      int32[t], node at which each tree begins
    feature    int32[k], column that a node looks at; -1 for a leaf
    threshold  float64[k], a value of at most this goes left    left, right  int32[k], next node
    value      float64[k], of a leaf
    """

    base: float
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Float64Array
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Float64Array

    def predict(self, rows: Float64Array) -> Float64Array:
        """float64[n] of float64[n, p]. A gap (NaN) goes right."""
        total = np.full(len(rows), self.base)
        place = np.arange(len(rows))
        for root in self.roots:
            node = np.full(len(rows), root)
            while True:
                looks = self.feature[node]
                inner = looks >= 0
                if not inner.any():
                    break
                goes_left = rows[place[inner], looks[inner]] <= self.threshold[node[inner]]
                node[inner] = np.where(goes_left, self.left[node[inner]], self.right[node[inner]])
            total += self.value[node]
        return total

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the base, for a file."""
        return {name: getattr(self, name) for name in _ARRAYS}


def tree_ensemble(base: float, arrays: Mapping[str, NDArray[Any]]) -> TreeEnsemble:
    """The ensemble out of a file's arrays. Raises ValueError for nodes that lead nowhere or back."""
    found = {name: arrays[name] for name in _ARRAYS}
    roots, feature, left, right = (found[name].astype(np.int32) for name in ("roots", "feature", "left", "right"))
    nodes = len(feature)
    inner = feature >= 0
    here = np.arange(nodes)[inner]
    for child in (left[inner], right[inner]):
        if not ((child > here) & (child < nodes)).all():
            raise ValueError("a node of the tree leads nowhere or back")
    if any(len(found[name]) != nodes for name in _ARRAYS[1:]) or not ((roots >= 0) & (roots < nodes)).all():
        raise ValueError("the arrays of the trees do not fit together")
    threshold, value = found["threshold"].astype(np.float64), found["value"].astype(np.float64)
    return TreeEnsemble(base, roots, feature, threshold, left, right, value)


def of_gradient_boosting(model: Any) -> TreeEnsemble:
    """The trees of a fitted HistGradientBoostingRegressor of scikit-learn, without its missing-value branches."""
    parts: list[Any] = [stage[0].nodes for stage in model._predictors]
    sizes = np.array([len(nodes) for nodes in parts])
    roots = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int32)
    nodes = np.concatenate(parts)
    shift = np.repeat(roots, sizes)
    leaf = nodes["is_leaf"].astype(bool)
    return TreeEnsemble(
        base=float(np.ravel(model._baseline_prediction)[0]),
        roots=roots,
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        threshold=np.where(leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        left=np.where(leaf, 0, nodes["left"].astype(np.int64) + shift).astype(np.int32),
        right=np.where(leaf, 0, nodes["right"].astype(np.int64) + shift).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0).astype(np.float64),
    )
