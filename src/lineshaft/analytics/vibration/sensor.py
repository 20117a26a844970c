"""Whether a waveform can be trusted at all: clipped, constant, broken off, or not from a working accelerometer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HIGHEST: Final = 50_000.0
"""m/s2: beyond 5,000 g no industrial accelerometer measures; a value there is a wrong unit or raw counts."""
_CLIPPED_PART: Final = 5e-4
_CLIPPED_FEWEST: Final = 4


@dataclass(frozen=True, slots=True)
class SensorProblem:
    """Why a waveform is not judged: a short kind for programs, and the words for people."""

    kind: str
    words: str


def sensor_problems(
    samples: Sequence[float] | NDArray[np.generic], rate: float, *, expected: int | None = None
) -> tuple[SensorProblem, ...]:
    """Everything that forbids a judgement of a waveform in m/s2; empty when it can be trusted.

    expected: how many samples the record should have. Kinds: empty, short, non_finite, constant, clipped, dropout,
    offset_jump, implausible, rate.
    """
    wave = np.asarray(samples, np.float64).ravel()
    if not np.isfinite(rate) or rate <= 0:
        return (SensorProblem("rate", "the sample rate is unknown"),)
    if not len(wave):
        return (SensorProblem("empty", "the record has no samples"),)
    found = []
    if expected is not None and len(wave) < 0.95 * expected:
        found.append(SensorProblem("short", f"the record has {len(wave)} of {expected} samples: it broke off"))
    bad = int(np.count_nonzero(~np.isfinite(wave)))
    if bad:
        return (*found, SensorProblem("non_finite", f"{bad} of {len(wave)} samples are no numbers"))
    if float(np.ptp(wave)) <= 1e-9 * max(1e-6, float(np.max(np.abs(wave)))):
        return (*found, SensorProblem("constant", "the signal does not move: no sensor, no power or a broken cable"))
    found.extend(problem for check in (_clipped, _dropout, _jump, _implausible) if (problem := check(wave)) is not None)
    return tuple(found)


def clipped_part(wave: NDArray[np.float64]) -> float:
    """Part of the samples that stand at the very top or bottom of the signal, where it is clipped there.

    Clipped: runs of two or more at the end of the range, and there at least half as many samples as in the 2.5 % of the
    span next to it. The rounded top of a sine in counts of a converter is no clipping: much more stands just below.
    """
    if len(wave) < 3:
        return 0.0
    span = float(np.ptp(wave))
    stuck = 0
    for side in (wave, -wave):
        limit = float(np.max(side))
        at = side >= limit - 1e-6 * span
        near = int(np.count_nonzero(side >= limit - 0.025 * span)) - int(np.count_nonzero(at))
        held = int(np.count_nonzero(at)) if (at[1:] & at[:-1]).any() else 0
        stuck += held if held >= 0.5 * near else 0
    return stuck / len(wave)


def _clipped(wave: NDArray[np.float64]) -> SensorProblem | None:
    part = clipped_part(wave)
    if part < _CLIPPED_PART or part * len(wave) < _CLIPPED_FEWEST:
        return None
    values = len(np.unique(wave[: min(len(wave), 4096)]))
    if values < 16:
        return SensorProblem("constant", f"the signal takes only {values} values: its range is set far too wide")
    return SensorProblem("clipped", f"{part:.1%} of the samples stand at the end of its range: it is clipped")


def _dropout(wave: NDArray[np.float64]) -> SensorProblem | None:
    same = np.diff(wave) == 0
    if not same.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([0], same.astype(np.int8), [0]))))
    longest = int(np.max(edges[1::2] - edges[::2])) + 1
    if longest < max(32, len(wave) // 200):
        return None
    return SensorProblem("dropout", f"{longest} samples in a row are the same: the signal dropped out")


def _jump(wave: NDArray[np.float64]) -> SensorProblem | None:
    """A level that wanders by more than what it swings: a loose connector or a sensor that recovers from a shock."""
    parts = wave[: len(wave) // 16 * 16].reshape(16, -1) if len(wave) >= 256 else None
    if parts is None:
        return None
    levels = np.median(parts, axis=1)
    swing = float(np.median(np.std(parts, axis=1)))
    moved = float(np.ptp(levels))
    if moved <= 6 * swing or moved <= 1e-9:
        return None
    return SensorProblem("offset_jump", "the level of the signal moves more than it swings: a loose or shocked sensor")


def _implausible(wave: NDArray[np.float64]) -> SensorProblem | None:
    highest = float(np.max(np.abs(wave)))
    if highest > HIGHEST:
        return SensorProblem("implausible", f"values up to {highest:.3g} m/s2: raw counts or a wrong unit")
    if float(np.std(wave)) < 1e-4:
        return SensorProblem("implausible", "less than 0.1 mm/s2 of vibration: a wrong unit, or the machine stands")
    return None
