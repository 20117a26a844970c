"""Where the time went: waterfall, six big losses, Pareto and what-if. Times in microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.totals import Totals

Kind = Literal["availability", "performance", "quality"]


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss of planned busy time."""

    id: str
    name: str
    kind: Kind
    time: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From planned busy time to fully productive time; `planned` = the losses + `productive`, exactly."""

    planned: float
    losses: tuple[Loss, ...]
    productive: float

    def of(self, kind: Kind) -> float:
        """Time lost in one of the three ways."""
        return sum(loss.time for loss in self.losses if loss.kind == kind)


def waterfall(totals: Totals) -> Waterfall:
    """PBT = availability losses + performance loss + quality loss + fully productive time.

    The performance loss is what production time is longer than the standard time of what was made; it is negative
    when the ideal cycle is too long, and then says so instead of hiding it.
    """
    speed = totals.production - totals.standard_time
    scrap = totals.standard_time - totals.standard_good
    start_up = scrap * totals.start_up_scrap / totals.scrap if totals.scrap else 0.0
    losses = (
        Loss("breakdown", "Breakdowns", "availability", totals.breakdown),
        Loss("setup", "Set-up and adjustment", "availability", totals.setup),
        Loss("starved", "Starved", "availability", totals.starved),
        Loss("blocked", "Blocked", "availability", totals.blocked),
        Loss("delay", "Other delays", "availability", totals.delay),
        Loss("no-order", "No order", "availability", totals.no_order),
        Loss("minor-stop", "Minor stops", "performance" if totals.minor_running else "availability",
             totals.minor_stop + totals.minor_running),
        Loss("speed", "Reduced speed", "performance", speed),
        Loss("scrap", "Process defects", "quality", scrap - start_up),
        Loss("start-up", "Start-up rejects", "quality", start_up),
    )  # fmt: skip
    return Waterfall(totals.busy_plan, losses, totals.standard_good)


def six_big_losses(totals: Totals) -> tuple[Loss, ...]:
    """The six big losses (Nakajima). Minor stops stand with the performance losses here, as that list has them;
    waiting for neighbours, people and orders is no loss of the machine itself and is in `waterfall`."""
    found = {loss.id: loss for loss in waterfall(totals).losses}
    return (
        found["breakdown"],
        found["setup"],
        replace(found["minor-stop"], name="Idling and minor stops", kind="performance"),
        found["speed"],
        found["scrap"],
        replace(found["start-up"], name="Reduced yield"),
    )


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """One reason: time, number of stops, and the running share of the whole, 0..1."""

    reason: str
    element: Element
    time: int
    stops: int
    cumulative: float
    before: int | None = None  # the same in the period before


def pareto(
    rows: Mapping[tuple[str, Element], tuple[int, int]], before: Mapping[tuple[str, Element], tuple[int, int]]
) -> tuple[ParetoRow, ...]:
    """Reasons by falling time, with the period before. rows: (reason, element) -> (time, stops)."""
    whole = sum(time for time, _ in rows.values()) or 1
    ordered = sorted(rows.items(), key=lambda item: (-item[1][0], item[0]))
    result, running = [], 0
    for (reason, element), (time, stops) in ordered:
        running += time
        past = before.get((reason, element))
        result.append(ParetoRow(reason, element, time, stops, running / whole, past[0] if past else None))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Gain:
    """What it brings to halve or remove a loss: OEE then, more good parts, and the money of the time."""

    id: str
    share: float
    oee: float
    parts: float
    money: float


def what_if(totals: Totals, loss: str, share: float, rate: float) -> Gain:
    """Remove `share` (0..1) of one loss of `waterfall`; the time won is used as well as the machine is used now.

    An availability loss becomes production at the present speed and quality; a performance loss becomes parts at the
    present quality; a quality loss becomes good parts. rate: money per hour. Raises KeyError for an unknown loss.
    """
    found = {one.id: one for one in waterfall(totals).losses}[loss]
    won = max(0.0, found.time) * share
    speed = totals.standard_time / totals.production if totals.production else 0.0
    quality = totals.standard_good / totals.standard_time if totals.standard_time else 0.0
    kind = "availability" if loss == "minor-stop" else found.kind  # time that is won becomes production either way
    factor = {"availability": speed * quality, "performance": quality, "quality": 1.0}[kind]
    more = won * factor
    per_part = totals.standard_good / totals.good if totals.good else 0.0
    oee = (totals.standard_good + more) / totals.busy_plan if totals.busy_plan else 0.0
    return Gain(loss, share, oee, more / per_part if per_part else 0.0, money(won, rate))


def money(time: float, rate: float) -> float:
    """What lost time costs at `rate` per hour."""
    return time / 3.6e9 * rate


@dataclass(frozen=True, slots=True)
class ChangeOver:
    """One change from a product to another (SMED). Microseconds.

    From the last good part before to the first good part after; `internal` is what the machine stood in set-up, the
    rest (run-down, first-off, waiting) is what can be made external or taken away.
    """

    start: int
    end: int
    before: int  # product index
    after: int
    internal: int

    @property
    def external(self) -> int:
        """Time beside the set-up itself."""
        return self.end - self.start - self.internal


def change_overs(
    products: Sequence[tuple[int, int]], parts: Sequence[int], setup: Sequence[tuple[int, int]]
) -> tuple[ChangeOver, ...]:
    """products: (time, product index) in order; parts: instants of good parts; setup: (start, end) of set-up time."""
    result = []
    for (_, before), (time, after) in pairwise(products):
        earlier = [part for part in parts if part <= time]
        later = [part for part in parts if part > time]
        if not earlier or not later:
            continue
        start, end = earlier[-1], later[0]
        internal = sum(max(0, min(end, b) - max(start, a)) for a, b in setup)
        result.append(ChangeOver(start, end, before, after, internal))
    return tuple(result)
