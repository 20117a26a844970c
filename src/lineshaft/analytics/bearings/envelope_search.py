"""Looks for the fault frequencies of a bearing in the envelopes of many bands and names what explains most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft

from lineshaft.analytics.bearings.comb import Comb, WhiteSpectra, best_comb, white_envelope_spectra
from lineshaft.analytics.bearings.findings import FaultKind, Finding, MatchedPeak, likelihood
from lineshaft.analytics.bearings.kinematics import FaultOrders
from lineshaft.analytics.vibration.envelope import Complex128Array, envelope_of_lines, kurtogram_of_lines
from lineshaft.model.samples import Float64Array

Band = tuple[float, float]
LOWEST_ORDER: Final = 12.0
"""Orders of the shaft below which no envelope is taken: its own harmonics live there, not the ring of a bearing."""
_BY_KURTOGRAM: Final = "the kurtogram"


@dataclass(frozen=True, slots=True)
class Settings:
    """What counts as a fault.

    false_calls  chance that a healthy record is called damaged    tolerance  part, of the fault frequencies (slip)
    depth  least modulation of the envelope that is called    fewest  multiples that must stand out by themselves
    """

    false_calls: float = 1e-3
    tolerance: float = 0.03
    depth: float = 0.08
    fewest: int = 2


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A fault frequency: its kind and name, Hz, and the Hz of what modulates it (0: nothing)."""

    kind: FaultKind
    name: str
    frequency: float
    modulation: float
    modulator: str


@dataclass(frozen=True, slots=True)
class Group:
    """Envelope spectra of bands of one width; how they came about in words."""

    bands: tuple[Band, ...]
    spectra: WhiteSpectra
    by: str


def fault_lines(orders: FaultOrders, speed: float) -> tuple[FaultLine, ...]:
    """The four fault frequencies in Hz at a shaft speed in Hz."""
    return (
        FaultLine("outer_race", "BPFO", orders.outer * speed, 0.0, ""),
        FaultLine("inner_race", "BPFI", orders.inner * speed, speed, "the shaft"),
        FaultLine("rolling_element", "2 BSF", 2 * orders.ball * speed, orders.cage * speed, "the cage"),
        FaultLine("cage", "FTF", orders.cage * speed, 0.0, ""),
    )


def bearing_findings(
    wave: Float64Array, rate: float, orders: FaultOrders, speed: float, settings: Settings
) -> tuple[Finding, ...]:
    """Bearing faults of float64[n] at `rate` Hz, most likely first; empty for a healthy bearing.

    A fault is called when noise shows its lines with a chance below `false_calls` over everything that was tried, the
    first and enough multiples stand out by themselves, and they modulate the envelope by `depth` or more. What a fault
    explains (its multiples and their sidebands) is taken out before the next one is looked for.
    """
    groups = envelope_groups(wave, rate, orders.inner * speed * (1 + settings.tolerance), speed)
    groups = tuple(_without_shaft(group, speed) for group in groups)
    lines = fault_lines(orders, speed)
    trials = float(len(lines) * len(groups))
    found: list[Finding] = []
    first: Candidate | None = None
    while lines:
        candidates = _candidates(groups, lines, orders, settings, trials)
        if not candidates:
            break
        line, group, comb = best = _most_telling(candidates)
        if first is not None and not _beside(first, best):
            break
        first = best if first is None else first
        found.append(_finding(line, group, comb))
        lines = tuple(other for other in lines if other.kind != line.kind)
        groups = tuple(_explained(one, line, comb) for one in groups)
    return tuple(found)


