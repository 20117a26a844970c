"""Looks for the fault frequencies of a bearing in the envelopes of many bands and names what explains most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import fft

from lineshaft.analytics.bearings.comb import Comb, WhiteSpectra, best_comb, white_envelope_spectra
from lineshaft.analytics.bearings.findings import FaultKind, Finding, MatchedPeak, likelihood
from lineshaft.analytics.bearings.kinematics import FaultOrders
from lineshaft.analytics.bearings.parting import (
    seconds_to_part,
    shaft_train,
    swells_everywhere,
    whole_multiple,
    without_shaft,
)
from lineshaft.analytics.vibration.envelope import Complex128Array, envelope_of_lines, kurtogram_of_lines
from lineshaft.model.samples import Float64Array

Band = tuple[float, float]
LOWEST_ORDER: Final = 12.0
"""Orders of the shaft below which no envelope is taken: its own harmonics live there, not the ring of a bearing."""
_BY_KURTOGRAM: Final = "the kurtogram"
_ABOVE_TRAIN: Final = 5.0
"""Times that a line stands above what the shaft's other multiples make likely before they do not explain it."""
_LONGEST: Final = 60.0
"""Seconds of a record that are worth asking for."""


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
    """Envelope spectra of bands of one width; how they came about in words.

    shaft  Hz of the shaft where it modulates these envelopes itself; its multiples are put down to noise then
    plain  the spectra before that
    """

    bands: tuple[Band, ...]
    spectra: WhiteSpectra
    by: str
    shaft: float | None = None
    plain: WhiteSpectra | None = None


def fault_lines(orders: FaultOrders, speed: float) -> tuple[FaultLine, ...]:
    """The four fault frequencies in Hz at a shaft speed in Hz."""
    return (
        FaultLine("outer_race", "BPFO", orders.outer * speed, 0.0, ""),
        FaultLine("inner_race", "BPFI", orders.inner * speed, speed, "the shaft"),
        FaultLine("rolling_element", "2 BSF", 2 * orders.ball * speed, orders.cage * speed, "the cage"),
        FaultLine("cage", "FTF", orders.cage * speed, 0.0, ""),
    )


def bearing_findings(
    wave: Float64Array,
    rate: float,
    orders: FaultOrders,
    speed: float,
    settings: Settings,
    passing: Mapping[int, str] | None = None,
) -> tuple[Finding, ...]:
    """Bearing faults of float64[n] at `rate` Hz, most likely first; empty for a healthy bearing.

    passing: what is known to come a whole number of times a turn, as 7 -> "its 7 vanes".

    A fault is called when noise shows its lines with a chance below `false_calls` over everything that was tried, the
    first and enough multiples stand out by themselves, and they modulate the envelope by `depth` or more. What a fault
    explains (its multiples and their sidebands) is taken out before the next one is looked for.
    """
    groups = envelope_groups(wave, rate, orders.inner * speed * (1 + settings.tolerance), speed)
    groups = _without_shaft(groups, speed)
    lines = fault_lines(orders, speed)
    trials = float(len(lines) * len(groups))
    found: list[Finding] = []
    first: Candidate | None = None
    while lines:
        candidates = _candidates(groups, lines, orders, settings, trials)
        if not candidates:
            break
        line, _, comb = best = _most_telling(candidates)
        if first is not None and not _beside(first, best):
            break
        first = best if first is None else first
        found.append(_finding(best, *_not_parted(best, groups, speed, passing or {})))
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


def _without_shaft(groups: tuple[Group, ...], speed: float) -> tuple[Group, ...]:
    """What the shaft modulates in any of the groups counts as noise in all."""
    found = [shaft_train(group.spectra, speed) for group in groups]
    shaft = next((one for one in found if one is not None), None)
    if shaft is None:
        return groups
    return tuple(
        replace(group, spectra=without_shaft(group.spectra, shaft), shaft=shaft, plain=group.spectra)
        for group in groups
    )


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
    """Whether a second fault is believed: half as strong as the first or more, and of a cage that slips as much."""
    off = [_slip(line, comb) for line, _, comb in (first, second)]
    return second[2].strength >= 0.5 * first[2].strength and abs(off[0] - off[1]) < 0.015


def _slip(line: FaultLine, comb: Comb) -> float:
    """Part by which the cage slips when these lines are that fault's: BPFI rises as BPFO falls."""
    off = 1 - comb.frequency / line.frequency
    return -off if line.kind == "inner_race" else off


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
        turn = group.shaft is not None and abs(lower / group.shaft - 1) < 0.03  # put down to the shaft already
        if own or near or turn or lower < 3 * spectra.step:
            continue
        between = row[[round(j * lower / spectra.step) for j in range(1, 2 * m) if j % m]]
        if float(np.mean(between > least)) >= 0.6:
            return True
    return False


def _explained(group: Group, line: FaultLine, comb: Comb) -> Group:
    spectra = group.spectra.without(comb.frequency, line.modulation, 8, 3, max(comb.smear, 0.001))
    if line.modulation > 0:
        spectra = spectra.without(line.modulation, 0.0, 12, 0, 0.001)
    return replace(group, spectra=spectra)


def _finding(candidate: Candidate, others: tuple[str, ...], why: tuple[str, ...]) -> Finding:
    line, group, comb = candidate
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
    sure = likelihood(comb.log_p) * (0.5 if others and line.kind != "cage" else 1.0)
    return Finding(line.kind, sure, (*words, *why), tuple(peaks), (low, high), others)


def _not_parted(
    candidate: Candidate, groups: tuple[Group, ...], speed: float, passing: Mapping[int, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what explains the lines as well, the words about it).

    A multiple of the shaft does where something is known to pass as often, all bands swell alike, or the shaft's other
    multiples are not far lower; where nothing of that speaks for it, it is said in words only. The cage's lines alone
    may come from an element that the cage carries through the load zone.
    """
    line, group, comb = candidate
    if line.kind == "cage":
        if comb.count > 2 and all(comb.seen[:3]):
            return (), ()
        words = "An element that the cage carries through the load zone modulates alike; its own lines were not found."
        return ("of a rolling element",), (words,)
    shaft = group.shaft or speed
    multiple = whole_multiple(group.plain or group.spectra, comb, shaft)
    if multiple is None:
        return (), ()
    other = passing.get(multiple, f"something that comes {multiple} times a turn")
    words = f"This record cannot part {line.name} from {multiple} times the shaft ({multiple * shaft:.1f} Hz)"
    needed = seconds_to_part(comb.frequency, multiple * shaft)
    words += f"; one of {needed:.0f} s or more at a steady speed would." if needed < _LONGEST else "."
    bank = max(groups, key=lambda one: len(one.bands))
    alike = swells_everywhere(bank.plain or bank.spectra, comb)
    train = group.shaft is not None and comb.levels[0] < _ABOVE_TRAIN
    return (other,) if multiple in passing or train or alike else (), (words,)


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
