"""Edge rules: a condition over signals that holds long enough is an event, whether the platform is there or not."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.gateway.steps.computed import Users
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.rules import Judge, Rule


class EdgeRules:
    """All rules of a gateway."""

    def __init__(self, rules: Sequence[Rule], size: int) -> None:
        self._judges = [Judge(rule) for rule in rules]
        self._users = Users([[handle for _, handle in rule.inputs] for rule in rules], size)

    def update(self, batch: SampleBatch) -> list[Event]:
        """What begins and ends with the rows of the batch; times are the rows' own."""
        users, rows = self._users(batch)
        return [event for judge in users for event in self._judges[judge].update(rows)]
