"""Orders of the simulated lines: told as they come, told once, and true to what the stations make."""

from __future__ import annotations

import json
from itertools import pairwise

from tests.simulator.helpers import DAY, HOUR, MONDAY, demo

from lineshaft.config.models import Plant
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.layout import build
from lineshaft.simulator.machines.line import Line
from lineshaft.simulator.orders import LotOrder, OrderBook

LINE = "assembly/line-3"


def made(plant: Plant) -> tuple[Line, OrderBook]:
    layout = build(plant, MONDAY, 7)
    line = next(one for one in layout.lines if one.path == LINE)
    return line, OrderBook(line)


def test_orders_are_planned_then_run_then_end() -> None:
    """Each order is planned before it runs, one after the other, in the product that the station then makes."""
    line, book = made(demo())
    told: dict[str, list[LotOrder]] = {}
    for hour in range(1, 49):
        line.run_to(MONDAY + hour * HOUR, Faults({}))
        for one in book.news(MONDAY + hour * HOUR):
            told.setdefault(one.id, []).append(one)
    last = [stories[-1] for stories in told.values()]
    done = [one for one in last if one.ended is not None]
    assert len(done) > 5
    assert [one.id for one in last] == [f"L3-{1001 + n}" for n in range(len(last))]
    assert sum(one.began is not None and one.ended is None for one in last) in (1, 2)
    assert last[-1].began is None
    assert MONDAY + 4 * DAY < last[-1].start < MONDAY + 5 * DAY + 12 * HOUR
    assert all(before.end <= after.start for before, after in pairwise(last))
    assert all((one.start, one.end) == (told[one.id][0].start, told[one.id][0].end) for one in last)
    product = line.stations[0].tracks["product"]
    for one in done[1:]:
        assert told[one.id][0].began is None
        assert one.began is not None
        assert one.ended is not None
        assert product.value_at((one.began + one.ended) // 2) == one.product
        assert abs(one.ended - one.began - (one.end - one.start)) < 16 * HOUR  # a night may lie in one of them


def test_nothing_is_told_twice() -> None:
    """After a restart from the kept state only what is new is told."""
    plant = demo()
    factory = Factory(plant, MONDAY)
    factory.advance_to(MONDAY + 6 * HOUR)
    first = factory.order_news()
    assert {one.path for one in first} == {"machining/line-1", "machining/line-2", LINE}
    assert factory.order_news() == ()
    kept = Factory.from_snapshot(plant, json.loads(json.dumps(factory.snapshot())))
    assert kept.order_news() == ()
    for one in (factory, kept):
        one.advance_to(MONDAY + 16 * HOUR)
    told = factory.order_news()
    assert told
    assert kept.order_news() == told
