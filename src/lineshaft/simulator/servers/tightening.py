"""What a simulated screwdriver does: joints with a torque-angle curve, good results and the usual bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lineshaft.model.samples import Float64Array

Defect = Literal["", "stripped", "cross-thread", "rehit", "aborted"]
_SAMPLES = 120
_SECONDS = 0.9


@dataclass(frozen=True, slots=True)
class Limits:
    """A parameter set: torque in Nm, angle in degrees from snug."""

    number: int = 1
    name: str = "M6 housing"
    torque_min: float = 7.5
    torque_max: float = 9.5
    torque_target: float = 8.5
    angle_min: float = 350.0
    angle_max: float = 480.0
    angle_target: float = 412.0


@dataclass(frozen=True, slots=True)
class Tightening:
    """One tightening. `torque_curve` (Nm) and `angle_curve` (degrees) are sampled every `step_us` microseconds."""

    time_us: int
    torque: float
    angle: float
    limits: Limits = Limits()
    vin: str = ""
    job: int = 1
    batch_size: int = 4
    batch_counter: int = 1
    errors: int = 0  # bits of the error status
    current: float = 42.0  # percent
    torque_curve: Float64Array | None = None
    angle_curve: Float64Array | None = None
    step_us: int = 7500

    @property
    def torque_status(self) -> int:
        """0 low, 1 in order, 2 high."""
        return _judged(self.torque, self.limits.torque_min, self.limits.torque_max)

    @property
    def angle_status(self) -> int:
        """0 low, 1 in order, 2 high."""
        return _judged(self.angle, self.limits.angle_min, self.limits.angle_max)

    @property
    def ok(self) -> bool:
        """Whether torque and angle are within their limits and nothing went wrong."""
        return self.torque_status == self.angle_status == 1 and not self.errors


Model = Callable[[int], Iterable[Tightening]]
"""Gives the tightenings that ended up to a time (UTC microseconds), since it was asked last."""


def _judged(value: float, low: float, high: float) -> int:
    return 0 if value < low else 2 if value > high else 1


def tighten(seed: int, time_us: int, limits: Limits | None = None, defect: Defect = "", vin: str = "") -> Tightening:
    """One tightening with its curve; the same seed gives the same one. Screw 1 of 4 follows screw 4."""
    limits = limits or Limits()
    noise = np.random.default_rng(seed)
    target, angle = limits.torque_target, limits.angle_target + 9.0 * noise.standard_normal()
    peak = target + 0.11 * noise.standard_normal()
    errors = 0
    if defect == "stripped":
        peak, angle, errors = 0.55 * target, limits.angle_max + 90.0, 1 << 14
    elif defect == "cross-thread":
        angle = 0.35 * limits.angle_min
    elif defect == "rehit":
        angle, errors = 6.0, 1 << 17
    elif defect == "aborted":
        peak, angle, errors = 0.4 * target, 0.5 * limits.angle_min, 1 << 13
    progress = np.linspace(0.0, 1.0, _SAMPLES)
    rundown = 0.04 * target * (1 + 0.3 * np.sin(40 * progress))
    clamp = np.clip((progress - 0.55) / 0.45, 0.0, 1.0) ** 1.15
    torque = np.maximum(rundown, peak * clamp) + 0.012 * target * noise.standard_normal(_SAMPLES) * (1 - clamp)
    torque[-1] = peak
    return Tightening(
        time_us=time_us,
        torque=round(float(peak), 2),
        angle=round(float(angle)),
        limits=limits,
        vin=vin,
        batch_counter=seed % 4 + 1,
        errors=errors,
        current=float(np.clip(42 + 2 * noise.standard_normal(), 0, 100)),
        torque_curve=torque,
        angle_curve=angle * progress,
        step_us=round(_SECONDS * 1e6 / _SAMPLES),
    )
