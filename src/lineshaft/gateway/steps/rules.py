"""Edge rules: a condition over signals that holds long enough is an event, whether the platform is there or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.config.expressions import Expression
from lineshaft.gateway.steps.computed import Aligned, Users
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import CLASS_MASK, SampleBatch


@dataclass(frozen=True, slots=True, eq=False)
class EdgeRule:
    """One rule; delays in microseconds. Without `until` it ends when `when` holds no more."""

    id: str
    subject: str  # path of the asset
    inputs: tuple[tuple[str, int], ...]  # (name, handle)
    when: Expression
    until: Expression | None
    delay: int
    until_delay: int
    severity: Severity
    message: str
    mend: str = ""


class _Judge:
    """State of one rule. Unknown (an input is bad or missing) begins and ends nothing, and a delay starts anew."""

    def __init__(self, rule: EdgeRule) -> None:
        self._rule = rule
        self._aligned = Aligned(rule.inputs)
        self._raised = False
        self._raised_at = 0
        self._since: int | None = None

    def update(self, batch: SampleBatch) -> list[Event]:
        aligned = self._aligned.update(batch)
        if aligned is None:
            return []
        times, columns, worst = aligned
        rule = self._rule
        usable = worst & CLASS_MASK != 0
        begins = np.where(usable, rule.when(columns, len(times)), np.nan)
        if rule.until is None:
            ends = 1.0 - (begins != 0)
            ends[np.isnan(begins)] = np.nan
        else:
            ends = np.where(usable, rule.until(columns, len(times)), np.nan)
        events = []
        for row, (time, begin, end) in enumerate(zip(times.tolist(), begins.tolist(), ends.tolist(), strict=True)):
            wanted = end if self._raised else begin
            if wanted != wanted or not wanted:  # NaN: unknown
                self._since = None
                continue
            self._since = time if self._since is None else self._since
            if time - self._since >= (rule.until_delay if self._raised else rule.delay):
                events.append(self._turn(time, {name: float(column[row]) for name, column in columns.items()}))
        return events

    def _turn(self, time: int, values: dict[str, float]) -> Event:
        rule = self._rule
        self._raised, self._since = not self._raised, None
        details: dict[str, str | int | float | bool | None] = {"rule": rule.id, **values}
        if self._raised:
            self._raised_at = time
            details |= {"condition": rule.when.text, "mend": rule.mend}
            return Event(time, f"rule.{rule.id}.raised", rule.subject, rule.message, rule.severity, details)
        details |= {"seconds": (time - self._raised_at) / 1e6}
        return Event(time, f"rule.{rule.id}.ended", rule.subject, f"Over: {rule.message}", Severity.INFO, details)


class EdgeRules:
    """All rules of a gateway."""

    def __init__(self, rules: Sequence[EdgeRule], size: int) -> None:
        self._judges = [_Judge(rule) for rule in rules]
        self._users = Users([[handle for _, handle in rule.inputs] for rule in rules], size)

    def update(self, batch: SampleBatch) -> list[Event]:
        """What begins and ends with the rows of the batch; times are the rows' own."""
        users, rows = self._users(batch)
        return [event for judge in users for event in self._judges[judge].update(rows)]
