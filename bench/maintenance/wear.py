"""Remaining life of single machines by simulated wear: how often P10 to P90 holds; `python -m` fits the errors anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.report import Report
from lineshaft.analytics.remaining_life.calibration import Errors, Trial, fit_errors
from lineshaft.analytics.remaining_life.degradation import Growth
from lineshaft.analytics.remaining_life.estimate import RemainingLife
from lineshaft.analytics.remaining_life.picked import picked_life
from lineshaft.analytics.remaining_life.scores import coverage
from lineshaft.analytics.remaining_life.wear_errors import WEAR_ERRORS
from lineshaft.model.samples import Float64Array

LIMIT, STEP = 40.0, 2.0
"""Index at which a machine has failed; hours between two values."""
PARTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Wear = Callable[[np.random.Generator], tuple[Float64Array, float]]
"""Random numbers -> (the index itself every STEP hours, standard deviation of the noise of what is seen of it)."""


def _linear(random: np.random.Generator) -> tuple[Float64Array, float]:
    life, start = random.uniform(100, 900), random.uniform(1, 4)
    steps = random.normal(STEP * (LIMIT - start) / life, random.uniform(0.1, 0.6), int(0.8 * life))
    return start + np.cumsum(steps), random.uniform(0.02, 0.1)


def _exponential(random: np.random.Generator) -> tuple[Float64Array, float]:
    life, start = random.uniform(100, 900), random.uniform(1, 4)
    steps = random.normal(STEP * math.log(LIMIT / start) / life, random.uniform(0.01, 0.05), int(0.8 * life))
    return start * np.exp(np.cumsum(steps)), random.uniform(0.02, 0.1)


def _power(random: np.random.Generator) -> tuple[Float64Array, float]:
    life, start = random.uniform(100, 900), random.uniform(1, 4)
    age = STEP * np.arange(int(0.8 * life)) / life
    drift = np.exp(np.cumsum(random.normal(0, 0.01, len(age))))
    return start + (LIMIT - start) * age ** random.uniform(1.2, 3) * drift, random.uniform(0.02, 0.1)


def _gamma(random: np.random.Generator) -> tuple[Float64Array, float]:
    life, start, size = random.uniform(100, 900), random.uniform(1, 4), random.uniform(0.5, 3)
    steps = random.gamma(STEP * (LIMIT - start) / life / size, size, int(0.8 * life))
    return start + np.cumsum(steps), random.uniform(0.02, 0.1)


def _turning(random: np.random.Generator) -> tuple[Float64Array, float]:
    life, start = random.uniform(100, 900), random.uniform(1, 4)
    age = STEP * np.arange(int(0.8 * life)) / life
    pace = np.where(age < random.uniform(0.2, 0.7), 1.0, random.uniform(0.4, 2.5))
    pace /= np.mean(pace[age < 1])
    return start + np.cumsum(random.normal(STEP * (LIMIT - start) / life * pace, 0.3)), random.uniform(0.02, 0.1)


def _judged_linear(random: np.random.Generator) -> tuple[Float64Array, float]:
    life = random.uniform(200, 600)
    return 1.5 + np.cumsum(random.normal(77 / life, 0.35, int(0.8 * life))), 0.05


def _judged_exponential(random: np.random.Generator) -> tuple[Float64Array, float]:
    life = random.uniform(200, 600)
    steps = random.normal(2 * math.log(LIMIT / 1.5) / life, 0.03, int(0.8 * life))
    return 1.5 * np.exp(np.cumsum(steps)), 0.05


def _judged_wander(random: np.random.Generator) -> tuple[Float64Array, float]:
    """Exponential wear whose pace itself wanders, as under a load that changes from week to week."""
    life = random.uniform(150, 700)
    pace = np.repeat(random.lognormal(0, 0.4, 80), 12)[: int(0.8 * life)]
    return 2.0 * np.exp(np.cumsum(STEP * math.log(LIMIT / 2) / life * pace)), 0.07


TAUGHT: tuple[Wear, ...] = (_linear, _exponential, _power, _gamma, _turning)
"""Kinds of wear that the errors are learned from."""
JUDGED: dict[str, tuple[Wear, ...]] = {
    "linear and exponential wear": (_judged_linear, _judged_exponential),
    "wear at a wandering pace": (_judged_wander,),
}
"""Kinds of wear that are judged: no machine and no random number of them was learned from."""


def machines(kinds: Sequence[Wear], count: int, seed: int) -> Iterator[tuple[Float64Array, float]]:
    """(the index as it is seen, hour of the failure) of machines that fail."""
    random = np.random.default_rng(seed)
    for number in range(count):
        index, noise = kinds[number % len(kinds)](random)
        over = np.flatnonzero(index >= LIMIT)
        seen = np.maximum(index, 0.1) * np.exp(random.normal(0, noise, len(index)))
        if len(over):
            yield seen, STEP * float(over[0])


def answers(
    seen: Float64Array, end: float, errors: Errors = WEAR_ERRORS
) -> Iterator[tuple[float, float, float, RemainingLife]]:
    """(part of life, true hours left, index by the limit, answer) where there is one."""
    hours = STEP * np.arange(len(seen))
    for part in PARTS:
        cut = int(part * end / STEP)
        found = picked_life(hours[:cut], seen[:cut], LIMIT, errors=errors)
        if cut and found.p50 > 0:
            yield part, end - float(hours[cut - 1]), float(np.median(seen[max(0, cut - 5) : cut])) / LIMIT, found


def taught(count: int, seed: int = 11) -> list[Trial]:
    """Forecasts with their truth, of machines to learn from; intervals as the models give them by themselves."""
    found = []
    for seen, end in machines(TAUGHT, count, seed):
        for _, true, progress, life in answers(seen, end, {}):
            growth: Growth = "linear" if life.method == "linear" else "exponential"
            found.append(Trial(growth, progress, math.log(life.p90 / life.p50), math.log(true / life.p50)))
    return found


def measure(report: Report, small: bool) -> None:
    """How often the interval of the picked model holds, on machines that nothing was learned from."""
    for words, kinds in JUDGED.items():
        true, low, high, middle, parts = [], [], [], [], []
        for seen, end in machines(kinds, 60 if small else 400, 12):
            for part, left, _, life in answers(seen, end):
                parts.append(part)
                true.append(left)
                low.append(life.p10)
                high.append(life.p90)
                middle.append(life.p50)
        truth, bottom, top = np.array(true), np.array(low), np.array(high)
        held = (truth >= bottom) & (truth <= top)
        by = ", ".join(f"{part:.0%} {np.mean(held[np.array(parts) == part]):.0%}" for part in PARTS)
        wrong = float(np.median(np.abs(np.array(middle) - truth) / truth))
        note = f"aim 75 to 85; n {len(truth)}; at {by} of life; P50 wrong by {wrong:.0%} (median)"
        covered = 100 * coverage(truth, bottom, top)
        report.add(f"remaining life of one machine, {words}: P10-P90 covers", covered, "%", note=note)
        outside = max(75 - covered, covered - 85, 0.0)
        report.add("  distance of that from 75 to 85 %", outside, "points", target=0.0, better="lower")


def main() -> None:
    """Learn the errors anew and write them."""
    errors = fit_errors(taught(2000))
    rows = "\n".join(f'    ("{growth}", {stage}): {values},' for (growth, stage), values in sorted(errors.items()))
    path = Path("src/lineshaft/analytics/remaining_life/wear_errors.py")
    head = path.read_text().split("WEAR_ERRORS:")[0]
    path.write_text(head + "WEAR_ERRORS: Final[Errors] = {\n" + rows + "\n}\n")


if __name__ == "__main__":
    main()
