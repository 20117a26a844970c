"""What every machine model is built from: a step of time, carried memory, lags, counters and noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from lineshaft.model.samples import Float64Array, Int64Array
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.noise import key_of, smooth, white
from lineshaft.simulator.tracks import Track

OFF, IDLE, RUNNING, STOPPED, SETUP, STARVED, BLOCKED = range(7)
"""Codes of a production machine's `state`."""

Value = NDArray[np.floating[Any]] | float


@dataclass(slots=True)
class Step:
    """Some instants, and what the machines say about them so far; a machine may use what earlier ones said."""

    times: Int64Array  # UTC microseconds, ascending
    before: int  # the last instant that was computed already
    faults: Faults
    begin: int  # the first instant of the whole story
    setpoints: dict[str, float] = field(default_factory=dict)  # path -> value that somebody set on a device
    seconds: Float64Array = field(init=False)  # float64[n]: since the instant before each
    values: dict[str, Float64Array] = field(default_factory=dict)  # path below the site -> float64[n]
    tracks: dict[str, Track] = field(default_factory=dict)  # path -> exact changes
    shared: dict[str, Float64Array] = field(default_factory=dict)  # quantities that no sensor sees

    def __post_init__(self) -> None:
        self.seconds = np.diff(self.times, prepend=self.before) * 1e-6

    def full(self, value: Value) -> Float64Array:
        """float64[n] from a number or an array."""
        return np.asarray(np.broadcast_to(np.asarray(value, np.float64), len(self.times)))

    def add(self, name: str, value: Value) -> None:
        """Add to a shared quantity."""
        self.shared[name] = self.shared.get(name, 0.0) + self.full(value)

    def get(self, name: str) -> Float64Array:
        """A shared quantity; zeros when nobody spoke of it."""
        return self.shared[name] if name in self.shared else np.zeros(len(self.times))


def vibration_key(asset: str, quantity: str) -> str:
    """Name of a shared quantity that bursts of vibration are made of."""
    return f"vibration/{asset}/{quantity}"


class Machine:
    """One model. Its memory is numbers by name, so that it can be saved as JSON."""

    def __init__(self, path: str, seed: int) -> None:
        self.path = path
        self.seed = seed
        self.memory: dict[str, float] = {}
        self._keys: dict[str, np.uint64] = {}

    def advance(self, step: Step) -> None:
        """Say what happens at the instants of `step`."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, Any]:
        """Everything that the next step needs, as JSON values."""
        return {"memory": dict(self.memory)}

    def restore(self, saved: dict[str, Any]) -> None:
        """From `snapshot`."""
        self.memory = dict(saved["memory"])

    def say(self, step: Step, name: str, value: Value) -> Float64Array:
        """Publish signal `name` (path below this machine)."""
        result = step.full(value)
        step.values[f"{self.path}/{name}"] = result
        return result

    def setpoint(self, step: Step, name: str, usual: float) -> float:
        """What somebody set under this name, or the usual value; publishes it."""
        value = step.setpoints.get(f"{self.path}/{name}", usual)
        self.say(step, name, value)
        return value

    def reset(self, step: Step, name: str) -> bool:
        """Whether somebody has set this counter back to zero since the last step; tells of it once."""
        return step.setpoints.pop(f"{self.path}/{name}", None) is not None

    def vibrates(self, step: Step, part: str, speed: Value, velocity: Value, defect: Value) -> None:
        """Tell how a part below this machine shakes: 1/min, mm/s RMS without the defect, 0 (none) to 1 (bad)."""
        for name, value in (("speed", speed), ("velocity", velocity), ("defect", defect)):
            step.shared[vibration_key(f"{self.path}/{part}", name)] = step.full(value)

    def _key(self, name: str) -> np.uint64:
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = key_of(self.seed, f"{self.path}/{name}")
        return key

    def white(self, step: Step, name: str) -> Float64Array:
        """Fresh noise at every instant: mean 0, variance 1."""
        return white(self._key(name), step.times)

    def drift(self, step: Step, name: str, period_s: float) -> Float64Array:
        """Slow wandering: mean 0, variance 1, correlation time about `period_s`."""
        return smooth(self._key(name), step.times, period_s)

    def constant(self, name: str, low: float, high: float) -> float:
        """A property of this very machine between `low` and `high`: no two are alike."""
        return low + (high - low) * (int(self._key(name)) % 9973) / 9973.0

    def total(self, step: Step, name: str, rate: Value, start: float = 0.0) -> Float64Array:
        """A counter: the integral of `rate` per second over time, from `start` on."""
        result = self.memory.get(name, start) + np.cumsum(step.full(rate) * step.seconds)
        self.memory[name] = float(result[-1])
        return result

    def energy(self, step: Step, power_kw: Float64Array, start_kwh: float) -> Float64Array:
        """The kWh counter that belongs to a power in kW."""
        return self.total(step, "energy", power_kw / 3600.0, start_kwh)

    def lag(self, step: Step, name: str, target: Value, tau_s: float, start: float | None = None) -> Float64Array:
        """First-order lag behind `target` with time constant `tau_s`; exact for a target constant between instants."""
        goal = step.full(target)
        state = self.memory.get(name, float(goal[0]) if start is None else start)
        keep = np.exp(-step.seconds / tau_s)
        result = np.empty(len(goal))
        low = 0
        while low < len(goal):
            run = np.flatnonzero(keep[low:] != keep[low])
            high = low + int(run[0]) if len(run) else len(goal)
            a = float(keep[low])
            if high - low == 1:
                result[low] = a * state + (1 - a) * goal[low]
            else:
                result[low:high] = lfilter([1 - a], [1, -a], goal[low:high], zi=[a * state])[0]
            state = float(result[high - 1])
            low = high
        self.memory[name] = state
        return result
