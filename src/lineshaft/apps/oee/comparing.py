"""Parts of the plant, shifts, crews and products beside each other and beside the period before."""

from __future__ import annotations

from typing import Any

from lineshaft.analytics.oee.compare import decompose
from lineshaft.apps.oee.reports import Reports


def compare_page(reports: Reports, path: str, start: int, end: int, by: str) -> dict[str, Any]:
    """Each part now and in the period of the same length before; why its OEE differs from then and from the whole.

    Every figure is made of sums of times and counts; the whole is no mean of its parts.
    """
    now, before = reports.kpis(path, start, end, by), reports.kpis(path, 2 * start - end, start, by)
    old = {one["key"]: one for one in before["parts"]}
    names = {one.id: one.name or one.id for one in reports.setup.products} if by == "product" else {}
    whole, past = now["whole"], before["whole"]
    rows = []
    for one in now["parts"]:
        if not one["times"]["busy_plan"] and not one["counts"]["produced"]:
            continue  # nothing was planned and nothing made: there is no ratio to compare
        then = old.get(one["key"])
        rows.append(one | {
            "name": names.get(one["key"], one["name"]),
            "before": then,
            "change": decompose(one["kpis"], then["kpis"]) if then else None,
            "apart": decompose(one["kpis"], whole["kpis"]),
        })  # fmt: skip
    return {
        "whole": whole | {"before": past, "change": decompose(whole["kpis"], past["kpis"])},
        "parts": sorted(rows, key=lambda one: -(one["kpis"]["oee"] or 0.0)),
        "start": start, "end": end, "before": 2 * start - end, "exact": now["exact"],
    }  # fmt: skip
