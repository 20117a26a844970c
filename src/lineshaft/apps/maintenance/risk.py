"""How urgent a case is: the chance that the machine fails within a month, times what a failure costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from lineshaft.apps.maintenance.story import Case

HORIZON_H: Final = 720.0
"""Hours that the risk looks ahead: until the next planned stop, thirty days."""
_BY_STAGE: Final = {"normal": 0.02, "watch": 0.05, "alarm": 0.2, "danger": 0.5}
SEVERITIES: Final = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Risk:
    """`chance` of a failure within the horizon; `loss` is chance times cost, None where nobody knows the cost."""

    severity: str
    chance: float
    failure_cost: float | None
    repair_cost: float | None


def chance_within(life: Mapping[str, Any], passed_h: float, hours: float = HORIZON_H) -> float | None:
    """The chance that a life with P10, P50 and P90 (`p10_h` ...), given `passed_h` ago, ends within `hours`.

    Straight lines between the three over the logarithm of time, and on beyond them; None without a life.
    """
    if "p50_h" not in life:
        return None
    quantiles = np.maximum([float(life[name]) for name in ("p10_h", "p50_h", "p90_h")], 0.1)
    at, known = math.log(max(hours + passed_h, 0.1)), np.log(quantiles)
    if at <= known[0]:
        return float(max(0.01, 0.1 * math.exp(2 * (at - known[0]))))
    if at >= known[2]:
        return float(min(0.99, 1 - 0.1 * math.exp(2 * (known[2] - at))))
    return float(np.interp(at, known, [0.1, 0.5, 0.9]))


def risk_of(
    stage: str, life: Mapping[str, Any], passed_h: float, failure_cost: float | None, repair_cost: float | None
) -> Risk:
    """Critical: a failure is likely and costs three planned repairs or more; high: waiting costs more than repairing;
    medium: a quarter of it. Without costs the chance alone decides (50 %, 20 %)."""
    lived = chance_within(life, passed_h)
    chance = _BY_STAGE.get(stage, 0.05) if lived is None else lived
    if failure_cost is None:
        place = 2 if chance >= 0.5 else 1 if chance >= 0.2 else 0
    else:
        loss, planned = chance * failure_cost, repair_cost if repair_cost is not None else 0.2 * failure_cost
        place = 2 if loss >= planned else 1 if loss >= 0.25 * planned else 0
        if place == 2 and chance >= 0.5 and failure_cost >= 3 * planned:
            place = 3
    return Risk(SEVERITIES[place], chance, failure_cost, repair_cost)


def basis_of(case: Case) -> Literal["life", "stage", "repaired"]:
    """What the chance of a case comes from: a remaining life that still counts, else its stage; after work it waits."""
    if case.worked is not None and int(case.life.get("time", 0)) <= case.worked:
        return "repaired"
    lived = case.open and case.stage != "normal" and "p50_h" in case.life
    return "life" if lived else "stage"
