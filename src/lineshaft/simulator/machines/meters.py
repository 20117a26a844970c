"""Electricity, water and gas meters: they sum what their consumers draw, so that the sums reconcile."""

from __future__ import annotations

import numpy as np

from lineshaft.model.samples import Float64Array
from lineshaft.simulator.machines.base import Machine, Step
from lineshaft.simulator.worktime import WorkTime, any_open


class SubMeter(Machine):
    """Active power and energy of one group of consumers; current and voltage as a cheap meter shows them."""

    def __init__(self, path: str, seed: int, group: str, power_factor: float) -> None:
        super().__init__(path, seed)
        self._group = group
        self._power_factor = power_factor

    def advance(self, step: Step) -> None:
        """See Machine."""
        power = step.get(f"{self._group}/kw")
        factor = self._power_factor - 0.22 * np.exp(-power / 6) + 0.004 * self.white(step, "factor")
        voltage = step.shared["voltage"] - 0.012 * power
        self.say(step, "power", power)
        self.say(step, "power-factor", factor)
        self.say(step, "voltage", voltage + 0.1 * self.white(step, "voltage"))
        self.say(step, "current", 1000 * power / (3 * voltage * factor) + 0.02 * np.abs(self.white(step, "current")))
        self.say(step, "energy", self.energy(step, power, self.constant("kwh", 2e5, 9e5)))
        step.add("metered", power)
        step.add("reactive", power * np.tan(np.arccos(np.clip(factor, 0.3, 1))))


class Grid(Machine):
    """The supply: voltage that sags by day and frequency that wanders. Runs before the meters."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        day = np.cos(2 * np.pi * (step.times / 86_400e6 % 1 - 0.12))
        slow = 1.1 * self.drift(step, "net", 1800) + 0.3 * self.drift(step, "tap", 120)
        step.shared["voltage"] = 232.2 + 1.6 * day + slow
        step.shared["frequency"] = 50 + 0.018 * self.drift(step, "frequency", 60) + 0.01 * self.drift(step, "hour", 900)


class MainMeter(Machine):
    """The site's electricity: all submeters, and a base load that has no meter of its own (light, offices, servers)."""

    def __init__(self, path: str, seed: int, parts: tuple[WorkTime, ...]) -> None:
        super().__init__(path, seed)
        self._parts = parts

    def advance(self, step: Step) -> None:
        """See Machine."""
        busy = self.lag(step, "busy", any_open(step.times, self._parts).astype(np.float64), 900)
        base = 6.5 + 13 * busy + 1.1 * self.drift(step, "offices", 700) + 0.4 * self.drift(step, "kettle", 60)
        step.shared["base-load"] = base
        power = step.get("metered") + base
        self.say(step, "power", power)
        reactive = step.get("reactive") + 0.3 * base + 0.2 * self.white(step, "reactive")
        apparent = np.hypot(power, reactive)
        self.say(step, "reactive-power", reactive)
        self.say(step, "apparent-power", apparent)
        self.say(step, "power-factor", power / apparent)
        self._phases(step, apparent)
        self.say(step, "frequency", step.shared["frequency"] + 0.001 * self.white(step, "frequency"))
        self.say(step, "thd-current", 6.5 + 4 * np.exp(-power / 90) + 0.4 * self.drift(step, "thd", 300))
        self.say(step, "energy", self.energy(step, power, 6_483_112.0))
        self.say(step, "reactive-energy", self.total(step, "reactive-energy", reactive / 3600, 2_310_558.0))

    def _phases(self, step: Step, apparent: Float64Array) -> None:
        shares = [1 + 0.03 * self.drift(step, f"l{i}", 600) for i in (1, 2, 3)]
        whole = sum(shares)
        for i, share in enumerate(shares, 1):
            voltage = step.shared["voltage"] + (0.4, -0.7, 0.2)[i - 1] + 0.12 * self.white(step, f"voltage-{i}")
            self.say(step, f"voltage-l{i}", voltage)
            self.say(step, f"current-l{i}", 1000 * apparent * share / whole / voltage)


class WaterMeter(Machine):
    """City water: the cooling tower's make-up, people, and the washers."""

    def __init__(self, path: str, seed: int, parts: tuple[WorkTime, ...]) -> None:
        super().__init__(path, seed)
        self._parts = parts

    def advance(self, step: Step) -> None:
        """See Machine."""
        open_now = any_open(step.times, self._parts)
        tower = 0.0016 * step.shared["cooling-heat"]  # m3/h: what evaporates carries the heat
        people = np.where(open_now, 0.25 * np.maximum(0, 0.4 + self.drift(step, "taps", 45)), 0.02)
        flow = np.maximum(tower + people + 0.01 * self.white(step, "flow"), 0.004)
        self.say(step, "flow", flow)
        self.say(step, "volume", self.total(step, "volume", flow / 3600, 48_233.0))
        self.say(
            step, "temperature", 11.5 + 1.2 * self.drift(step, "warm", 7200) + 0.03 * self.white(step, "temperature")
        )


class GasMeter(Machine):
    """Natural gas of the boiler."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        flow = step.shared["gas"]
        self.say(step, "flow", np.maximum(flow * (1 + 0.01 * self.white(step, "flow")), 0.0))
        self.say(step, "volume", self.total(step, "volume", flow / 3600, 182_904.0))
        self.say(step, "pressure", 23.0 - 0.06 * flow + 0.25 * self.drift(step, "pressure", 900))
        self.say(step, "temperature", 12 + 0.3 * (step.shared["outdoor"] - 10) + 0.05 * self.white(step, "temperature"))
