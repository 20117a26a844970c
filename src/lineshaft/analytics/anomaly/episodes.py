"""From scores to alarms, and how good they were beside labelled windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.model.samples import Float64Array

MONTH: Final = 30.0 * 86_400
"""Seconds of a month in which false alarms are counted."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An alarm from one row to another (both within it), and its highest score."""

    first: int
    last: int
    highest: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How alarms met labelled windows.

    hit, windows   of how many windows an alarm began inside or was standing at the start
    false          alarms outside of every window    per_month   of them in a month of time outside
    delay          median seconds from the start of a window to the alarm; NaN when none was hit
    inside, outside  part of the rows beyond the limit within and outside of windows
    """

    hit: int
    windows: int
    false: int
    per_month: float
    delay: float
    inside: float
    outside: float


def episodes(score: Float64Array, *, limit: float = 1.0, persistence: int = 3, merge: int = 12) -> tuple[Episode, ...]:
    """Alarms: `persistence` rows in a row beyond the limit begin one, `merge` rows in a row below it end it."""
    found: list[Episode] = []
    begin, run, calm, last, highest = -1, 0, 0, 0, 0.0
    for row, value in enumerate(score):
        if value > limit:
            run, calm, last = run + 1, 0, row
            highest = max(highest, float(value))
            if run >= persistence and begin < 0:
                begin = row
        else:
            run, calm = 0, calm + 1
            if begin >= 0 and calm >= merge:
                found.append(Episode(begin, last, highest))
                begin = -1
            if begin < 0:
                highest = 0.0
    if begin >= 0:
        found.append(Episode(begin, last, highest))
    return tuple(found)


def judge(
    times: Float64Array,
    score: Float64Array,
    alarms: Sequence[Episode],
    windows: Sequence[tuple[float, float]],
    *,
    limit: float = 1.0,
) -> Verdict:
    """Alarms beside windows (begin, end) in the seconds of `times`, over the rows that are given."""
    spans = [(times[alarm.first], times[alarm.last]) for alarm in alarms]
    delays = []
    for low, high in windows:
        meets = [max(begin, low) - low for begin, end in spans if begin <= high and end >= low]
        delays.extend([min(meets)] if meets else [])
    false = sum(not any(begin <= high and end >= low for low, high in windows) for begin, end in spans)
    inside = np.zeros(len(times), np.bool_)
    for low, high in windows:
        inside |= (times >= low) & (times <= high)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    quiet = float(np.count_nonzero(~inside)) * step / MONTH
    beyond = score > limit
    return Verdict(
        hit=len(delays),
        windows=len(windows),
        false=false,
        per_month=false / quiet if quiet > 0 else float("nan"),
        delay=float(np.median(delays)) if delays else float("nan"),
        inside=float(np.mean(beyond[inside])) if inside.any() else float("nan"),
        outside=float(np.mean(beyond[~inside])) if (~inside).any() else float("nan"),
    )
