"""A week of the demo plant's lines on a virtual clock: exact truth, and what sensors that are read each second show."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lineshaft.analytics.oee.totals import Totals, total
from lineshaft.apps.oee.setup import MachineSetup, OeeSetup, make_setup
from lineshaft.apps.oee.slots import Slot, slots_between, standard, sum_up
from lineshaft.apps.oee.stories import Column, tell, tell_line
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.layout import build
from lineshaft.simulator.machines.base import RUNNING, STOPPED
from lineshaft.simulator.machines.line import Station

SECOND = 1_000_000
DAY = 86_400 * SECOND
PLANT = Path(__file__).parents[3] / "plants" / "demo"
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
    plant = load_plant(PLANT, DRIVERS)
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


def windows(path: str) -> list[tuple[int, int]]:
    """Work of the week in UTC µs, written down by hand from the plant's calendars (Berlin is UTC+1 in March)."""
    shifts = {"line-1": [(5, 13, 8 + 40 / 60, 9), (13, 21, 16 + 40 / 60, 17)],
              "line-2": [(5, 13, 9, 9 + 20 / 60), (13, 21, 17, 17 + 20 / 60), (21, 29, 25, 25 + 20 / 60)],
              "line-3": [(5, 13, 9 + 20 / 60, 9 + 40 / 60), (13, 21, 17 + 20 / 60, 17 + 40 / 60)]}  # fmt: skip
    line = path.split("/")[3]
    result = [] if line != "line-2" else [(-2.0, 1.0), (1 + 20 / 60, 5.0)]
    for day in range(7):
        for number, (start, end, pause, until) in enumerate(shifts[line]):
            works = line == "line-2" or day < 5 or (line == "line-1" and day == 5 and number == 0)
            if works:
                result += [(24 * day + start, 24 * day + pause), (24 * day + until, 24 * day + end)]
    spans = [(BEGIN + round(a * 3600 * SECOND), BEGIN + round(b * 3600 * SECOND)) for a, b in result]
    return [(max(a, BEGIN), min(b, BEGIN + 7 * DAY)) for a, b in spans]


def truth(station: Station, path: str, cycles: dict[str, float]) -> tuple[float, float, float]:
    """Availability, effectiveness, quality from the exact story, second by second where it matters."""
    end = BEGIN + 7 * DAY
    times, values = station.tracks["state"].changes(-1, end)
    edges = [*times.tolist(), end]
    running = planned = 0
    spans = windows(path)
    for start, stop, state in zip(edges, edges[1:], values.tolist(), strict=False):
        inside = sum(max(0, min(stop, b) - max(start, a)) for a, b in spans)
        if state == RUNNING:  # also when the last part is finished in the break
            running += stop - start
            planned += stop - start
        else:
            planned += inside
    made = good = standard_time = 0.0
    for name in ("parts-good", "parts-bad"):
        when, counts = station.tracks[name].changes(-1, end)
        for moment, before, after in zip(when.tolist()[1:], counts.tolist(), counts.tolist()[1:], strict=False):
            product = station.tracks["product"].value_at(moment - 1)
            made += after - before
            good += after - before if name == "parts-good" else 0
            standard_time += (after - before) * cycles[product] * 1e6
    return running / planned, standard_time / running, good / made


def slots_of(machine: MachineSetup, week: Week) -> list[Slot]:
    """Slots of the week; the story begins with it, so the first is cut there."""
    found = slots_between(machine, week.start, week.end)
    return [replace(slot, start=max(slot.start, week.start)) for slot in found]


def figures(week: Week) -> dict[str, Totals]:
    """What the app makes of the week, per machine."""
    result = {}
    for line in week.setup.lines:
        stories = tell_line(line, week.columns, week.setup.reasons, week.start, week.end)
        for machine in line.machines:
            parts = [
                standard(piece.totals, machine.cycle_of(piece.product))
                for slot in slots_of(machine, week)
                for piece in sum_up(machine, stories[machine.path], (), week.setup.reasons, slot, week.end).slices
            ]
            result[machine.path] = total(parts)
    return result


@dataclass(frozen=True)
class Stops:
    stops: int
    missed: int
    invented: int
    furthest: int  # largest distance of a start or an end from the truth, microseconds


def stops_found(week: Week) -> Stops:
    """Stops over 5 s of the exact story against those that the sampled states give."""
    stops = missed = invented = furthest = 0
    for path, machine in week.setup.machines.items():
        story = tell(machine, week.columns, week.setup.reasons, week.start, week.end)
        starts = story.states.times.tolist()
        times, values = week.stations[path].tracks["state"].changes(-1, week.end)
        edges = times.tolist()
        for start, stop, state in zip(edges, edges[1:], values.tolist(), strict=False):
            if state == RUNNING or stop - start <= 5 * SECOND or start <= week.start:
                continue
            stops += 1
            near = bisect_left(starts, start)
            if near + 1 >= len(starts):
                missed += 1
                continue
            furthest = max(furthest, starts[near] - start, abs(starts[near + 1] - stop))
        invented += max(0, len(starts) - len(edges))
    return Stops(stops, missed, invented, furthest)


def minor_stops(week: Week, found: Mapping[str, Totals]) -> tuple[int, int]:
    """(real, counted): stops of less than three minutes that began in planned time, all machines together."""
    real = 0
    for path in week.setup.machines:
        times, values = week.stations[path].tracks["state"].changes(-1, week.end)
        edges = times.tolist()
        for start, stop, state in zip(edges, edges[1:], values.tolist(), strict=False):
            inside = any(a <= start < b for a, b in windows(path))
            real += state == STOPPED and stop - start < 180 * SECOND and inside
    return real, sum(one.minor_stops for one in found.values())
