"""The report of a shift: what was made, what it lost and why; as data that a page, a PDF and a webhook show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lineshaft.apps.oee.order_view import order_rows
from lineshaft.apps.oee.orders import counting_machine
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.slots import Slot, slots_between

_MOST_STOPS: Final = 5000
_SHOWN_STOPS: Final = 25
_SHOWN_LOSSES: Final = 10
_LEAST_US: Final = 5_000_000
_EXPLAINED: Final = ("starved", "blocked", "setup", "no_order")
FACTORS: Final = ("oee", "availability", "effectiveness", "quality")


def periods(reports: Reports, path: str, start: int, end: int) -> tuple[Slot, ...]:
    """Shifts of a part of the plant that touch [start, end), by start; days where it has no calendar.

    They are those of its first machine.
    """
    machines = reports.machines(path)
    if not machines:
        return ()
    found = slots_between(machines[0], start, end)
    return tuple(one for one in found if one.shift or machines[0].calendar is None)


def period_at(reports: Reports, path: str, start: int) -> Slot | None:
    """The shift that began at an instant."""
    return next((one for one in periods(reports, path, start, start + 1) if one.start == start), None)


def build(reports: Reports, path: str, slot: Slot, plant: str, now: int) -> dict[str, Any]:
    """All of the report as it is known now. Times are UTC microseconds, money is in the plant's currency."""
    setup, start, end = reports.setup, slot.start, slot.end
    kpis = reports.kpis(path, start, end, "machine")
    losses = reports.losses(path, start, end)
    rates = {one.path: one.config.hourly_cost for one in reports.machines(path)}
    stops = reports.stops(path, start, end, _LEAST_US, _MOST_STOPS)
    missing = [one for one in stops if not one["reason"] and one["element"] not in _EXPLAINED]
    longest = sorted(stops, key=lambda one: int(one["start"]) - int(one["end"]))[:_SHOWN_STOPS]
    hours = _hours(reports, path, start, max(start + 1, min(end, now)))
    found = reports.store.orders.find(path, start, end)
    return {
        "path": path,
        "name": setup.names.get(path, plant) if path else plant,
        "plant": plant,
        "timezone": reports.machines(path)[0].zone,
        "currency": setup.currency,
        "shift": {"id": slot.shift, "crew": slot.crew, "day": slot.day, "start": start, "end": end},
        "made_at": now,
        "whole": kpis["whole"],
        "target": sum(one["target"] for one in hours) if all(one["target"] is not None for one in hours) else None,
        "good": sum(one["good"] for one in hours),
        "scrap": sum(one["counts"]["scrap"] for one in kpis["parts"]),  # of every machine: each is lost
        "machines": [
            {"path": one["key"], "name": one["name"], "kpis": {name: one["kpis"][name] for name in FACTORS},
             "good": one["counts"]["good"], "scrap": one["counts"]["scrap"], "stops": one["counts"]["stops"],
             "failures": one["counts"]["failures"]}
            for one in kpis["parts"]
        ],
        "waterfall": losses["waterfall"],
        "losses": losses["pareto"][:_SHOWN_LOSSES],
        "stops": [one | {"money": (one["end"] - one["start"]) / 3.6e9 * rates[one["machine"]]} for one in longest],
        "stop_count": len(stops),
        "missing": {"stops": len(missing), "time": sum(one["end"] - one["start"] for one in missing)},
        "hours": hours,
        "orders": order_rows(reports, found, now),
    }  # fmt: skip


def _hours(reports: Reports, path: str, start: int, end: int) -> list[dict[str, Any]]:
    """Target and parts of each hour, of the machines at which the lines' parts are counted."""
    below = reports.machines(path)
    lines = dict.fromkeys(one.line if _whole_line(path, one.line) else one.path for one in below)
    machines = [one for line in lines if (one := counting_machine(reports.setup, line)) is not None]
    found: dict[int, dict[str, Any]] = {}
    for machine in machines:
        for row in reports.hours(machine, start, end):
            sums = found.setdefault(row["start"], {"start": row["start"], "target": 0.0, "good": 0.0, "scrap": 0.0})
            known = sums["target"] is not None and row["target"] is not None
            sums["target"] = sums["target"] + row["target"] if known else None
            sums["good"], sums["scrap"] = sums["good"] + row["good"], sums["scrap"] + row["scrap"]
    return [found[hour] for hour in sorted(found)]


def _whole_line(path: str, line: str) -> bool:
    return not path or path == line or line.startswith(path + "/")


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a report would say otherwise today than when it was sent: KPIs, parts, and time by reason."""
    found = []
    for name in FACTORS:
        found += _change(name, "percent", before["whole"]["kpis"][name], now["whole"]["kpis"][name], 5e-4)
    for name in ("good", "scrap", "target"):
        found += _change(name, "parts", before[name], now[name], 0.5)
    found += _change("missing", "us", before["missing"]["time"], now["missing"]["time"], 1e6)
    old, new = _by_reason(before["losses"]), _by_reason(now["losses"])
    for key in dict.fromkeys([*old, *new]):
        found += _change(key, "us", old.get(key, 0), new.get(key, 0), 1e6)
    return found


def _by_reason(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        key = row["name"] or row["element"]
        sums[key] = sums.get(key, 0) + row["time"]
    return sums


def _change(what: str, unit: str, before: float | None, now: float | None, least: float) -> list[dict[str, Any]]:
    same = before == now if before is None or now is None else abs(before - now) < least
    return [] if same else [{"what": what, "unit": unit, "before": before, "now": now}]
