"""Totals of times and counts: what KPIs are made of, and the only thing that is ever rolled up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from lineshaft.analytics.oee.elements import DELAYS, Element


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over any set of machines and times. Times in microseconds, parts in pieces.

    Two totals of disjoint times or machines add up to the totals of both; a ratio is taken last, never averaged.
    """

    non_scheduled: int = 0
    planned_down: int = 0
    production: int = 0
    setup: int = 0
    minor_stop: int = 0
    breakdown: int = 0
    starved: int = 0
    blocked: int = 0
    delay: int = 0
    no_order: int = 0
    unknown: int = 0
    produced: float = 0.0  # PQ
    good: float = 0.0  # GQ
    scrap: float = 0.0  # SQ
    rework: float = 0.0  # RQ
    start_up_scrap: float = 0.0  # of the scrap: made while starting up
    standard_time: float = 0.0  # sum of ideal cycle x produced
    standard_good: float = 0.0  # sum of ideal cycle x good
    failures: int = 0  # stops that count as a failure
    stops: int = 0  # all stops beside the minor ones
    minor_stops: int = 0
    ordered: int = 0  # AOET: all of the time that belongs to an order
    unordered_busy: int = 0  # AUBT that belongs to none
    minor_running: int = 0  # minor stops that count as slow running, not as delay

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Totals)))

    @property
    def calendar(self) -> int:
        """All of the time: the elements add up to it exactly."""
        return self.non_scheduled + self.planned_down + self.busy_plan + self.unknown

    @property
    def operation(self) -> int:
        """POT, planned operation time, as far as it is known."""
        return self.planned_down + self.busy_plan

    @property
    def busy_plan(self) -> int:
        """PBT, planned busy time: operation time without planned stops; unknown time is in no KPI."""
        return self.busy + self.no_order

    @property
    def busy(self) -> int:
        """AUBT, actual unit busy time."""
        return self.processing + self.delays

    @property
    def processing(self) -> int:
        """AUPT, actual unit processing time."""
        return self.running + self.setup

    @property
    def running(self) -> int:
        """APT, actual production time."""
        return self.production + self.minor_running

    @property
    def delays(self) -> int:
        """ADET, actual unit delay time."""
        return sum(getattr(self, element.name.lower()) for element in DELAYS)

    def by_order(self, order: str) -> Totals:
        """With its time as that of an order; '' is none."""
        return replace(self, ordered=self.calendar if order else 0, unordered_busy=0 if order else self.busy)

    def minor_stops_as_performance(self) -> Totals:
        """With minor stops in the production time, as the list of six big losses has it (Nakajima).

        Availability rises and effectiveness falls by the same factor; OEE stays.
        """
        return replace(self, minor_stop=0, minor_running=self.minor_running + self.minor_stop)

    @staticmethod
    def of_elements(times: Mapping[Element, int]) -> Totals:
        """From the microseconds of each element."""
        return Totals(**{element.name.lower(): int(time) for element, time in times.items()})


def total(parts: Iterable[Totals]) -> Totals:
    """The sum."""
    result = Totals()
    for part in parts:
        result = result + part
    return result
