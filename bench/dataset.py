"""The values that all stores get: 1,000 machine signals, a second apart, with the noise and the steps of real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def machine_values(signals: int, seconds: int, seed: int = 7) -> NDArray[np.float64]:
    """float64[seconds, signals]: slow drift (AR(1)) plus sensor noise, two decimals; every tenth is a counter."""
    generator = np.random.default_rng(seed)
    level = generator.uniform(5, 500, signals)
    values = np.empty((seconds, signals))
    state = np.zeros(signals)
    for index in range(seconds):
        state = 0.98 * state + generator.normal(0, 0.01, signals) * level
        values[index] = level + state + generator.normal(0, 0.002, signals) * level
    values[:, ::10] = np.cumsum(generator.integers(0, 3, (seconds, len(values[0, ::10]))), axis=0)
    return np.round(values, 2)


def times(seconds: int) -> NDArray[np.int64]:
    """int64[seconds] UTC microseconds, one second apart."""
    return START_US + np.arange(seconds, dtype=np.int64) * 1_000_000
