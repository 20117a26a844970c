"""The plan of a machine as the orders tell it, and what it did by its states and counts, for whoever plans with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.analytics.oee.totals import Totals, total
from lineshaft.apps.oee.orders import Order
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.model.plan import Run, Use

_HOUR_US: Final = 3_600_000_000
_PACE_US: Final = 7 * 24 * _HOUR_US
"""The pace at which orders will run is that of so long before."""


@dataclass(frozen=True, slots=True)
class OrderPlans:
    """Implements hub.plans.PlanSource."""

    reports: Reports

    def knows(self, asset: str) -> bool:
        """Whether it is a machine, a part of one, or stands on a line."""
        return self._machine(asset) is not None

    def coming(self, asset: str, since: int) -> Sequence[Run]:
        """Of the orders that have not ended, until their planned end; each runs as long as its parts take."""
        machine = self._machine(asset)
        if machine is None:
            return ()
        pace = self._pace(machine, since)
        orders = self.reports.store.orders.find(machine.path, since, line=machine.line)
        confirmed, loads = self.reports.store.cycles(), self._loads()
        return [
            self._run(machine, one, pace, confirmed, loads.get(one.product, 1.0))
            for one in orders
            if one.ended is None and one.end > max(since, one.start) and one.runs_on(machine)
        ]

    def used(self, asset: str, start: int, end: int) -> Use:
        """One run for each product, of the slots that begin in the time."""
        machine = self._machine(asset)
        if machine is None:
            return Use(0.0, ())
        parts = self._parts(machine, start, end)
        whole, loads, pace = total(parts.values()), self._loads(), _pace(parts) or 1.0
        runs = [
            Run(
                start,
                end,
                one.running / _HOUR_US,
                _pace({product: one}) or pace or 1.0,
                loads.get(product, 1.0),
                product,
            )
            for product, one in sorted(parts.items())
            if one.running > 0
        ]
        return Use((whole.calendar - whole.unknown) / _HOUR_US, runs)

    def _run(
        self, machine: MachineSetup, order: Order, pace: float, confirmed: Mapping[tuple[str, str], float], load: float
    ) -> Run:
        """An order with a cycle of its own runs faster or slower than its product usually does."""
        start = order.start if order.began is None else order.began
        span = (order.end - start) / _HOUR_US
        usual = self.reports.cycle(machine.path, order.product, confirmed)
        cycle = order.cycle if order.cycle is not None else usual
        speed = pace * (usual / cycle if order.cycle and math.isfinite(usual) else 1.0)
        hours = order.quantity * cycle / 3600 / pace if math.isfinite(cycle) and order.quantity > 0 else span
        return Run(start, order.end, max(0.0, min(hours, span)), speed, load, order.product)

    def _machine(self, asset: str) -> MachineSetup | None:
        """The machine, or that which the asset is a part of; on a line the one that counts the parts of its orders."""
        for path, machine in self.reports.setup.machines.items():
            if asset == path or asset.startswith(f"{path}/"):
                return machine
        lines = [one for one in self.reports.setup.lines if asset == one.path or asset.startswith(f"{one.path}/")]
        return max(lines, key=lambda one: len(one.path)).machines[-1] if lines else None

    def _parts(self, machine: MachineSetup, start: int, end: int) -> dict[str, Totals]:
        confirmed = self.reports.store.cycles()
        found = self.reports.store.totals(
            [machine.path], start, end, "product", lambda one, product: self.reports.cycle(one, product, confirmed)
        )
        return {key[0]: totals for key, totals in found.items()}

    def _pace(self, machine: MachineSetup, now: int) -> float:
        return _pace(self._parts(machine, now - _PACE_US, now)) or 1.0

    def _loads(self) -> Mapping[str, float]:
        return {one.id: one.load for one in self.reports.setup.products}


def _pace(parts: Mapping[str, Totals]) -> float | None:
    """Parts made by the ideal ones in the time that it ran, of the products whose cycle is known; None without any."""
    known = total(one for one in parts.values() if one.running > 0 and one.standard_time > 0)
    return known.standard_time / known.running if known.running else None
