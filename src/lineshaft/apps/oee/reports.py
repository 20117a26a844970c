"""What pages and people ask: KPIs of any part of the plant, losses, the board of a shift, stops. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from lineshaft.analytics.oee import kpis, losses
from lineshaft.analytics.oee.calendar import Plan, plan_steps, shifts_between
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.lines import bottleneck
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.exact import exact_rows
from lineshaft.apps.oee.keeping import hour_of, story_of
from lineshaft.apps.oee.setup import MachineSetup, OeeSetup
from lineshaft.apps.oee.slots import MARGIN_US, Slot, lay, standard
from lineshaft.apps.oee.store import GivenNote, Interval, OeeStore, SlotRows

_HOUR_US = 3_600_000_000
STOOD = (Element.SETUP, Element.MINOR_STOP, Element.BREAKDOWN, Element.STARVED, Element.BLOCKED, Element.DELAY,
         Element.NO_ORDER)  # fmt: skip


_EXACT_US = 48 * _HOUR_US
_EXACT_MACHINES = 30
LossSum = tuple[str, str, Element, bool, int, int]


@dataclass(frozen=True)
class Reports:
    """Over the tables; every method is one page's question. Times are UTC microseconds.

    A range up to two days for up to thirty machines is cut exactly where it says; a longer one is taken in whole
    slots: those that begin in it.
    """

    setup: OeeSetup
    store: OeeStore

    def is_exact(self, path: str, start: int, end: int) -> bool:
        """Whether the range is cut exactly."""
        return end - start <= _EXACT_US and len(self.machines(path)) <= _EXACT_MACHINES

    def exact(self, path: str, start: int, end: int) -> list[SlotRows]:
        """Slots cut at the range, summed up from the seconds."""
        return exact_rows(self.store, self.machines(path), self.setup.reasons, start, end)

    def _losses(self, path: str, start: int, end: int, rows: list[SlotRows] | None) -> list[LossSum]:
        if not self.is_exact(path, start, end):
            return self.store.losses([one.path for one in self.machines(path)], start, end)
        return [
            (one.machine, row.reason, row.element, row.given, row.time, row.stops)
            for one in rows or self.exact(path, start, end)
            for row in one.losses
        ]

    def machines(self, path: str) -> list[MachineSetup]:
        """Machines at and below a path."""
        return self.setup.below(path)

    def cycle(self, machine: str, product: str, confirmed: Mapping[tuple[str, str], float]) -> float:
        """Ideal cycle in seconds: the confirmed one, else that of the plant, else NaN."""
        found = confirmed.get((machine, product))
        known = self.setup.machines.get(machine)
        return found if found is not None else known.cycle_of(product) if known else float("nan")

    def totals(
        self, path: str, start: int, end: int, group: str = "", rows: list[SlotRows] | None = None
    ) -> dict[tuple[str, ...], Totals]:
        """Totals with standard times: (machine,) -> totals, or (value of the group,) -> totals of all machines.

        rows: those of the range, where they are there already.
        """
        confirmed = self.store.cycles()

        def cycle(machine: str, product: str) -> float:
            return self.cycle(machine, product, confirmed)

        if not self.is_exact(path, start, end):
            return self.store.totals([one.path for one in self.machines(path)], start, end, group, cycle)
        found: dict[tuple[str, ...], Totals] = defaultdict(Totals)
        own = self.store.orders.cycles()
        for one in rows or self.exact(path, start, end):
            for product, order, totals in one.slices:
                key = group_of(group, one.slot, product, order) if group else one.machine
                seconds = own.get(order, cycle(one.machine, product))
                found[(key,)] += self.store.counted(standard(totals, seconds).by_order(order))
        return dict(found)

    def kpis(self, path: str, start: int, end: int, by: str) -> dict[str, Any]:
        """The whole and its parts: by machine, line, area, or a group of the store."""
        level = by in ("machine", "line", "area")
        found = self.totals(path, start, end, "" if level else by)
        parts: dict[str, Totals] = defaultdict(Totals)
        whole = Totals()
        for key, totals in found.items():
            whole += totals
            if by:
                parts[self.part_of(key[0], by) if level else key[0]] += totals
        rows = [figures(totals) | {"key": key, "name": self.setup.names.get(key, key)} for key, totals in parts.items()]
        return {"whole": figures(whole), "parts": sorted(rows, key=lambda row: str(row["key"])), "by": by,
                "exact": self.is_exact(path, start, end)}  # fmt: skip

    def part_of(self, machine: str, by: str) -> str:
        """The machine, line or area that a machine belongs to."""
        if by == "machine":
            return machine
        line = self.setup.machines[machine].line
        return line if by == "line" else line.rpartition("/")[0]

    def order_figures(self, path: str, order: str, start: int, end: int) -> dict[str, Any]:
        """KPIs, times and counts of one order on a machine or line, over the slots that begin in [start, end)."""
        confirmed = self.store.cycles()
        paths = [one.path for one in self.setup.machines.values() if path in (one.path, one.line)]
        found = self.store.totals(
            paths, start, end, "order", lambda machine, name: self.cycle(machine, name, confirmed)
        )
        return figures(found.get((order,), Totals()))

    def bottlenecks(self, path: str, start: int, end: int) -> list[dict[str, Any]]:
        """Per line with a flow: the machine that holds it back."""
        found = self.totals(path, start, end)
        result = []
        for line in self.setup.lines:
            parts = [found.get((machine.path,), Totals()) for machine in line.machines]
            slow = bottleneck(parts) if len(parts) > 1 else None
            if slow is not None:
                machine = line.machines[slow.machine]
                result.append({"line": line.path, "machine": machine.path, "name": machine.name, "load": slow.load,
                               "lead": slow.lead})  # fmt: skip
        return result

    def losses(self, path: str, start: int, end: int) -> dict[str, Any]:
        """Waterfall, six big losses, and the Pareto of reasons beside the period before, with money."""
        cut = self.exact(path, start, end) if self.is_exact(path, start, end) else None
        found = self.totals(path, start, end, rows=cut)
        whole = sum(found.values(), Totals())
        now, money = self._reasons(path, start, end, cut)
        before, _ = self._reasons(path, 2 * start - end, start)
        fall = losses.waterfall(whole)
        rates = {machine.path: machine.config.hourly_cost for machine in self.machines(path)}
        costs = {one.id: 0.0 for one in fall.losses}
        for (machine,), totals in found.items():
            for one in losses.waterfall(totals).losses:
                costs[one.id] += losses.money(one.time, rates.get(machine, 0.0))
        rows = [
            {**asdict(row), "element": row.element.name.lower(), "name": self._reason_name(row.reason),
             "money": money[(row.reason, row.element)]}
            for row in losses.pareto(now, before)
        ]  # fmt: skip
        return {
            "waterfall": {"planned": fall.planned, "productive": fall.productive,
                          "losses": [asdict(one) | {"money": costs[one.id]} for one in fall.losses]},
            "six": [asdict(one) for one in losses.six_big_losses(whole)],
            "pareto": rows,
            "kpis": kpis.values(whole),
        }  # fmt: skip

    def _reasons(
        self, path: str, start: int, end: int, found: list[SlotRows] | None = None
    ) -> tuple[dict[tuple[str, Element], tuple[int, int]], dict[tuple[str, Element], float]]:
        wanted = {one.path: one for one in self.machines(path)}
        rows: dict[tuple[str, Element], tuple[int, int]] = defaultdict(lambda: (0, 0))
        money: dict[tuple[str, Element], float] = defaultdict(float)
        for machine, reason, element, _, time, stops in self._losses(path, start, end, found):
            if machine not in wanted:
                continue
            past = rows[(reason, element)]
            rows[(reason, element)] = past[0] + time, past[1] + stops
            money[(reason, element)] += losses.money(time, wanted[machine].config.hourly_cost)
        return dict(rows), money

    def _reason_name(self, reason: str) -> str:
        return next((one.name for one in self.setup.reasons.items if one.id == reason), "")

    def what_if(self, path: str, start: int, end: int, loss: str, share: float) -> dict[str, Any]:
        """What it brings to take `share` of a loss away. Raises KeyError for an unknown loss."""
        found = self.totals(path, start, end)
        whole = sum(found.values(), Totals())
        gain = losses.what_if(whole, loss, share, 0.0)
        rates = {machine.path: machine.config.hourly_cost for machine in self.machines(path)}
        money = sum(losses.what_if(one, loss, share, rates[key[0]]).money for key, one in found.items())
        return asdict(gain) | {"money": money, "oee_now": kpis.values(whole)["oee"]}

    def timeline(self, machine: MachineSetup, start: int, end: int) -> list[dict[str, Any]]:
        """Cells of [start, end) with state, element, reason and product; what every figure can be opened down to."""
        rows = self.store.intervals(machine.path, start - MARGIN_US, end + MARGIN_US)
        return self._cells(machine, rows, self.store.notes(machine.path, start, end), start, end)

    def _cells(
        self, machine: MachineSetup, rows: Sequence[Interval], given: Sequence[GivenNote], start: int, end: int
    ) -> list[dict[str, Any]]:
        if not rows:
            return []
        low, high = max(start, rows[0].start), min(end, rows[-1].end)
        if low >= high:
            return []
        reasons = self.setup.reasons
        story = story_of(rows, reasons)
        line = lay(machine, story, [one.note for one in given], reasons, low, high)
        causes = {row.start: row.cause for row in rows}
        starts = np.array(sorted(causes), np.int64)
        cells = []
        for place in range(len(line.starts)):
            begin = int(line.starts[place])
            reason = reasons.at(int(line.reasons[place]))
            owner = starts[int(np.searchsorted(starts, begin, side="right")) - 1]
            cells.append({
                "start": begin, "end": int(line.ends[place]), "state": State(int(line.states[place])).name.lower(),
                "element": Element(int(line.elements[place])).name.lower(), "reason": reason.id if reason else "",
                "reason_name": reason.name if reason else "", "given": reasons.given(int(line.reasons[place])),
                "product": story.product_names[line.products[place]] if line.products[place] >= 0 else "",
                "cause": causes[int(owner)],
            })  # fmt: skip
        return _without_seams(cells)

    def stops(self, path: str, start: int, end: int, least_us: int, most: int | None = None) -> list[dict[str, Any]]:
        """Stops of [start, end), newest first, one row for neighbouring cells that a person gave one reason."""
        found = []
        stood = {one.name.lower() for one in STOOD}
        machines = self.machines(path)
        paths = [one.path for one in machines]
        rows = self.store.interval_table(paths, start - MARGIN_US, end + MARGIN_US)
        given = self.store.note_table(paths, start, end)
        for machine in machines:
            own = self._cells(machine, rows[machine.path], given.get(machine.path, ()), start, end)
            cells = [one for one in own if one["element"] in stood]
            found += [
                cell | {"machine": machine.path, "name": machine.name}
                for cell in _joined(cells)
                if cell["end"] - cell["start"] >= least_us
            ]
        return sorted(found, key=lambda row: -int(row["start"]))[:most]

    def failures(self, machine: MachineSetup, start: int, end: int) -> dict[str, tuple[list[float], float]]:
        """Reason -> (running hours at which it failed, running hours in all)."""
        ages: dict[str, list[float]] = defaultdict(list)
        ran, before = 0.0, ""
        for cell in self.timeline(machine, start, end):
            if cell["element"] == "production":
                ran += (cell["end"] - cell["start"]) / 3.6e9
            elif cell["element"] == "breakdown" and before != "breakdown":
                ages[cell["reason"]].append(ran)
            before = cell["element"]
        return {reason: (found, ran) for reason, found in ages.items()}

    def hours(self, machine: MachineSetup, start: int, end: int) -> list[dict[str, Any]]:
        """Hour by hour: planned parts, made parts and scrap. The plan is planned time over the ideal cycle."""
        zone = ZoneInfo(machine.zone)
        confirmed = self.store.cycles()
        made: dict[int, list[tuple[str, float, float]]] = defaultdict(list)
        for _, hour, product, good, scrap in self.store.hours([machine.path], start - _HOUR_US, end):
            made[hour].append((product, good, scrap))
        shifts = shifts_between(machine.calendar, start, end) if machine.calendar else ()
        plan, _ = plan_steps(machine.calendar, shifts, start, end)
        rows, hour, last = [], hour_of(start, zone), ""
        intervals = self.store.intervals(machine.path, start, end)
        while hour < end:
            low, high = max(hour, start), min(hour + _HOUR_US, end)
            part = plan.cut(low, high)
            planned = int(part.lengths(high)[part.values == Plan.WORK].sum())
            entries = made.get(hour, [])
            running = [one.product for one in intervals if one.start < high and one.end > low and one.product]
            last = max(entries, key=lambda one: one[1])[0] if entries else running[-1] if running else last
            cycle = self.cycle(machine.path, last, confirmed)
            target = None if np.isnan(cycle) else planned / 1e6 / cycle
            rows.append({"start": hour, "planned": planned, "product": last, "target": target,
                         "good": sum(one[1] for one in entries), "scrap": sum(one[2] for one in entries)})  # fmt: skip
            hour += _HOUR_US
        return rows


def group_of(name: str, slot: Slot, product: str, order: str) -> str:
    """The value of a group that a slice of a slot belongs to."""
    values = {"product": product, "order": order, "day": slot.day, "shift": slot.shift, "crew": slot.crew,
              "slot": str(slot.start)}  # fmt: skip
    return values[name]


def figures(totals: Totals) -> dict[str, Any]:
    """Totals in seconds and pieces, every KPI, and how much of the planned time is known."""
    values = asdict(totals)
    counts = ("produced", "good", "scrap", "rework", "start_up_scrap", "failures", "stops", "minor_stops")
    values["minor_stop"] += values.pop("minor_running")  # what it counts as is in the KPIs
    times = {name: value / 1e6 for name, value in values.items() if name not in counts}
    sums = {"calendar": totals.calendar, "operation": totals.operation, "busy_plan": totals.busy_plan,
            "busy": totals.busy, "processing": totals.processing, "delays": totals.delays}  # fmt: skip
    return {
        "kpis": kpis.values(totals),
        "times": times | {name: value / 1e6 for name, value in sums.items()},
        "counts": {name: values[name] for name in counts},
        "coverage": kpis.coverage(totals),
    }


def _joined(cells: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells without a gap between them to which a person gave the same reason as one stop."""
    result: list[dict[str, Any]] = []
    for cell in cells:
        last = result[-1] if result else None
        if (
            last
            and last["end"] == cell["start"]
            and cell["given"]
            and last["given"]
            and last["reason"] == cell["reason"]
        ):
            result[-1] = last | {"end": cell["end"]}
        else:
            result.append(cell)
    return result


def _without_seams(cells: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring cells that differ in nothing but their times as one."""
    result: list[dict[str, Any]] = []
    for cell in cells:
        same = result and all(result[-1][key] == cell[key] for key in cell if key not in ("start", "end"))
        if same:
            result[-1] = result[-1] | {"end": cell["end"]}
        else:
            result.append(cell)
    return result
