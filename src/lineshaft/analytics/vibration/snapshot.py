"""Features of many short snapshots at once: what a health index of a bearing is made of."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import fft

from lineshaft.model.samples import Float64Array

BANDS: Final = ((10.0, 1000.0), (1000.0, 3000.0), (3000.0, 6000.0), (6000.0, 12_800.0))
"""Hz: shaft and structure; natural frequencies that a spall rings; above; where friction and early damage show."""
SNAPSHOT_FEATURES: Final = (*(f"rms {low:g}-{high:g} Hz" for low, high in BANDS), "peak", "kurtosis")


def snapshot_features(waves: Float64Array, rate: float) -> Float64Array:
    """float64[n, 6] of float64[n, c, m]: n snapshots of c channels in m/s2, m samples each at `rate` Hz.

    RMS in each band over all channels together (root of the summed squares), the highest peak and the highest kurtosis
    of any channel, in the order of `SNAPSHOT_FEATURES`. A band above half the rate is NaN.
    """
    centred = waves - np.mean(waves, axis=2, keepdims=True)
    m = waves.shape[2]
    lines = fft.rfft(centred, axis=2)
    power = 2 * (lines.real**2 + lines.imag**2) / m**2
    frequency = fft.rfftfreq(m, 1 / rate)
    columns = [
        np.sqrt(power[:, :, (frequency >= low) & (frequency < high)].sum(axis=(1, 2)))
        if low < rate / 2
        else np.full(len(waves), np.nan)
        for low, high in BANDS
    ]
    square = centred * centred
    variance = np.mean(square, axis=2)
    kurtosis = np.divide(np.mean(square * square, axis=2), variance**2, out=np.zeros_like(variance), where=variance > 0)
    return np.column_stack([*columns, np.max(np.abs(centred), axis=(1, 2)), np.max(kurtosis, axis=1)])
