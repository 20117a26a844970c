"""The assembly line: a press, a screwdriving station, a leak tester and the conveyor between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineshaft.model.samples import Float64Array, Int64Array
from lineshaft.simulator.machines.base import Machine, Step, Value
from lineshaft.simulator.machines.line import Line, Station
from lineshaft.simulator.machines.station import StationMachine
from lineshaft.simulator.noise import white
from lineshaft.simulator.tracks import Track


class Tester(StationMachine):
    """A station that measures something on each unit; a result holds from the end of its cycle to the next one."""

    published = (*StationMachine.published, "ok")

    def __init__(self, station: Station, line: Line, seed: int) -> None:
        super().__init__(station, line, seed)
        self._results: dict[str, Track] = {}

    def finished(self, step: Step) -> tuple[Int64Array, Int64Array, Float64Array]:
        """Units done since the step before: the instant, the unit's number, and 1 for a good one."""
        tracks = self.station.tracks
        ends, _ = tracks["done"].changes(step.before, int(step.times[-1]))
        if not len(ends):
            return ends, ends, np.empty(0)
        return ends, tracks["unit"].at(ends - 1).astype(np.int64), tracks["ok"].at(ends)

    def result(self, step: Step, name: str, ends: Int64Array, values: Value, start: float, digits: int) -> None:
        """Publish one result per finished unit, rounded as the tester reports it."""
        track = self._results.setdefault(name, Track(step.begin, start))
        track.forget_before(step.before)
        rounded = np.round(np.broadcast_to(values, len(ends)), digits)
        for end, value in zip(ends.tolist(), rounded.tolist(), strict=True):
            track.add(end, value)
        step.tracks[f"{self.path}/{name}"] = track

    def per_unit(self, name: str, units: Int64Array) -> Float64Array:
        """Noise that belongs to a unit: mean 0, variance 1."""
        return white(self._key(name), units)

    def draw(self, step: Step, power: Float64Array, air: Float64Array) -> None:
        """Publish power (kW) and energy; tell the meters both and the free air used (m3/min)."""
        self.say(step, "power", power)
        self.say(step, "energy", self.energy(step, power, self.constant("kwh", 4e3, 20e3)))
        step.add(f"{self.line.path}/kw", power)
        step.add("air", air)
        step.add(f"{self.line.path}/air", air)

    def snapshot(self) -> dict[str, Any]:
        """See Machine."""
        return super().snapshot() | {"results": {name: track.snapshot() for name, track in self._results.items()}}

    def restore(self, saved: dict[str, Any]) -> None:
        """See Machine."""
        super().restore(saved)
        for name, item in saved["results"].items():
            self._results[name] = Track(0, 0.0)
            self._results[name].restore(item)


