"""A simulated week whose truth is known: KPIs, stops, minor stops and bottleneck come out right."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import pairwise

import pytest

from lineshaft.analytics.oee import kpis
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.lines import bottleneck
from lineshaft.analytics.oee.totals import Totals, total
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.slots import Slot, lay, slots_between, standard, sum_up
from lineshaft.apps.oee.stories import tell, tell_line
from lineshaft.simulator.machines.base import RUNNING, STOPPED
from lineshaft.simulator.machines.line import Station

from . import week as weeks
from .week import SECOND, Week


@pytest.fixture(scope="module")
def week() -> Week:
    return weeks.make()


@pytest.fixture(scope="module")
def found(week: Week) -> dict[str, Totals]:
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


def slots_of(machine: MachineSetup, week: Week) -> list[Slot]:
    """Slots of the week; the story begins with it, so the first is cut there."""
    found = slots_between(machine, week.start, week.end)
    return [replace(slot, start=max(slot.start, week.start)) for slot in found]


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
    spans = [(weeks.BEGIN + round(a * 3600 * SECOND), weeks.BEGIN + round(b * 3600 * SECOND)) for a, b in result]
    return [(max(a, weeks.BEGIN), min(b, weeks.BEGIN + 7 * weeks.DAY)) for a, b in spans]


def truth(station: Station, path: str, cycles: dict[str, float]) -> tuple[float, float, float]:
    """Availability, effectiveness, quality from the exact story, second by second where it matters."""
    end = weeks.BEGIN + 7 * weeks.DAY
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


def test_availability_effectiveness_quality(week: Week, found: dict[str, Totals]) -> None:
    """Within 0.1 percentage point of the truth on every machine."""
    for path, machine in week.setup.machines.items():
        got = kpis.values(found[path])
        exact = truth(week.stations[path], path, dict(machine.cycles))
        for name, value in zip(("availability", "effectiveness", "quality"), exact, strict=True):
            assert got[name] == pytest.approx(value, abs=0.001), (path, name)


def test_every_stop_is_found(week: Week) -> None:
    """Each stop over 5 s is there, with start and end within one sample (1 s) of the truth, and none is invented."""
    count = 0
    for path, machine in week.setup.machines.items():
        story = tell(machine, week.columns, week.setup.reasons, week.start, week.end)
        starts = story.states.times.tolist()
        times, values = week.stations[path].tracks["state"].changes(-1, week.end)
        edges = times.tolist()
        for start, stop, state in zip(edges, edges[1:], values.tolist(), strict=False):
            if state == RUNNING or stop - start <= 5 * SECOND or start <= week.start:
                continue
            near = bisect_left(starts, start)
            assert starts[near] - start <= SECOND, path
            assert 0 <= starts[near + 1] - stop <= SECOND, path
            count += 1
        assert len(starts) <= len(edges)
    assert count > 3000


def test_minor_stops_are_counted(week: Week, found: dict[str, Totals]) -> None:
    """Within 1 % of the short stops that really were, all machines together."""
    real = 0
    for path in week.setup.machines:
        times, values = week.stations[path].tracks["state"].changes(-1, week.end)
        edges = times.tolist()
        for start, stop, state in zip(edges, edges[1:], values.tolist(), strict=False):
            inside = any(a <= start < b for a, b in windows(path))
            real += state == STOPPED and stop - start < 180 * SECOND and inside
    counted = sum(one.minor_stops for one in found.values())
    assert real > 300
    assert counted == pytest.approx(real, rel=0.01)


def test_the_bottleneck_is_named(week: Week, found: dict[str, Totals]) -> None:
    """On each line it is the machine with the longest cycle, which the simulator was built with."""
    names = {}
    for line in week.setup.lines:
        slow = bottleneck([found[machine.path] for machine in line.machines])
        assert slow is not None
        names[line.path.rpartition("/")[2]] = line.machines[slow.machine].path.rpartition("/")[2]
    assert names == {"line-1": "cnc-102", "line-2": "cnc-202", "line-3": "screw-302"}


def test_slots_are_the_whole_time(week: Week, found: dict[str, Totals]) -> None:
    """Slots follow each other without gap or overlap, and the machines' elements add up to their time."""
    for path, machine in week.setup.machines.items():
        slots = slots_between(machine, week.start, week.end)
        assert all(one.end == after.start for one, after in pairwise(slots))
        assert found[path].calendar == week.end - week.start


def test_the_machines_own_words_become_reasons(week: Week) -> None:
    """What the machines say of their stops is in the tree: no second of a breakdown is without a proposal."""
    for line in week.setup.lines:
        stories = tell_line(line, week.columns, week.setup.reasons, week.start, week.end)
        for machine in line.machines:
            assert stories[machine.path].words == ()
            laid = lay(machine, stories[machine.path], (), week.setup.reasons, week.start, week.end)
            down = (laid.elements == Element.BREAKDOWN) & (laid.lengths > 5 * SECOND)
            assert (laid.reasons[down] >= 0).all()
