"""What all machines on a line share: their station's tracks, power by state, and being left on over night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array
from lineshaft.simulator.machines.base import IDLE, OFF, RUNNING, Machine, Step
from lineshaft.simulator.machines.line import Line, Station


@dataclass(frozen=True, slots=True)
class Now:
    """A station at the instants of a step."""

    state: Float64Array
    running: NDArray[np.bool_]
    phase: Float64Array  # 0..1 within the cycle; of the last cycle when not running
    on: NDArray[np.bool_]  # power is on
    product: NDArray[np.intp]


class StationMachine(Machine):
    """A machine that is a station of a line. The line's unit-by-unit story is made by the first one asked."""

    published: tuple[str, ...] = ("state", "stop-reason", "product", "serial", "parts-good", "parts-bad", "cycle-time")

    def __init__(self, station: Station, line: Line, seed: int) -> None:
        super().__init__(station.plan.path, seed)
        self.station = station
        self.line = line

    def now(self, step: Step) -> Now:
        """Bring the line up to the step and publish the station's tracks."""
        self.line.run_to(int(step.times[-1]), step.faults)
        self._left_on(step)
        tracks = self.station.tracks
        for name in self.published:
            step.tracks[f"{self.path}/{name}"] = tracks[name]
        state: Float64Array = tracks["state"].at(step.times)
        phase = np.clip((step.times - tracks["start"].at(step.times)) / tracks["cycle"].at(step.times), 0.0, 0.9999)
        product = tracks["product-index"].at(step.times).astype(np.intp)
        return Now(state, state == RUNNING, phase, state != OFF, product)

    def _left_on(self, step: Step) -> None:
        """The fault idle-overnight turns what will be OFF into IDLE, and back when it is gone."""
        time, state = int(step.times[-1]), self.station.tracks["state"]
        active = step.faults.at("idle-overnight", self.path, time) > 0
        was = self.memory.get("left-on", 0.0) > 0
        if active:
            state.replace_after(int(step.before), OFF, IDLE)
            if state.value_at(step.before) == OFF:
                state.insert(step.before + 1, IDLE)
        elif was and state.value_at(step.before) == IDLE and not self.line.work.is_open(step.before):
            state.insert(step.before + 1, OFF)
        self.memory["left-on"] = float(active)
