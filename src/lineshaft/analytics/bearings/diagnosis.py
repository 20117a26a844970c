"""Diagnosis of one waveform of an accelerometer: faults with their evidence, or why there can be none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.bearings.cavitation import cavitation_finding
from lineshaft.analytics.bearings.envelope_search import Settings, bearing_findings
from lineshaft.analytics.bearings.findings import Diagnosis, Finding, NotDiagnosable
from lineshaft.analytics.bearings.kinematics import FaultOrders
from lineshaft.analytics.bearings.machine_faults import machine_findings
from lineshaft.analytics.vibration.features import crest_factor, kurtosis, peak, rms, velocity_rms
from lineshaft.analytics.vibration.integration import severity_band
from lineshaft.analytics.vibration.orders import estimate_speed
from lineshaft.analytics.vibration.sensor import sensor_problems
from lineshaft.analytics.vibration.severity import Boundaries
from lineshaft.analytics.vibration.shape import shape_of
from lineshaft.analytics.vibration.units import acceleration
from lineshaft.model.samples import Float64Array

FEWEST_TURNS: Final = 8.0
"""Turns of the shaft that a record must hold before an envelope spectrum can part the fault frequencies."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of the machine behind a waveform; everything may be absent.

    speed        Hz of the shaft                   speed_range  Hz within which the speed may be looked for
    orders       fault orders of the bearing       teeth        of the gear on this shaft
    mains        Hz of the supply, for motors      zones        severity zones of its kind
    vanes        of the impeller, for pumps
    """

    speed: float | None = None
    speed_range: tuple[float, float] | None = None
    orders: FaultOrders | None = None
    teeth: int | None = None
    mains: float | None = None
    zones: Boundaries | None = None
    vanes: int | None = None
    settings: Settings = field(default_factory=Settings)


def diagnose(
    samples: Sequence[float] | NDArray[np.generic],
    rate: float,
    machine: Machine,
    *,
    unit: str = "m/s2",
    expected: int | None = None,
) -> Diagnosis:
    """Everything that one waveform of an acceleration in `unit`, `rate` times a second, says about a machine.

    expected: how many samples the record should have. Nothing is raised for bad data: what cannot be judged is in
    `not_diagnosable` with the reason. No training data are needed.
    """
    try:
        wave = acceleration(np.ravel(samples), unit)
    except ValueError as error:
        return _refused("unit", f"{error}: bearing diagnosis needs an acceleration")
    problems = sensor_problems(wave, rate, expected=expected)
    if problems:
        return Diagnosis(not_diagnosable=tuple(NotDiagnosable("all", one.kind, one.words) for one in problems))
    speed, estimated = _speed(wave, rate, machine)
    known = replace(machine, speed=speed)
    refusals = _refusals(wave, rate, known)
    findings: list[Finding] = []
    judged = {entry.what for entry in refusals}
    passing = {} if machine.vanes is None else {machine.vanes: f"its {machine.vanes} vanes that pass"}
    if "bearing" not in judged and known.orders is not None and speed is not None:
        findings.extend(bearing_findings(wave, rate, known.orders, speed, machine.settings, passing))
    band = severity_band(speed)
    velocity = velocity_rms(wave, rate, (band[0], min(band[1], rate / 2))) if rate / 2 > 2 * band[0] else None
    if "shaft" not in judged and speed is not None and velocity is not None:
        findings.extend(
            machine_findings(wave, rate, speed, velocity, machine.zones, teeth=machine.teeth, mains=machine.mains)
        )
    if "shaft" not in judged and speed is not None and machine.vanes is not None:
        hydraulic = cavitation_finding(wave, rate, speed, machine.vanes, machine.orders, machine.settings)
        findings.extend(() if hydraulic is None else (hydraulic,))
    zones = machine.zones
    return Diagnosis(
        findings=tuple(sorted(findings, key=lambda finding: -finding.likelihood)),
        not_diagnosable=refusals,
        speed=speed,
        estimated=estimated,
        velocity_rms=velocity,
        zone=None if zones is None or velocity is None else zones.zone(velocity),
        edition=None if zones is None else zones.edition,
        features=_features(wave),
    )


def _refused(reason: str, words: str) -> Diagnosis:
    return Diagnosis(not_diagnosable=(NotDiagnosable("all", reason, words),))


def _speed(wave: Float64Array, rate: float, machine: Machine) -> tuple[float | None, bool]:
    if machine.speed is not None:
        return (machine.speed, False) if machine.speed > 0 else (None, False)
    if machine.speed_range is None:
        return None, False
    try:
        estimate = estimate_speed(wave, rate, *machine.speed_range)
    except ValueError:
        return None, True
    return (estimate.speed, True) if estimate.trusted else (None, True)


def _refusals(wave: Float64Array, rate: float, machine: Machine) -> tuple[NotDiagnosable, ...]:
    speed, orders = machine.speed, machine.orders
    if speed is None:
        words = "the speed of the shaft is missing"
        if machine.speed_range is not None:
            words = "the speed of the shaft cannot be read out of the vibration"
        return (NotDiagnosable("bearing", "speed", words), NotDiagnosable("shaft", "speed", words))
    found = []
    turns = len(wave) / rate * speed
    if turns < FEWEST_TURNS:
        words = f"the record holds {turns:.1f} turns of the shaft; {FEWEST_TURNS:.0f} or more are needed"
        found += [NotDiagnosable("bearing", "short", words), NotDiagnosable("shaft", "short", words)]
    if orders is None:
        found.append(NotDiagnosable("bearing", "geometry", "the bearing is unknown: give its name, geometry or orders"))
    elif rate / 4 < 2.2 * orders.inner * speed:
        words = f"{rate:g} samples a second are too few for shocks {orders.inner * speed:.0f} times a second"
        found.append(NotDiagnosable("bearing", "rate", words))
    return tuple(found)


def _features(wave: Float64Array) -> dict[str, float]:
    shape = shape_of(wave)
    return {
        "acceleration_rms": rms(wave),
        "peak": peak(wave),
        "crest": crest_factor(wave),
        "kurtosis": kurtosis(wave),
        "skewness": shape.skewness,
    }
