"""From when on a machine's state at an instant is certain: power is waited for, and the lack of parts as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lineshaft.analytics.oee.states import debounced
from lineshaft.analytics.oee.steps import Steps
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.stories import Columns, part_times, power_level, rows_until
from lineshaft.model.samples import Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Settling:
    """How the rows of one machine settle. `horizon(row) > at` says the same as `due(at) <= row`. Microseconds.

    changes   power: where its level changes; counts: instants of parts; else empty
    wait      power: how long a level must hold; counts: without a part for longer the machine stands
    back_to   rows before this instant are not needed to tell the states from `since` on; see `settling`
    """

    kind: Literal["told", "power", "counts"]
    changes: Int64Array
    wait: int = 0
    back_to: int = 0

    def horizon(self, row: int) -> int:
        """States before this are certain when a row of time `row` is the newest one."""
        past = self.changes[self.changes <= row]
        if not len(past) or (self.kind == "power" and len(past) == 1):  # the first level counts at once
            return row + 1
        last = int(past[-1])
        if self.kind == "power":
            return last if row - last < self.wait else row + 1
        return max(last, row + 1 - self.wait // 2) if row - last > self.wait else last

    def due(self, at: int) -> int:
        """The row time from which on the state at an instant is certain."""
        place = int(np.searchsorted(self.changes, at, side="right")) - 1
        if place < 0 or (self.kind == "power" and place == 0):
            return at
        last = int(self.changes[place])
        following = int(self.changes[place + 1]) if place + 1 < len(self.changes) else None
        waited = last + self.wait if self.kind == "power" else max(last + self.wait + 1, at + self.wait // 2)
        settled = waited if following is None else min(following, waited)
        return max(at, settled)


def settling(machine: MachineSetup, columns: Columns, since: int, end: int) -> Settling:
    """How the rows before `end` settle, and which of them are needed to tell what holds from `since` on."""
    rows = rows_until(machine, columns, end)
    if machine.config.power is not None:
        column, hold = rows(machine.config.power.signal), round(machine.config.power.hold * 1e6)
        levels = power_level(machine, rows)
        times = column.times if column is not None else np.empty(0, np.int64)
        return Settling("power", levels.times, hold, _agreed(levels, times, hold, since))
    if machine.config.counts is not None:
        parts = part_times(machine, rows)
        before = parts[parts <= since]
        last = int(before[-1]) if len(before) else since
        return Settling("counts", parts, round(machine.config.counts.longest * 1e6), last)
    return Settling("told", np.empty(0, np.int64), 0, since)


def _agreed(levels: Steps, times: Int64Array, hold: int, since: int) -> int:
    """The last row before `since` whose bare level is the state that counts: what was before it is not needed."""
    past = times[times < since]
    same = debounced(levels, hold).at(past) == levels.at(past)
    return int(past[same][-1]) if same.any() else since