class Press(Tester):
    """A hydraulic press that sets bearings into housings: force peak and depth per unit, warm oil."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        now = self.now(step)
        ends, units, ok = self.finished(step)
        warm = self.lag(step, "oil", step.shared["hall-temperature"] + np.where(now.on, 9.0, 0) + 9 * now.running, 3600)
        self.say(step, "oil-temperature", warm + 0.07 * self.white(step, "oil"))
        oil = warm[np.minimum(np.searchsorted(step.times, ends), len(warm) - 1)]
        force = (
            42 + 1.1 * self.per_unit("force", units) - 0.06 * (oil - 40) + (1 - ok) * 6 * self.per_unit("bad", units)
        )
        self.result(step, "force-peak", ends, force, 42.0, 2)
        self.result(step, "depth", ends, 18.0 + 0.02 * self.per_unit("depth", units) + 0.004 * (42 - force), 18.0, 3)
        pushing = now.running & (now.phase > 0.35) & (now.phase < 0.62)
        stroke = np.sin(np.clip((now.phase - 0.35) / 0.27, 0, 1) * np.pi)
        position = np.where(now.running, 180 * stroke, 0.0) + 0.05 * self.white(step, "ram")
        self.say(step, "ram-position", position)
        press = np.where(now.on, 38 + 0.6 * self.white(step, "idle-pressure"), 0.8 + 0.05 * self.white(step, "rest"))
        self.say(step, "oil-pressure", press + np.where(pushing, 135 * stroke**2, 0.0))
        pump = np.where(now.on, 3.1, 0.09) + np.where(now.running, 1.4, 0.0) + np.where(pushing, 7.5 * stroke, 0.0)
        power = pump * (1 + 0.015 * self.white(step, "power") + 0.01 * self.drift(step, "viscosity", 1800))
        self.draw(step, power, np.where(now.running, 0.12, 0.02))
        step.add("heat", 0.5 * power)


class Screwdriver(Tester):
    """Four screws per unit: mean torque and angle, and a count; loose fasteners scatter low and turn on."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        now = self.now(step)
        ends, units, ok = self.finished(step)
        torque, angle = self._joint(step, ends, units, ok)
        self.result(step, "torque-peak", ends, torque, 8.5, 3)
        self.result(step, "angle-peak", ends, angle, 412.0, 1)
        screws = self.memory.get("screws", 1_000_000.0) + 4.0 * np.searchsorted(ends, step.times, side="right")
        self.memory["screws"] = float(screws[-1])
        self.say(step, "screws", screws)
        turning = now.running & ((now.phase * 4) % 1 > 0.3) & (now.phase > 0.1) & (now.phase < 0.95)
        aim = self.setpoint(step, "speed-setpoint", 620.0)
        speed = np.where(turning, aim * (1 + 0.01 * self.white(step, "speed")), 0.0)
        self.say(step, "spindle-speed", speed)
        self.say(
            step,
            "motor-current",
            np.where(turning, 0.9 + aim / 620, np.where(now.on, 0.22, 0.0)) * (1 + 0.05 * self.white(step, "amps")),
        )
        bit = self.lag(step, "tool", step.shared["hall-temperature"] + np.where(now.running, 13.0, 1.5 * now.on), 1200)
        self.say(step, "tool-temperature", bit + 0.08 * self.white(step, "tool"))
        power = np.where(now.on, 0.42, 0.03) + np.where(turning, 0.75, 0.0) + 0.004 * self.white(step, "power")
        self.draw(step, power, np.where(now.running, 0.2, 0.02))

    def _joint(
        self, step: Step, ends: Int64Array, units: Int64Array, ok: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Mean torque (Nm) and angle (degrees) of units that are done at `ends`; `ok` is 1 for a good one."""
        loose = np.array([step.faults.at("loose-fasteners", self.path, end) for end in ends.tolist()])
        spread = self.per_unit("torque", units)
        slip = loose * (0.5 + 0.5 * np.abs(self.per_unit("slip", units)))
        torque = 8.5 + 0.11 * spread - 0.9 * slip - (1 - ok) * (0.7 + 0.2 * np.abs(spread))
        return torque, 412 + 9 * self.per_unit("angle", units) - 14 * spread + 95 * slip + (1 - ok) * 70

    def reached(self, step: Step, unit: int, end: int) -> tuple[float, float]:
        """The same of one unit that is in the station or has left it at `end`."""
        ends, units = np.array([end], np.int64), np.array([unit], np.int64)
        torque, angle = self._joint(step, ends, units, self.station.tracks["ok"].at(ends))
        return float(torque[0]), float(angle[0])


class LeakTester(Tester):
    """Pressure-decay test: fill, settle, measure; leak rate per unit against its limit."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        now = self.now(step)
        ends, units, ok = self.finished(step)
        rate = np.exp(0.35 * self.per_unit("rate", units)) * 0.55 + (1 - ok) * (
            2.8 + 1.5 * np.abs(self.per_unit("bad", units))
        )
        self.result(step, "leak-rate", ends, rate, 0.5, 3)
        reached = 2.0 + 0.012 * self.per_unit("pressure", units)
        self.result(step, "test-pressure", ends, reached, 2.0, 3)
        filling = np.clip((now.phase - 0.15) / 0.15, 0, 1) * np.clip((0.92 - now.phase) / 0.04, 0, 1)
        cavity = np.where(now.running, 2.0 * filling, 0.0) + 0.003 * self.white(step, "cavity")
        self.say(step, "cavity-pressure", cavity)
        part = self.lag(step, "part", step.shared["hall-temperature"] + 1.2 + 0.8 * now.running, 2400)
        self.say(step, "part-temperature", part + 0.05 * self.white(step, "part"))
        power = np.where(now.on, 0.31, 0.02) + np.where(now.running, 0.17, 0.0) + 0.003 * self.white(step, "power")
        self.draw(step, power, np.where(now.running & (filling > 0), 0.34, 0.02))


class Conveyor(Machine):
    """Carries units between the stations of a line: runs while any of them has power, loaded by what is on it."""

    def __init__(self, path: str, line: Line, seed: int) -> None:
        super().__init__(path, seed)
        self.line = line

    def advance(self, step: Step) -> None:
        """See Machine."""
        states = [station.tracks["state"].at(step.times) for station in self.line.stations]
        on = np.any([state > 1 for state in states], axis=0)
        flow = np.mean([state == 2 for state in states], axis=0)
        speed = self.lag(step, "speed", np.where(on, 12.0, 0.0), 3.0, 0.0) * (1 + 0.004 * self.white(step, "speed"))
        self.say(step, "state", np.where(on, 2.0, 0.0))
        self.say(step, "speed", speed)
        turn = speed / 12
        current = turn * (1.6 + 0.9 * flow + 0.12 * self.drift(step, "belt", 240)) + 0.02 * np.abs(
            self.white(step, "amps")
        )
        self.say(step, "motor/current", current)
        power = 0.05 + 0.46 * current
        self.say(step, "power", power)
        warm = self.lag(step, "motor", step.shared["hall-temperature"] + 26 * turn * (0.6 + 0.4 * flow), 1500)
        self.say(step, "motor/temperature", warm + 0.1 * self.white(step, "motor"))
        shake = np.exp(0.12 * self.white(step, "shake") + 0.08 * self.drift(step, "belt-run", 1200))
        self.say(step, "motor/vibration", (0.05 + turn * (0.75 + 0.25 * flow)) * shake)
        self.say(
            step, "running-hours", self.total(step, "running-hours", turn / 3600, self.constant("hours", 8e3, 2e4))
        )
        step.add(f"{self.line.path}/kw", power)
