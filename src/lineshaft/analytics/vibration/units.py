"""Units of vibration: one unit inside, and a refusal of what is none of the quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

STANDARD_GRAVITY: Final = 9.80665
"""m/s2, exact (ISO 80000-3)."""

ACCELERATION: Final = {
    "m/s2": 1.0,
    "m/s²": 1.0,
    "m/s^2": 1.0,
    "m/s**2": 1.0,
    "mm/s2": 1e-3,
    "mm/s²": 1e-3,
    "g": STANDARD_GRAVITY,
    "g_0": STANDARD_GRAVITY,
    "gn": STANDARD_GRAVITY,
    "mg": STANDARD_GRAVITY / 1000,
    "gal": 0.01,
}
"""Unit -> m/s2."""

CURRENT: Final = {"A": 1.0, "mA": 1e-3, "kA": 1e3}
"""Unit -> A."""

VELOCITY: Final = {"m/s": 1000.0, "mm/s": 1.0, "um/s": 1e-3, "µm/s": 1e-3, "in/s": 25.4, "ips": 25.4}
"""Unit -> mm/s."""


def acceleration(values: Sequence[float] | NDArray[np.generic], unit: str) -> Float64Array:
    """float64[n] in m/s2 of an acceleration in `unit`. Raises ValueError for a unit that is no acceleration."""
    return np.asarray(values, np.float64) * _factor(unit, ACCELERATION, "acceleration")


def velocity_in_mm_s(values: Sequence[float] | NDArray[np.generic], unit: str) -> Float64Array:
    """float64[n] in mm/s of a velocity in `unit`. Raises ValueError for a unit that is no velocity."""
    return np.asarray(values, np.float64) * _factor(unit, VELOCITY, "velocity")


def is_acceleration(unit: str) -> bool:
    """Whether `unit` names an acceleration."""
    return unit.strip().lower() in ACCELERATION


def _factor(unit: str, known: dict[str, float], what: str) -> float:
    try:
        return known[unit.strip().lower()]
    except KeyError:
        raise ValueError(f"{unit!r} is no unit of {what}; known are {', '.join(known)}") from None
