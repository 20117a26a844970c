"""A simulated week whose truth is known: KPIs, stops, minor stops and bottleneck come out right."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lineshaft.analytics.oee import kpis
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.lines import bottleneck
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.slots import lay, slots_between
from lineshaft.apps.oee.stories import tell_line

from . import week as weeks
from .week import SECOND, Week


@pytest.fixture(scope="module")
def week() -> Week:
    return weeks.make()


@pytest.fixture(scope="module")
def found(week: Week) -> dict[str, Totals]:
    return weeks.figures(week)


def test_availability_effectiveness_quality(week: Week, found: dict[str, Totals]) -> None:
    """Within 0.1 percentage point of the truth on every machine."""
    for path, machine in week.setup.machines.items():
        got = kpis.values(found[path])
        exact = weeks.truth(week.stations[path], path, dict(machine.cycles))
        for name, value in zip(("availability", "effectiveness", "quality"), exact, strict=True):
            assert got[name] == pytest.approx(value, abs=0.001), (path, name)


def test_every_stop_is_found(week: Week) -> None:
    """Each stop over 5 s is there, with start and end within one sample (1 s) of the truth, and none is invented."""
    found = weeks.stops_found(week)
    assert found.missed == found.invented == 0
    assert found.furthest <= SECOND
    assert found.stops > 3000


def test_minor_stops_are_counted(week: Week, found: dict[str, Totals]) -> None:
    """Within 1 % of the short stops that really were, all machines together."""
    real, counted = weeks.minor_stops(week, found)
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