def envelope_groups(wave: Float64Array, rate: float, highest: float, speed: float) -> tuple[Group, ...]:
    """Envelope spectra of banks of bands that hold twice `highest` Hz, of the kurtogram's, of the whitened whole."""
    n, half = len(wave), rate / 2
    lines = fft.rfft(wave - np.mean(wave))
    lines[: min(len(lines) // 8, round(LOWEST_ORDER * speed * n / rate))] = 0.0
    width = max(0.4 * speed, 8 * rate / n)
    groups = []
    for parts, step in ((4, 8), (8, 8)):
        if half / parts < 2.2 * highest:
            continue
        bands = tuple((k * half / step, k * half / step + half / parts) for k in range(step - step // parts + 1))
        groups.append(_group(lines, n, rate, bands, width, "a bank of bands"))
    chosen = kurtogram_of_lines(lines, n, rate, narrowest=2.2 * highest).best
    if not any(chosen == band for group in groups for band in group.bands):
        groups.append(_group(lines, n, rate, (chosen,), width, _BY_KURTOGRAM))
    size = np.abs(lines)
    white = np.divide(lines, size, out=np.zeros_like(lines), where=size > 1e-12 * float(np.max(size, initial=0.0)))
    groups.append(_group(white, n, rate, ((0.05 * half, half),), width, "cepstral prewhitening"))
    return tuple(groups)


def _group(lines: Complex128Array, n: int, rate: float, bands: tuple[Band, ...], width: float, by: str) -> Group:
    envelopes = [envelope_of_lines(lines, n, rate, band) for band in bands]
    size = min(len(squared) for squared, _ in envelopes)
    stacked = np.stack([squared[:size] for squared, _ in envelopes])
    return Group(bands, white_envelope_spectra(stacked, envelopes[0][1], width), by)


def _without_shaft(group: Group, speed: float) -> Group:
    """Multiples of the shaft count as noise where the shaft itself modulates: they prove nothing about the bearing."""
    comb = best_comb(group.spectra, speed, 0.01)
    if comb is None or comb.log_p > math.log(0.01) or not all(comb.seen[:2]):
        return group
    top = int(group.spectra.power.shape[1] * group.spectra.step / speed)
    return Group(group.bands, group.spectra.without(comb.frequency, 0.0, min(top, 60), 0, 0.0, 1), group.by)


Candidate = tuple[FaultLine, Group, Comb]


def _candidates(
    groups: tuple[Group, ...], lines: tuple[FaultLine, ...], orders: FaultOrders, settings: Settings, trials: float
) -> list[Candidate]:
    """Everything that can be called, each fault with the comb of each group of bands."""
    limit = math.log(settings.false_calls)
    found = []
    for group in groups:
        for line in lines:
            comb = best_comb(group.spectra, line.frequency, settings.tolerance, trials=trials, limit=limit)
            if comb is None or not comb.seen[0] or sum(comb.seen) < settings.fewest or comb.depth < settings.depth:
                continue
            if not _belongs_to_a_lower_one(group, line, comb, orders):
                found.append((line, group, comb))
    return found


def _most_telling(candidates: list[Candidate]) -> Candidate:
    """The strongest family; lines of the cage are put down to a damaged race or element when there is one."""
    struck = [candidate for candidate in candidates if candidate[0].kind != "cage"]
    return max(struck or candidates, key=lambda candidate: candidate[2].strength)


def _beside(first: Candidate, second: Candidate) -> bool:
    """Whether a second fault is believed: half as strong as the first or more, off kinematics by the same part."""
    off = [comb.frequency / line.frequency for line, _, comb in (first, second)]
    return second[2].strength >= 0.5 * first[2].strength and abs(off[0] - off[1]) < 0.015


def _belongs_to_a_lower_one(group: Group, line: FaultLine, comb: Comb, orders: FaultOrders) -> bool:
    """Whether the lines are only every m-th of a family: another machine part that turns at frequency / m.

    The bearing's own families are left: the cage turns at BPFO by the number of elements, an element that strikes one
    race harder repeats at half of 2 BSF, and what modulates a fault may stand near a part of it by chance.
    """
    spectra = group.spectra
    row = spectra.power[comb.band]
    least = max(5.0, 0.05 * float(np.median(comb.levels)))  # strong lines leak a little everywhere
    for m in range(2, 9):
        lower = comb.frequency / m
        own = m == orders.elements or (line.kind == "rolling_element" and m == 2)
        near = line.modulation > 0 and abs(lower / line.modulation - 1) < 0.05 + 2 * spectra.step / line.modulation
        if own or near or lower < 3 * spectra.step:
            continue
        between = row[[round(j * lower / spectra.step) for j in range(1, 2 * m) if j % m]]
        if float(np.mean(between > least)) >= 0.6:
            return True
    return False


def _explained(group: Group, line: FaultLine, comb: Comb) -> Group:
    spectra = group.spectra.without(comb.frequency, line.modulation, 8, 3, max(comb.smear, 0.001))
    if line.modulation > 0:
        spectra = spectra.without(line.modulation, 0.0, 12, 0, 0.001)
    return Group(group.bands, spectra, group.by)


def _finding(line: FaultLine, group: Group, comb: Comb) -> Finding:
    off = comb.frequency / line.frequency - 1
    moved = f"{abs(off):.1%} {'higher' if off < 0 else 'lower'}"
    peaks = [
        MatchedPeak(f"{k} x {line.name}" if k > 1 else line.name, k * comb.frequency, level)
        for k, (level, seen) in enumerate(zip(comb.levels, comb.seen, strict=True), start=1)
        if seen
    ]
    low, high = group.bands[comb.band]
    words = [
        f"The envelope of {low:.0f} to {high:.0f} Hz (found by {group.by}) has lines at "
        + ", ".join(f"{peak.frequency:.1f} Hz ({peak.name}, {peak.over_noise:.0f} times the noise)" for peak in peaks)
        + f"; kinematics puts {line.name} at {line.frequency:.1f} Hz, {moved}.",
    ]
    beside = _sidebands(group.spectra, comb, line)
    if beside:
        peaks.extend(beside)
        places = ", ".join(f"{peak.frequency:.1f} Hz" for peak in beside)
        words.append(
            f"Sidebands {line.modulation:.1f} Hz beside them ({places}): {line.modulator} modulates the shocks."
        )
    words.append(
        f"Chance that noise shows the same: {_chance(comb.log_p)}. They modulate the band by {comb.depth:.0%}."
    )
    return Finding(line.kind, likelihood(comb.log_p), tuple(words), tuple(peaks), (low, high))


def _sidebands(spectra: WhiteSpectra, comb: Comb, line: FaultLine) -> list[MatchedPeak]:
    found = []
    for k in (1, 2) if line.modulation > 3 * spectra.step else ():
        for sign in (-1, 1):
            at = round((k * comb.frequency + sign * line.modulation) / spectra.step)
            near = spectra.power[comb.band, max(0, at - 1) : at + 2]
            level = float(np.max(near, initial=0.0))
            if level > 7:
                name = f"{k} x {line.name} {'-' if sign < 0 else '+'} {line.modulator}"
                found.append(MatchedPeak(name, at * spectra.step, level))
    return found


def _chance(log_p: float) -> str:
    return f"1 in {math.exp(-log_p):,.0f}" if log_p > -18 else f"1 in 10^{-log_p / math.log(10):.0f}"
