"""Motor current signature: slip, broken rotor bars and eccentricity from one phase of an induction motor's current."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.bearings.findings import Diagnosis, Finding, MatchedPeak, NotDiagnosable
from lineshaft.analytics.vibration.sensor import SensorProblem, sensor_problems
from lineshaft.analytics.vibration.spectrum import Spectrum, amplitude_spectrum
from lineshaft.analytics.vibration.units import CURRENT
from lineshaft.model.samples import Float64Array

BROKEN_BAR_DB: Final = -45.0
"""Lower sideband by the supply line, at load: beyond it a broken bar is likely; up to -54 dB a rotor is sound (Thomson
and Fenger 2001)."""
ECCENTRIC_DB: Final = -40.0
"""Line of the mixed eccentricity by the supply line; -50 to -60 dB is usual for a new motor."""
HIGHEST_SLIP: Final = 0.10
_PARTED: Final = 5.0
"""Lines of the spectrum that must lie between the supply and its sidebands: the window's main lobe is four wide."""
_OUT: Final = 6.0
"""Times the noise around, above which a line is one."""


@dataclass(frozen=True, slots=True)
class Motor:
    """What is known of an induction motor: Hz of its supply, pole pairs, Hz of its shaft (None: looked for)."""

    mains: float
    pole_pairs: int
    speed: float | None = None

    def __post_init__(self) -> None:
        if not 5 <= self.mains <= 1000 or not 1 <= self.pole_pairs <= 60:
            raise ValueError(f"a motor has a supply of 5 to 1000 Hz and 1 to 60 pole pairs, not {self}")


@dataclass(frozen=True, slots=True)
class Sideband:
    """A line beside the supply: what it is, Hz, dB by the supply line, times the noise around."""

    name: str
    frequency: float
    level: float
    over_noise: float


@dataclass(frozen=True, slots=True)
class Signature:
    """What the spectrum of a current shows.

    supply  Hz that was measured    rms  A    slip  part of 1    estimated  whether it was read out of the current
    rotor   sidebands f_s (1 +- 2 k s)    eccentric  lines f_s (1 +- k (1 - s) / p)    distortion  harmonics by f_s
    """

    supply: float
    rms: float
    slip: float
    estimated: bool
    rotor: tuple[Sideband, ...]
    eccentric: tuple[Sideband, ...]
    distortion: float

    @property
    def broken_bar(self) -> float:
        """dB of the higher of the first two rotor sidebands, -inf without one above the noise."""
        return max((one.level for one in self.rotor[:2] if one.over_noise > _OUT), default=-math.inf)


