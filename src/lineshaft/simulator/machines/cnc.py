"""A machining centre: spindle with bearings, axes, coolant, and a program that shapes load and speed."""

from __future__ import annotations

import zlib

import numpy as np

from lineshaft.model.samples import Float64Array
from lineshaft.simulator.machines.base import Step, Value
from lineshaft.simulator.machines.line import Line, Station
from lineshaft.simulator.machines.station import Now, StationMachine

_BINS = 160  # resolution of a program within a cycle
_REFILL = 35.0  # percent of the coolant tank that is filled up each time
SPEED, LOAD, FEED, TOOL = range(4)


def program(seed: int, path: str, product: int) -> Float64Array:
    """float64[4, bins]: spindle speed (1/min), load (%), feed (mm/min) and tool over one cycle of a product."""
    rng = np.random.default_rng([seed, zlib.crc32(path.encode()), product])
    table = np.zeros((4, _BINS))
    at = 8  # the part is loaded first
    cuts = int(rng.integers(6, 10))
    lengths = rng.dirichlet(np.full(cuts, 3.0)) * (_BINS - 14)
    for cut, length in enumerate(lengths):
        end = min(_BINS - 6, at + max(4, round(float(length))))
        speed = float(rng.choice([1800, 2400, 3200, 4500, 6000, 7800, 9000])) * rng.uniform(0.93, 1.05)
        load = rng.uniform(18, 40) if speed > 5000 else rng.uniform(38, 78)
        shape = 1 + 0.12 * np.sin(np.linspace(0, rng.uniform(4, 20), end - at))
        table[SPEED, at + 1 : end] = speed
        table[LOAD, at + 2 : end] = load * shape[2:]
        table[FEED, at + 2 : end] = rng.uniform(0.08, 0.22) * min(speed, 4000) * 2
        table[FEED, at : at + 2] = 24_000  # rapid move after the tool change
        table[TOOL, at:end] = 1 + (cut * 3 + product) % 24
        at = end
    table[TOOL, at:] = table[TOOL, at - 1]
    table[TOOL, :8] = table[TOOL, 8]
    return table


