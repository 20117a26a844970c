"""Waveform: a burst of samples taken so fast that only the whole of them means something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

WaveSamples: TypeAlias = NDArray[np.int16] | NDArray[np.float32]
MOST_SAMPLES: Final = 1 << 24
"""Samples of one burst at most: eleven minutes at 25.6 kHz."""
MICROSECONDS: Final = 1_000_000
_STEPS: Final = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001)
_EXACT: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """One burst, or a piece of one that was too long for a message. Signal, time and quality are those of its row.

    samples  int16[n] or float32[n]; a value in the signal's unit is sample * scale
    rate     samples per second
    speed    of the shaft while it was taken, 1/min; None where nobody knows
    offset   place of the first sample in its burst; 0 for a whole one
    total    samples of the whole burst
    """

    samples: WaveSamples
    rate: float
    speed: float | None = None
    scale: float = 1.0
    offset: int = 0
    total: int = 0

    def __len__(self) -> int:
        return len(self.samples)

    @staticmethod
    def of(
        samples: Sequence[Any] | NDArray[Any],
        rate: float,
        speed: float | None = None,
        *,
        scale: float = 1.0,
        expected: int | None = None,
    ) -> Waveform:
        """A whole burst from what a device gave.

        Integers that fit stay int16; so do decimal numbers like 0.125 that int16 and a scale of 0.1 to 0.00001 hold
        exactly, because they take half the space; all else becomes float32.

        expected: how many samples there must be, where that is known.

        Raises ValueError, in words for people, for a rate or scale that cannot be, half a waveform, no samples, text,
        and NaN or infinity.
        """
        if not isfinite(rate) or rate <= 0:
            raise ValueError(f"a waveform has a sample rate above 0 Hz, this one {rate:g} Hz")
        if not isfinite(scale) or scale == 0:
            raise ValueError(f"a waveform cannot have the scale {scale:g}")
        if speed is not None and (not isfinite(speed) or speed < 0):
            raise ValueError(f"a shaft speed of {speed:g} 1/min cannot be")
        column, step = _column(samples)
        if expected is not None and len(column) != expected:
            raise ValueError(f"half a waveform: {len(column)} of {expected} samples")
        return Waveform(column, float(rate), speed, float(scale) * step, 0, len(column))

    def values(self) -> NDArray[np.float64]:
        """float64[n] in the signal's unit."""
        return self.samples * np.float64(self.scale)

    def rms(self) -> float:
        """Root mean square about the mean, in the signal's unit: what stands for the burst in a trend."""
        return float(np.std(self.samples, dtype=np.float64)) * abs(self.scale)

    @property
    def nbytes(self) -> int:
        """Bytes of the samples."""
        return int(self.samples.nbytes)

    @property
    def whole(self) -> bool:
        """False for a piece."""
        return len(self.samples) == self.total

    @property
    def lag(self) -> int:
        """Microseconds from the first sample of the burst to the first one of this piece."""
        return round(self.offset / self.rate * MICROSECONDS)

    def pieces(self, most: int) -> Iterator[Waveform]:
        """Consecutive pieces of at most `most` bytes each; itself when it is small enough."""
        step = max(1, most // self.samples.itemsize)
        for start in range(0, len(self.samples), step):
            part = self.samples[start : start + step]
            yield self if len(part) == len(self) else replace(self, samples=part, offset=self.offset + start)


def joined(parts: Sequence[Waveform]) -> Waveform:
    """The burst that these pieces are of, in any order. Raises ValueError when one is missing or they do not fit."""
    if not parts:
        raise ValueError("a waveform without any piece")
    ordered = sorted(parts, key=lambda part: part.offset)
    at = 0
    for part in ordered:
        if part.offset != at or part.total != ordered[0].total or part.samples.dtype != ordered[0].samples.dtype:
            raise ValueError(f"half a waveform: what follows sample {at} of {ordered[0].total} is missing")
        at += len(part)
    if at != ordered[0].total:
        raise ValueError(f"half a waveform: {at} of {ordered[0].total} samples")
    return replace(ordered[0], samples=np.concatenate([part.samples for part in ordered]))


def _column(samples: Sequence[Any] | NDArray[Any]) -> tuple[WaveSamples, float]:
    """Samples as they are kept, and what one of them is worth."""
    try:
        column = np.asarray(samples)
    except ValueError:
        raise ValueError("a waveform is one row of numbers") from None
    if column.ndim != 1 or column.dtype.kind not in "iuf" or column.dtype == np.object_:
        raise ValueError("a waveform is one row of numbers")
    if not 1 < len(column) <= MOST_SAMPLES:
        raise ValueError(f"a waveform has 2 to {MOST_SAMPLES} samples, this one {len(column)}")
    if column.dtype.kind in "iu":
        limits = np.iinfo(np.int16)
        if limits.min <= int(column.min()) and int(column.max()) <= limits.max:
            return column.astype(np.int16), 1.0
    broken = int(np.count_nonzero(~np.isfinite(column)))
    if broken:
        raise ValueError(f"{broken} of {len(column)} samples of a waveform are no numbers")
    for step in _STEPS:
        whole = np.rint(column / step)
        if np.abs(whole).max() > np.iinfo(np.int16).max:
            break
        if (np.abs(column - whole * step) <= _EXACT * np.abs(column)).all():
            return whole.astype(np.int16), step
    with np.errstate(over="ignore"):
        single = column.astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError("a waveform has samples beyond what 32 bit hold")
    return single, 1.0
