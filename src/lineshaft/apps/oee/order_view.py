"""Orders as pages show them: planned and actual times, parts so far, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lineshaft.apps.oee.orders import Order, clashes, counting_machine, state_of
from lineshaft.apps.oee.reports import Reports

_DAY_US = 86_400_000_000
_MARGIN_US = 31 * _DAY_US
_FRESH_US = 600_000_000  # an order that was named so short a time ago is still on the machine

Actual = tuple[int | None, int | None]


def order_rows(reports: Reports, orders: Sequence[Order], now: int) -> list[dict[str, Any]]:
    """One row for each order, in their order."""
    actual = actual_times(reports, orders, now)
    made = _made(reports, orders, actual, now)
    clash = clashes([one for one in orders if actual[one.id][1] is None])
    products = {one.id: one.name for one in reports.setup.products}
    rows = []
    for one in orders:
        began, ended = actual[one.id]
        good, scrap = made.get(one.id, (0.0, 0.0))
        late = (ended is None and one.end < now) or (began is None and one.start < now)
        rows.append(asdict(one) | {
            "name": reports.setup.names.get(one.path, one.path),
            "product_name": products.get(one.product) or one.product,
            "began": began, "ended": ended, "told": one.began is not None, "state": state_of(began, ended),
            "good": good, "scrap": scrap, "late": late, "clash": clash.get(one.id, ""),
        })  # fmt: skip
    return rows


def actual_times(reports: Reports, orders: Sequence[Order], now: int) -> dict[str, Actual]:
    """Order -> when it began and ended: as a person said, else as the machine's signal named it."""
    found: dict[str, Actual] = {one.id: (one.began, one.ended) for one in orders}
    asked = [one for one in orders if one.began is None and one.start < now + _MARGIN_US]
    machines = [
        machine.path
        for machine in reports.setup.machines.values()
        if machine.config.order and any(one.runs_on(machine) for one in asked)
    ]
    if not machines:
        return found
    low, high = min(one.start for one in asked) - _MARGIN_US, max(one.end for one in asked) + _MARGIN_US
    seen = reports.store.orders.seen(machines, low, high)
    for one in asked:
        if one.id in seen:
            first, last = seen[one.id]
            found[one.id] = first, None if last > now - _FRESH_US else last
    return found


def _made(
    reports: Reports, orders: Sequence[Order], actual: dict[str, Actual], now: int
) -> dict[str, tuple[float, float]]:
    """Order -> good and bad parts, of the last machine where a line makes it."""
    begun = [one for one in orders if actual[one.id][0] is not None]
    found: dict[str, tuple[float, float]] = {}
    for path in dict.fromkeys(one.path for one in begun):
        machine = counting_machine(reports.setup, path)
        if machine is None:
            continue
        mine = [one for one in begun if one.path == path]
        low = min(actual[one.id][0] or now for one in mine) - 2 * _DAY_US
        sums = reports.store.totals([machine.path], low, now + 1, "order", machine_cycle)
        found |= {one.id: (total.good, total.scrap) for one in mine if (total := sums.get((one.id,))) is not None}
    return found


def machine_cycle(machine: str, product: str) -> float:
    """Standard times are not asked for here."""
    return float("nan")
