"""Noise as a pure function of time: the same instant has the same value however a period is cut into calls."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LOW16 = np.uint64(0xFFFF)


def key_of(seed: int, name: str) -> np.uint64:
    """Key of one noise source; stable between processes and releases."""
    data = f"{seed}/{name}".encode()
    return np.uint64(zlib.crc32(data) | (zlib.crc32(data[::-1]) << 32))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 finaliser (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        z = (x + _GOLDEN) * _MIX_1
        z ^= z >> np.uint64(29)
        z *= _MIX_2
        z ^= z >> np.uint64(32)
    return z


def white(key: np.uint64, ticks: Int64Array) -> Float64Array:
    """float64[n], mean 0, variance 1, nearly normal (the sum of four uniforms), bounded by 3.5."""
    h = _mix(ticks.view(np.uint64) ^ key)
    total = (h & _LOW16) + ((h >> np.uint64(16)) & _LOW16) + ((h >> np.uint64(32)) & _LOW16) + (h >> np.uint64(48))
    return np.asarray((total.astype(np.float64) * (1.0 / 65536.0) - 2.0) * 1.7320508, np.float64)


def smooth(key: np.uint64, times: Int64Array, period_s: float) -> Float64Array:
    """float64[n], mean 0, variance about 1, that wanders with a correlation time near `period_s` seconds."""
    period = np.int64(period_s * 1e6)
    first = int(times[0] // period)
    knots = np.arange(first, int(times[-1] // period) + 2, dtype=np.int64)
    heights = white(key, knots)
    at = (times - first * period) / period
    return np.asarray(np.interp(at, np.arange(len(knots)), heights) * 1.22, np.float64)
