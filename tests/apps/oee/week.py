"""A week of the demo plant's lines on a virtual clock: exact truth, and what sensors that are read each second show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lineshaft.apps.oee.setup import OeeSetup, make_setup
from lineshaft.apps.oee.stories import Column
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.layout import build
from lineshaft.simulator.machines.line import Station

SECOND = 1_000_000
DAY = 86_400 * SECOND
BEGIN = 1_772_409_600 * SECOND  # Monday, 2 March 2026, 00:00 UTC
SIGNALS = ("state", "stop-reason", "product", "parts-good", "parts-bad")


@dataclass(frozen=True)
class Week:
    setup: OeeSetup
    stations: Mapping[str, Station]  # full path -> exact truth
    columns: Mapping[str, Column]  # full signal path -> rows as they were sampled
    start: int
    end: int


def make(days: int = 7, seed: int = 7) -> Week:
    """The lines unit by unit, sampled each second and reported by exception."""
    plant = load_plant(Path(__file__).parents[3] / "plants" / "demo", DRIVERS)
    layout = build(plant, BEGIN, seed)
    end = BEGIN + days * DAY
    stations: dict[str, Station] = {}
    for line in layout.lines:
        line.run_to(end + 3600 * SECOND, Faults({}))
        for station in line.stations:
            stations[f"brennweg/weiler/{station.plan.path}"] = station
    columns = {f"{path}/{name}": sampled(station, name, end) for path, station in stations.items() for name in SIGNALS}
    return Week(make_setup(plant), stations, columns, BEGIN, end)


def sampled(station: Station, name: str, end: int) -> Column:
    """Rows of a track as a poll each second sees it: what a later poll of the same second overwrites is lost."""
    times, values = station.tracks[name].changes(-1, end)
    polls = -(-times // SECOND) * SECOND
    last = np.append(np.diff(polls) > 0, True)
    times, values = polls[last], values[last]
    good = np.full(len(times), 192, np.uint8)
    if station.tracks[name].is_text:
        return Column(times, np.full(len(times), np.nan), good, values.astype(object))
    return Column(times, values.astype(np.float64), good)
