"""Compressed air: two screw compressors in a pressure band, a receiver, a dryer, and the flow meter behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.model.samples import Float64Array
from lineshaft.simulator.machines.base import Machine, Step

_VOLUME = 4.0  # m3 of the receiver
_ATM = 1.013  # bar


@dataclass(frozen=True, slots=True)
class CompressorPlan:
    """One fixed-speed screw compressor. Pressures in bar above ambient, delivery in m3/min of free air."""

    delivery: float
    full_kw: float
    idle_kw: float
    load_at: float
    unload_at: float
    run_on_s: float = 300.0  # unloaded before it stops


@dataclass(slots=True)
class _Unit:
    loaded: bool = False
    turning: bool = False
    idle_s: float = 0.0
    starts: float = 0.0


class AirSystem(Machine):
    """Receiver and compressors together: between the instants the pressure moves in straight lines, and each
    switching instant is solved exactly, so the result does not hang on the length of the step."""

    def __init__(self, path: str, seed: int, plans: tuple[CompressorPlan, ...], areas: tuple[str, ...]) -> None:
        super().__init__(path, seed)
        self.plans = plans
        self._areas = areas
        self._units = [_Unit(starts=4200.0 + 900 * i) for i in range(len(plans))]

    def demand(self, step: Step) -> Float64Array:
        """m3/min of free air: machines, what blows off by hand, and leaks that nobody mends."""
        leaks = 0.85 + 0.1 * self.drift(step, "leaks", 7200)
        days = (step.times - step.begin) / 86_400e6
        leaks = leaks * (1 + 0.012 * days / (1 + days / 90))  # leaks grow until somebody walks the pipes
        for place in (*self._areas, f"{self.path}/receiver-1"):
            leak = 1.9 * step.faults.severity("air-leak", place, step.times)
            leaks = leaks + leak
            step.add(f"{place}/air", leak)
        machines = step.get("air")
        blow = 0.35 * machines * (1 + 0.8 * self.drift(step, "blow-guns", 90))
        return np.asarray(np.maximum(2.3 * machines + blow + leaks, 0.2))

    def advance(self, step: Step) -> None:
        """See Machine."""
        demand = self.demand(step)
        pressure = np.empty(len(demand))
        load = np.empty((len(self.plans), len(demand)))
        turn = np.empty_like(load)
        starts = np.empty_like(load)
        loaded = np.empty_like(load)
        level = self.memory.get("pressure", 7.1)
        for i, (use, dt) in enumerate(zip(demand.tolist(), step.seconds.tolist(), strict=True)):
            level = self._between(level, use, dt, load, turn, i)
            pressure[i] = level
            for row, unit in enumerate(self._units):
                starts[row, i] = unit.starts
                loaded[row, i] = 2.0 if unit.loaded else 1.0 if unit.turning else 0.0
        self.memory["pressure"] = level
        for row, unit in enumerate(self._units):
            self.memory |= {f"loaded-{row}": float(unit.loaded), f"turning-{row}": float(unit.turning)}
            self.memory |= {f"idle-{row}": unit.idle_s, f"starts-{row}": unit.starts}
            step.shared[f"compressor-{row}/load"] = load[row]
            step.shared[f"compressor-{row}/turn"] = turn[row]
            step.shared[f"compressor-{row}/state"] = loaded[row]
            step.shared[f"compressor-{row}/starts"] = starts[row]
        step.shared["air-pressure"] = pressure
        step.shared["air-demand"] = demand

    def restore(self, saved: dict[str, dict[str, float]]) -> None:
        """See Machine."""
        super().restore(saved)
        for row, unit in enumerate(self._units):
            if f"loaded-{row}" in self.memory:
                unit.loaded, unit.turning = self.memory[f"loaded-{row}"] > 0, self.memory[f"turning-{row}"] > 0
                unit.idle_s, unit.starts = self.memory[f"idle-{row}"], self.memory[f"starts-{row}"]

    def _between(
        self, level: float, use: float, dt: float, load: Float64Array, turn: Float64Array, i: int
    ) -> float:  # fmt: skip
        """Move the pressure over `dt` seconds at a constant demand; fills the shares of time loaded and turning."""
        left, loaded_s, turning_s = dt, [0.0] * len(self.plans), [0.0] * len(self.plans)
        while left > 1e-9:
            self._switch(level)
            supply = sum(plan.delivery for plan, unit in zip(self.plans, self._units, strict=True) if unit.loaded)
            slope = (supply - use) / 60 * _ATM / _VOLUME
            span = min(left, self._until_switch(level, slope))
            for row, unit in enumerate(self._units):
                if unit.loaded:
                    loaded_s[row] += span
                elif unit.turning:
                    unit.idle_s += span
                if unit.turning:
                    turning_s[row] += span
            level = max(0.0, level + slope * span)
            left -= span
        self._switch(level)
        for row in range(len(self.plans)):
            load[row, i] = loaded_s[row] / dt if dt else float(self._units[row].loaded)
            turn[row, i] = turning_s[row] / dt if dt else float(self._units[row].turning)
        return level

    def _until_switch(self, level: float, slope: float) -> float:
        """Seconds until some compressor switches at this slope (bar/s)."""
        soonest = 3600.0
        for plan, unit in zip(self.plans, self._units, strict=True):
            if unit.loaded and slope > 0:
                soonest = min(soonest, (plan.unload_at - level) / slope)
            elif not unit.loaded and slope < 0:
                soonest = min(soonest, (plan.load_at - level) / slope)
            if unit.turning and not unit.loaded:
                soonest = min(soonest, plan.run_on_s - unit.idle_s)
        return max(soonest, 0.05)

    def _switch(self, level: float) -> None:
        for plan, unit in zip(self.plans, self._units, strict=True):
            if unit.loaded and level >= plan.unload_at - 1e-9:
                unit.loaded, unit.idle_s = False, 0.0
            elif not unit.loaded and level <= plan.load_at + 1e-9:
                unit.starts += not unit.turning
                unit.loaded = unit.turning = True
            elif unit.turning and not unit.loaded and unit.idle_s >= plan.run_on_s - 1e-9:
                unit.turning = False


class Compressor(Machine):
    """What the sensors of one compressor say about its part in the air system."""

    def __init__(self, path: str, seed: int, row: int, plan: CompressorPlan) -> None:
        super().__init__(path, seed)
        self._row = row
        self._plan = plan

    def advance(self, step: Step) -> None:
        """See Machine."""
        own = f"compressor-{self._row}"
        load, turn, state = (step.shared[f"{own}/{name}"] for name in ("load", "turn", "state"))
        plan, pressure = self._plan, step.shared["air-pressure"]
        self.say(step, "state", state)
        for bit, code in (("running", (state > 0)), ("loaded", (state > 1))):
            self.say(step, bit, code.astype(np.float64))
        full = plan.full_kw * (1 + 0.055 * (pressure - 7.1)) * (1 + 0.006 * self.white(step, "full"))
        power = load * full + (turn - load) * plan.idle_kw * (1 + 0.02 * self.white(step, "idle")) + 0.25
        self.say(step, "power", power)
        self.say(step, "energy", self.energy(step, power, self.constant("kwh", 300e3, 900e3)))
        self.say(step, "motor-current", power / (1.732 * 0.4 * 0.87) + 0.1 * np.abs(self.white(step, "amps")))
        hall = step.shared["hall-temperature"]
        oil = self.lag(step, "oil", hall + 3 + 40 * load + 19 * (turn - load), 420)
        self.say(step, "oil-temperature", oil + 0.15 * self.white(step, "oil"))
        end = self.lag(step, "discharge", hall + 4 + 58 * load + 31 * (turn - load), 200)
        self.say(step, "discharge-temperature", end + 0.2 * self.white(step, "discharge"))
        sump = self.lag(step, "sump", np.where(load > 0.5, pressure + 0.45, np.where(turn > 0.5, 1.6, 0.0)), 12)
        self.say(step, "discharge-pressure", np.maximum(sump + 0.01 * self.white(step, "pressure"), 0.0))
        hours = self.total(step, "running-hours", turn / 3600, self.constant("run", 2e4, 4e4))
        clogged = 0.16 + 0.28 * (hours % 2000) / 2000
        self.say(step, "separator-dp", clogged * load + 0.003 * self.white(step, "dp"))
        shake = np.exp(0.1 * self.white(step, "shake") + 0.06 * self.drift(step, "mount", 3000))
        self.say(step, "vibration", (0.06 + 2.1 * load + 1.3 * (turn - load)) * shake)
        self.say(step, "running-hours", hours)
        self.say(step, "loaded-hours", self.total(step, "loaded-hours", load / 3600, self.constant("load", 1e4, 2e4)))
        self.say(step, "starts", step.shared[f"{own}/starts"])
        self.say(step, "service-due", np.where(hours % 2000 > 1900, 1.0, 0.0))
        step.add("compressed-air/kw", power)
        step.add("compressor-heat", 0.35 * power)


class AirTreatment(Machine):
    """Dryer, receiver and the flow meter at the outlet of the compressor room."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        demand, pressure = step.shared["air-demand"], step.shared["air-pressure"]
        hall = step.shared["hall-temperature"]
        wet = self.lag(step, "wet", 2.6 + 0.30 * demand + 0.10 * (hall - 20), 600)
        self.say(step, "dryer-1/dew-point", wet + 0.3 * self.drift(step, "dew", 500) + 0.05 * self.white(step, "dew"))
        cooling = 0.9 + 0.085 * demand + 0.03 * self.drift(step, "dryer", 120)
        self.say(step, "dryer-1/power", cooling)
        self.say(step, "dryer-1/inlet-temperature", self.lag(step, "inlet", hall + 5 + 1.1 * demand, 500))
        self.say(step, "dryer-1/filter-dp", np.maximum(0.05 + 0.0042 * demand**1.6 + 0.003 * self.white(step, "dp"), 0))
        self.say(step, "receiver-1/pressure", pressure + 0.006 * self.white(step, "pressure"))
        self.say(step, "receiver-1/temperature", self.lag(step, "tank", hall + 4 + 0.9 * demand, 1800))
        flow = demand * 60
        self.say(step, "air-meter/flow", flow * (1 + 0.006 * self.white(step, "flow")))
        self.say(step, "air-meter/volume", self.total(step, "volume", flow / 3600, 8.214e6))
        self.say(step, "air-meter/pressure", pressure - 0.08 - 0.004 * demand + 0.005 * self.white(step, "line"))
        self.say(
            step, "air-meter/temperature", self.lag(step, "line", hall + 2, 2400) + 0.05 * self.white(step, "warm")
        )
        step.add("compressed-air/kw", cooling)