class NotMeasurable(ValueError):
    """The record does not show what was asked; `reason` is a short word for programs."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def signature(current: Float64Array, rate: float, motor: Motor) -> Signature:
    """Supply, slip and sidebands of float64[n] A at `rate` Hz. Raises NotMeasurable.

    The slip follows from the speed; where that is unknown, from the lines of the rotor's own eccentricity, which every
    motor has a little of (Thomson and Fenger 2001, eq. 1 and 3).
    """
    if rate < 4 * motor.mains:
        raise NotMeasurable("rate", f"{rate:g} samples a second are too few for a supply of {motor.mains:g} Hz")
    spectrum = amplitude_spectrum(current, rate, window="blackmanharris")
    supply = _supply(spectrum, motor.mains)
    slip, estimated = _slip(spectrum, supply, motor)
    if 2 * slip * supply < _PARTED * spectrum.resolution:
        seconds = _PARTED / (2 * slip * supply)
        words = f"the slip of {slip:.2%} puts the sidebands {2 * slip * supply:.2f} Hz beside the supply"
        raise NotMeasurable("short", f"{words}: {seconds:.0f} s of current part them, or more load on the motor")
    reach = 5 * spectrum.resolution
    top = math.sqrt(2) * spectrum.rms(supply - reach, supply + reach)
    rotor = [(f"f_s (1 {sign} {2 * k}s)", supply * (1 + (k if sign == "+" else -k) * 2 * slip))
             for k in (1, 2) for sign in "-+"]  # fmt: skip
    turns = (1 - slip) / motor.pole_pairs
    beside = [(f"f_s (1 {sign} {k}(1-s)/p)", supply * (1 + (k if sign == "+" else -k) * turns))
              for k in (1, 2) for sign in "-+"]  # fmt: skip
    harmonics = [_height(spectrum, k * supply) for k in range(2, 14) if k * supply < 0.9 * rate / 2]
    return Signature(
        supply,
        top / math.sqrt(2),
        slip,
        estimated,
        tuple(_sideband(spectrum, name, place, top) for name, place in rotor),
        tuple(_sideband(spectrum, name, place, top) for name, place in beside if place > 3 * spectrum.resolution),
        math.sqrt(sum(level**2 for level in harmonics)) / top,
    )


def diagnose_current(
    samples: Sequence[float] | NDArray[np.generic],
    rate: float,
    motor: Motor | None,
    *,
    unit: str = "A",
    expected: int | None = None,
) -> Diagnosis:
    """What one record of a phase current says of the motor; nothing is raised for bad data."""
    if unit not in CURRENT:
        return _refused("unit", f"'{unit}' is no unit of current ({', '.join(CURRENT)})")
    wave = np.asarray(samples, np.float64).ravel() * CURRENT[unit]
    problems = [one for one in sensor_problems(wave, rate, expected=expected) if not _of_a_sine(one)]
    if problems:
        return Diagnosis(not_diagnosable=tuple(NotDiagnosable("all", one.kind, one.words) for one in problems))
    if motor is None:
        return _refused("motor", "the motor is unknown: give the frequency of its supply and its poles")
    try:
        found = signature(wave, rate, motor)
    except NotMeasurable as error:
        return _refused(error.reason, str(error))
    findings = [one for one in (_broken(found), _eccentric(found)) if one is not None]
    return Diagnosis(
        findings=tuple(sorted(findings, key=lambda one: -one.likelihood)),
        speed=found.supply * (1 - found.slip) / motor.pole_pairs,
        estimated=found.estimated,
        features={
            "current_rms": found.rms,
            "supply": found.supply,
            "slip": found.slip,
            "broken_bar_db": found.broken_bar,
            "distortion": found.distortion,
        },
    )


def _of_a_sine(problem: SensorProblem) -> bool:
    """A current may swing by less than what counts as plausible for an acceleration."""
    return problem.kind == "implausible"


def _refused(reason: str, words: str) -> Diagnosis:
    return Diagnosis(not_diagnosable=(NotDiagnosable("all", reason, words),))


def _supply(spectrum: Spectrum, mains: float) -> float:
    """Hz of the supply, between the lines. Raises NotMeasurable when it does not rule the current."""
    step = spectrum.resolution
    near = np.flatnonzero(np.abs(spectrum.frequency - mains) <= max(0.02 * mains, 2 * step))
    if not len(near):
        raise NotMeasurable("short", "the record is too short to find the supply in it")
    at = int(near[np.argmax(spectrum.amplitude[near])])
    rest = spectrum.amplitude.copy()
    rest[max(0, at - 5) : at + 6] = 0.0
    if spectrum.amplitude[at] < 2 * float(np.max(rest[5:], initial=0.0)):
        words = f"no line near {mains:g} Hz rules this current: the motor stands, or it has another supply"
        raise NotMeasurable("supply", words)
    return _between(spectrum, at)


def _between(spectrum: Spectrum, at: int) -> float:
    """Hz of the peak at a line: the top of the parabola through the logarithms of it and its neighbours."""
    logs = np.log(np.maximum(spectrum.amplitude[at - 1 : at + 2], 1e-300))
    bend = float(logs[0] - 2 * logs[1] + logs[2])
    shift = 0.0 if bend >= 0 else 0.5 * float(logs[0] - logs[2]) / bend
    return float(spectrum.frequency[at]) + max(-0.5, min(0.5, shift)) * spectrum.resolution


def _slip(spectrum: Spectrum, supply: float, motor: Motor) -> tuple[float, bool]:
    synchronous = supply / motor.pole_pairs
    if motor.speed is not None:
        slip = 1 - motor.speed / synchronous
        if not 0 < slip <= HIGHEST_SLIP:
            words = (
                f"{60 * motor.speed:.0f}/min does not fit a motor that turns a little below {60 * synchronous:.0f}/min"
            )
            raise NotMeasurable("speed", words)
        return slip, False
    step = 0.25 * spectrum.resolution / synchronous
    slips = np.arange(max(0.002, _PARTED * spectrum.resolution / (2 * supply)), HIGHEST_SLIP, step)
    score = np.zeros(len(slips))
    for sign in (-1, 1):
        place = supply + sign * (1 - slips) * synchronous
        score += np.log(np.maximum(_over_noise(spectrum, place), 1.0))
    best = int(np.argmax(score)) if len(slips) else 0
    if not len(slips) or score[best] < 2 * math.log(_OUT):
        words = "the slip cannot be read out of the current: give the speed of the shaft"
        raise NotMeasurable("speed", words)
    places = [supply + sign * (1 - float(slips[best])) * synchronous for sign in (-1, 1)]
    exact = [_between(spectrum, _top(spectrum, place)) for place in places if place > 3 * spectrum.resolution]
    turns = float(np.mean([abs(place - supply) for place in exact]))
    return 1 - turns / synchronous, True


def _top(spectrum: Spectrum, place: float) -> int:
    """The highest line within two of a place (Hz)."""
    first = max(1, round(place / spectrum.resolution) - 2)
    return first + int(np.argmax(spectrum.amplitude[first : first + 5]))


def _over_noise(spectrum: Spectrum, places: Float64Array) -> Float64Array:
    """Amplitude at the places (Hz) by the median around each; 0 outside of the spectrum."""
    index = np.rint(places / spectrum.resolution).astype(np.int64)
    inside = (index > 24) & (index < len(spectrum.amplitude) - 24)
    around = index[inside, None] + np.concatenate((np.arange(-24, -4), np.arange(5, 25)))
    noise = np.median(spectrum.amplitude[around], axis=1)
    found = np.zeros(len(places))
    found[inside] = spectrum.amplitude[index[inside]] / np.maximum(noise, 1e-300)
    return found


def _height(spectrum: Spectrum, place: float) -> float:
    """Highest amplitude at a place (Hz) and the lines beside it."""
    at = round(place / spectrum.resolution)
    return float(np.max(spectrum.amplitude[max(1, at - 1) : at + 2], initial=0.0))


def _sideband(spectrum: Spectrum, name: str, place: float, top: float) -> Sideband:
    at = round(place / spectrum.resolution)
    near = spectrum.amplitude[max(1, at - 1) : at + 2]
    best = max(1, at - 1) + int(np.argmax(near)) if len(near) else at
    frequency = best * spectrum.resolution
    height = float(np.max(near, initial=0.0))
    over = float(_over_noise(spectrum, np.array([frequency]))[0])
    return Sideband(name, frequency, 20 * math.log10(max(height, 1e-12) / top), over)


def _words(bands: Sequence[Sideband]) -> str:
    return ", ".join(f"{one.frequency:.2f} Hz ({one.name}, {one.level:.0f} dB)" for one in bands)


def _peaks(bands: Sequence[Sideband]) -> tuple[MatchedPeak, ...]:
    return tuple(MatchedPeak(one.name, one.frequency, one.over_noise**2) for one in bands)


def _broken(found: Signature) -> Finding | None:
    seen = [one for one in found.rotor if one.over_noise > _OUT]
    first = [one for one in seen if one in found.rotor[:2]]
    if found.broken_bar < BROKEN_BAR_DB or len(first) < 2:
        return None
    words = (
        f"Sidebands of twice the slip frequency stand beside the supply of {found.supply:.2f} Hz: {_words(seen)}; "
        f"{BROKEN_BAR_DB:.0f} dB is the limit for a sound rotor. The slip is {found.slip:.2%}.",
        "A load that swings in the same rhythm looks alike: compare at a steady load.",
    )
    return Finding("rotor_bar", _sure(found.broken_bar - BROKEN_BAR_DB), words, _peaks(seen))


def _eccentric(found: Signature) -> Finding | None:
    seen = [one for one in found.eccentric if one.over_noise > _OUT]
    level = max((one.level for one in seen if one in found.eccentric[:2]), default=-math.inf)
    if level < ECCENTRIC_DB:
        return None
    words = (
        f"Lines of the shaft stand beside the supply of {found.supply:.2f} Hz: {_words(seen)}; "
        f"{ECCENTRIC_DB:.0f} dB is the limit. The air gap is uneven, or the driven machine is out of balance.",
    )
    return Finding("eccentricity", _sure(level - ECCENTRIC_DB), words, _peaks(seen))


def _sure(over: float) -> float:
    """Likelihood by the dB beyond a limit of experience: 0.5 at it, 0.9 ten dB beyond. No tested error rate."""
    return min(0.95, 0.5 + 0.04 * over)
