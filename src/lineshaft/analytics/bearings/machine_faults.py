"""Faults of shaft, coupling, foundation, gear and motor by the lines of the velocity spectrum."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from lineshaft.analytics.bearings.findings import FaultKind, Finding, MatchedPeak
from lineshaft.analytics.vibration.features import velocity
from lineshaft.analytics.vibration.integration import severity_band
from lineshaft.analytics.vibration.severity import Boundaries
from lineshaft.analytics.vibration.spectrum import Line, Spectrum, amplitude_spectrum, line_near
from lineshaft.model.samples import Float64Array

USUAL_LIMIT: Final = 2.8
"""mm/s RMS: B/C of machines of 15 to 300 kW on a rigid support, taken where the machine has no zones of its own."""
_STANDS_OUT: Final = 5.0


def machine_findings(
    wave: Float64Array,
    rate: float,
    speed: float,
    velocity_rms: float,
    zones: Boundaries | None,
    *,
    teeth: int | None = None,
    mains: float | None = None,
) -> tuple[Finding, ...]:
    """Faults other than of the bearing of float64[n] m/s2 at `rate` Hz and a shaft of `speed` Hz; may be empty.

    Every machine has some unbalance: a line of the shaft is a finding only where the velocity (mm/s RMS) passes the B/C
    boundary of its zones. The signatures are those of ISO 13373-1 and the usual tables of vibration analysts.
    """
    limit = USUAL_LIMIT if zones is None else zones.velocity[1]
    found: list[Finding] = []
    band = severity_band(speed)
    high = min(band[1], rate / 2)
    if velocity_rms > limit and high > 3 * speed:
        spectrum = amplitude_spectrum(velocity(wave, rate, (band[0], high)), rate)
        found.extend(_shaft(spectrum, speed, velocity_rms, limit))
        if mains is not None:
            found.extend(_electrical(spectrum, speed, mains, velocity_rms))
    if teeth is not None and (teeth + 3) * speed < rate / 2:
        found.extend(_gear(amplitude_spectrum(wave, rate), speed, teeth))
    return tuple(found)


def _shaft(spectrum: Spectrum, speed: float, total: float, limit: float) -> list[Finding]:
    lines = {k: line_near(spectrum, k * speed, 0.02 * k * speed) for k in range(1, 11)}
    level = {k: line.amplitude / math.sqrt(2) if _out(line) and line else 0.0 for k, line in lines.items()}
    halves = [line_near(spectrum, (k + 0.5) * speed, 0.02 * speed) for k in range(4)]
    half_lines = [
        line for line in halves if line is not None and line.over_noise > _STANDS_OUT and line.amplitude > 0.05 * total
    ]
    strong = [k for k, value in level.items() if value > 0.1 * total]
    over = f"the velocity of {total:.1f} mm/s is beyond the limit of {limit:g} mm/s"
    first, second = level[1], level[2]
    if len(strong) >= 5 or (len(half_lines) >= 2 and len(strong) >= 3):
        words = f"{len(strong)} multiples of the shaft and {len(half_lines)} half orders stand out; {over}."
        return [_found("looseness", _share(level, strong, total), words, lines, strong, speed)]
    if second > 0.75 * first and second > 0.4 * total:
        words = f"Twice the speed ({second:.1f} mm/s) is as high as the speed itself ({first:.1f} mm/s); {over}."
        return [_found("misalignment", _share(level, [1, 2], total), words, lines, [1, 2], speed)]
    if first > 0.7 * total:
        words = f"The line of the shaft alone carries {first**2 / total**2:.0%} of the power; {over}."
        return [_found("unbalance", _share(level, [1], total), words, lines, [1], speed)]
    return []


def _electrical(spectrum: Spectrum, speed: float, mains: float, total: float) -> list[Finding]:
    line = line_near(spectrum, 2 * mains, 2 * spectrum.resolution)
    if line is None or not _out(line) or line.amplitude / math.sqrt(2) < 0.4 * total:
        return []
    nearest = round(2 * mains / speed) * speed
    if abs(line.frequency - nearest) < 2.5 * spectrum.resolution:
        return []  # a two-pole motor: the record is too short to part twice the mains from a multiple of the shaft
    words = (
        f"Twice the mains ({line.frequency:.1f} Hz) carries {line.amplitude / math.sqrt(2):.1f} of {total:.1f} mm/s."
    )
    peak = MatchedPeak("2 x mains", line.frequency, line.over_noise**2)
    return [Finding("electrical", min(0.95, line.amplitude**2 / 2 / total**2 + 0.2), (words,), (peak,))]


def _gear(spectrum: Spectrum, speed: float, teeth: int) -> list[Finding]:
    """Sidebands of the shaft around the mesh: their power by that of the mesh."""
    mesh = line_near(spectrum, teeth * speed, 0.3 * speed)
    if mesh is None or not _out(mesh):
        return []
    beside = [
        (m, line)
        for m in (-3, -2, -1, 1, 2, 3)
        if (line := line_near(spectrum, mesh.frequency + m * speed, 0.1 * speed)) is not None and _out(line)
    ]
    share = float(np.sqrt(sum(line.amplitude**2 for _, line in beside))) / mesh.amplitude
    if len(beside) < 4 or share < 0.7:
        return []
    peaks = [MatchedPeak("mesh", mesh.frequency, mesh.over_noise**2)]
    peaks += [MatchedPeak(f"mesh {m:+d} x shaft", line.frequency, line.over_noise**2) for m, line in beside]
    words = f"{len(beside)} sidebands {speed:.1f} Hz apart beside the mesh of {teeth} teeth carry {share:.0%} of it."
    return [Finding("gear_mesh", min(0.95, 0.5 + 0.3 * share), (words,), tuple(peaks))]


def _found(
    kind: FaultKind, share: float, words: str, lines: dict[int, Line | None], used: list[int], speed: float
) -> Finding:
    peaks = tuple(
        MatchedPeak(f"{k} x shaft", line.frequency, line.over_noise**2) for k in used if (line := lines[k]) is not None
    )
    return Finding(kind, min(0.95, 0.3 + 0.65 * share), (f"{words} The shaft turns at {speed:.2f} Hz.",), peaks)


def _share(level: dict[int, float], used: list[int], total: float) -> float:
    return min(1.0, sum(level[k] ** 2 for k in used) / total**2)


def _out(line: Line | None) -> bool:
    return line is not None and line.over_noise > _STANDS_OUT