class Cnc(StationMachine):
    """Power follows state and cut; spindle temperature lags power; vibration follows speed, load and bearing wear."""

    published = (*StationMachine.published, "program", "door", "tool-life")

    def __init__(self, station: Station, line: Line, seed: int) -> None:
        super().__init__(station, line, seed)
        self._programs = np.stack([program(seed, self.path, p) for p in range(len(line.products))])

    def advance(self, step: Step) -> None:
        """See Machine."""
        now = self.now(step)
        cut = np.where(now.running, self._programs[now.product, :, (now.phase * _BINS).astype(np.intp)].T, 0.0)
        wear = step.faults.severity("tool-wear", self.path, step.times)
        used = 1 - self.station.tracks["tool-life"].at(step.times) / 100
        dull = 0.14 * used**2 + 0.35 * wear
        bearing = step.faults.severity("bearing-wear", self.path, step.times)
        speed = cut[SPEED] * (1 + 0.0015 * self.white(step, "speed"))
        load = cut[LOAD] * (1 + dull) * (1 + 0.05 * self.white(step, "load") + 0.04 * self.drift(step, "stock", 900))
        load = np.clip(np.where(speed > 0, load + 4 + 3 * bearing, 0.0), 0.0, 180.0)
        self.say(step, "spindle/speed", speed)
        self.say(step, "spindle/load", load)
        self._axes(step, now, cut)
        self._power(step, now, speed, load)
        self._spindle(step, now, speed, load, bearing, dull)
        self._coolant(step, now)

    def _axes(self, step: Step, now: Now, cut: Float64Array) -> None:
        feed = cut[FEED] * (1 + 0.01 * self.white(step, "feed"))
        self.say(step, "feed-rate", feed)
        moving = np.sqrt(np.maximum(feed, 0.0) / 24_000)
        for axis, base, cutting in (("x", 5.0, 0.22), ("z", 17.0, 0.30)):  # the z axis carries the spindle's weight
            noise = 1.2 * self.white(step, f"{axis}-load")
            load = np.where(now.on, base + 34 * moving + cutting * cut[LOAD] + noise, 0.0)
            self.say(step, f"{axis}-load", np.clip(load, 0.0, 150.0))
        last = np.maximum.accumulate(np.where(now.running, np.arange(len(feed)), -1))
        tool = np.where(last >= 0, cut[TOOL][np.maximum(last, 0)], self.memory.get("tool", 1.0))  # kept when waiting
        self.memory["tool"] = float(tool[-1])
        self.say(step, "tool", tool)

    def _power(self, step: Step, now: Now, speed: Float64Array, load: Float64Array) -> None:
        idle = self.constant("idle-power", 2.3, 3.4)
        spindle = 15.0 * load / 100 * (0.35 + 0.65 * np.minimum(1.0, speed / 3000)) + 1.1 * (speed / 9000) ** 2
        process = np.where(now.running, 2.9 + spindle, 0.0)  # coolant and chip conveyor, axes, spindle
        fans = 0.08 * self.drift(step, "fans", 400) + 0.03 * self.white(step, "power")
        power = np.where(now.on, idle + process + fans, 0.11 + 0.004 * self.white(step, "standby"))
        self.say(step, "power", power)
        self.say(step, "energy", self.energy(step, power, self.constant("kwh", 40e3, 90e3)))
        step.add(f"{self.line.path}/kw", power)
        step.add("air", np.where(now.running, 0.16, np.where(now.on, 0.05, 0.0)))  # m3/min of free air
        step.add(f"{self.line.path}/air", np.where(now.running, 0.16, np.where(now.on, 0.05, 0.0)))
        step.add("heat", 0.7 * power)  # kW into the cooling water

    def _spindle(
        self, step: Step, now: Now, speed: Float64Array, load: Float64Array,
        bearing: Value, dull: Float64Array,
    ) -> None:  # fmt: skip
        share = speed / 9000
        blocked = step.faults.severity("coolant-blocked", self.path, step.times)
        rise = np.where(now.on, 3.0, 0.0) + 24 * share + 0.22 * load + 14 * bearing * (speed > 0) + 6 * blocked
        warm = self.lag(step, "spindle-temperature", step.shared["hall-temperature"] + rise, 1500)
        self.say(step, "spindle/temperature", warm + 0.06 * self.white(step, "temperature"))
        shake = np.exp(0.09 * self.white(step, "vibration") + 0.05 * self.drift(step, "mount", 3600))
        age = self.constant("age", 0.85, 1.35)
        turning = np.where(
            speed > 0, 0.25 + 0.75 * share**1.3 + 0.006 * load * (1 + 2 * dull) + 2.6 * bearing * share, 0
        )
        self.say(step, "spindle/vibration", (0.04 + 0.05 * now.on + age * turning) * shake)
        self.vibrates(step, "spindle", speed, age * turning, bearing)
        sharp = np.exp(0.13 * self.white(step, "acceleration"))
        knock = np.where(speed > 0, 1.2 + 7.5 * share**1.6 + 0.05 * load * (1 + 1.5 * dull) + 26 * bearing * share, 0.0)
        self.say(step, "spindle/acceleration", (0.05 + 0.08 * now.on + age * knock) * sharp)

    def _coolant(self, step: Step, now: Now) -> None:
        leak = step.faults.severity("coolant-leak", self.path, step.times)
        blocked = step.faults.severity("coolant-blocked", self.path, step.times)
        spray = now.running & (now.phase > 0.06) & (now.phase < 0.95)
        turn = self.lag(step, "coolant-pump", spray.astype(np.float64), 2.0, 0.0)
        flow = turn * 42 * np.clip(1 - 0.45 * leak - 0.7 * blocked, 0.03, 1) * (1 + 0.015 * self.white(step, "flow"))
        press = turn * 18.5 * np.clip(1 - 0.4 * leak + 0.35 * blocked, 0.1, 2) + 0.02 * self.white(step, "pressure")
        press += 0.35 * turn * self.white(step, "pulsation")
        self.say(step, "coolant-pump/flow", np.maximum(flow, 0.0))
        self.say(step, "coolant-pump/pressure", np.maximum(press, 0.0))
        heat = self.lag(step, "coolant-heat", np.where(now.running, 6.5, 0.0), 4200, 0.0)
        base = self.lag(step, "coolant-temperature", step.shared["hall-temperature"] - 1.0, 9000)
        self.say(step, "coolant-pump/temperature", base + heat + 0.04 * self.white(step, "coolant"))
        rate = np.where(now.running, 2.9e-4, 2e-5) + 0.02 * leak  # percent of the tank per second
        lost = self.total(step, "coolant-lost", rate, self.constant("fill", 0, _REFILL))
        self.say(step, "coolant-pump/level", self._level(lost, leak) + 0.15 * turn * self.white(step, "level"))

    def _level(self, lost: Float64Array, leak: Value) -> Float64Array:
        """Percent in the tank: refilled by hand when low, but not while it leaks; a mended tank is filled up."""
        if np.max(leak) > 0:
            base = self.memory.setdefault("leak-base", float(lost[0] // _REFILL * _REFILL))
            return np.maximum(93.0 - (lost - base), 3.0)
        if self.memory.pop("leak-base", None) is not None:
            self.memory["coolant-lost"] = float((lost[-1] // _REFILL + 1) * _REFILL)
            return np.full(len(lost), 93.0)
        return np.asarray(93.0 - lost % _REFILL)
