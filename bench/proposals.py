"""Proposed reasons on weeks of the simulated lines that they were not learned from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from bench.report import Report
from lineshaft.analytics.oee.proposals import PastStop, Signs, propose
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.layout import build
from lineshaft.simulator.machines.base import STOPPED
from lineshaft.simulator.machines.line import Station

DAY = 86_400_000_000
BEGIN = 1_772_409_600_000_000  # Monday, 2 March 2026
ALARMS = {
    "chip jam": "conveyor", "coolant low": "conveyor", "part not clamped": "fixture", "door interlock": "safety",
    "spindle drive fault": "drive", "axis overload": "drive", "tool breakage": "spindle", "light curtain": "safety",
    "bearing tilted": "fixture", "part not seated": "fixture", "seal not closed": "fixture",
}  # fmt: skip
"""What the control reports: several causes share an alarm, causes that are not here have none."""
REPORTED, RIGHT_ALARM, RIGHT_PERSON = 0.85, 0.92, 0.9


def stops_of(station: Station, until: int) -> list[tuple[int, str]]:
    """(beginning, true cause) of the station's own stops."""
    times, states = station.tracks["state"].changes(-1, until)
    return [
        (time, str(station.tracks["stop-reason"].value_at(time)))
        for time, state in zip(times.tolist(), states.tolist(), strict=True)
        if state == STOPPED
    ]


def proposals(report: Report, weeks: int) -> None:
    """Learned from all weeks but the last, judged on the last; the machine's own words are withheld."""
    end = BEGIN + weeks * 7 * DAY
    layout = build(load_plant(Path(__file__).parents[1] / "plants" / "demo", DRIVERS), BEGIN, 11)
    rng = np.random.default_rng(5)
    first = third = plain = asked = 0
    for line in layout.lines:
        line.run_to(end, Faults({}))
        for station in line.stations:
            found = stops_of(station, end)
            causes = sorted({cause for _, cause in found})
            split = end - 7 * DAY
            seen = [_past(time, cause, causes, rng) for time, cause in found if time < split]
            common = Counter(one.reason for one in seen).most_common(1)
            for time, cause in found:
                if time < split:
                    continue
                got = [one.reason for one in propose(_signs(time, cause, causes, rng), seen, frozenset(causes))]
                asked += 1
                first += got[:1] == [cause]
                third += cause in got
                plain += bool(common) and common[0][0] == cause
    note = f"{asked} stops of the last of {weeks} weeks; always the commonest reason: {100 * plain / asked:.0f} %"
    report.add("proposed reasons: the first is right", 100 * first / asked, "%", note=note)
    report.add("proposed reasons: one of the three is right", 100 * third / asked, "%")


def _signs(time: int, cause: str, causes: list[str], rng: np.random.Generator) -> Signs:
    told = cause if rng.random() < RIGHT_ALARM else str(rng.choice(causes))
    alarm = ALARMS.get(told, "") if rng.random() < REPORTED else ""
    return Signs("stopped", time % DAY / 3.6e9, alarm)


def _past(time: int, cause: str, causes: list[str], rng: np.random.Generator) -> PastStop:
    said = cause if rng.random() < RIGHT_PERSON else str(rng.choice(causes))
    return PastStop(_signs(time, cause, causes, rng), said)
