"""KPIs and products of machines over time, for pages that compare assets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.analytics.oee import kpis
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import OeeSetup
from lineshaft.hub.asset_figures import FigureInfo
from lineshaft.hub.usage import Use
from lineshaft.model.samples import Float64Array, Int64Array

_COMPARED = ("oee", "availability", "effectiveness", "quality")


@dataclass(frozen=True)
class OeeFigures:
    """Implements hub.asset_figures.FigureSource."""

    reports: Reports
    figures: Sequence[FigureInfo] = tuple(
        FigureInfo(kpi.id, kpi.name, "%", True) for kpi in kpis.KPIS if kpi.id in _COMPARED
    )

    def knows(self, asset: str) -> bool:
        """Whether the plant counts the asset as a machine."""
        return asset in self.reports.setup.machines

    def values(self, asset: str, figure: str, edges: Int64Array) -> tuple[Float64Array, Float64Array]:
        """Of the slots that begin in each bucket; a ratio is taken of their sums."""
        count = len(edges) - 1
        confirmed = self.reports.store.cycles()
        slots = self.reports.store.totals(
            [asset], int(edges[0]), int(edges[-1]), "slot", lambda one, made: self.reports.cycle(one, made, confirmed)
        )
        sums = [Totals()] * count
        for (start,), totals in slots.items():
            place = int(np.searchsorted(edges, int(start), side="right")) - 1
            if 0 <= place < count:
                sums[place] += totals
        kpi = next(one for one in kpis.KPIS if one.id == figure)
        found = [kpis.value(kpi, kpis.inputs_of(totals)) for totals in sums]
        values = np.array([np.nan if one is None else 100 * one for one in found], np.float64)
        return values, np.array([totals.busy_plan / 1e6 for totals in sums])

    def products(self, asset: str, start: int, end: int) -> Sequence[tuple[int, int, str]]:
        """Of the machine's intervals."""
        found = self.reports.store.intervals(asset, start, end)
        return [(max(one.start, start), min(one.end, end), one.product) for one in found if one.product]


def uses_of(setup: OeeSetup, path: str) -> Sequence[Use]:
    """Machines whose states, counts or products are told by the signal with this path."""
    return [Use("oee", one.name, one.path) for one in setup.machines.values() if path in one.signals]
