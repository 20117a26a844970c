"""Weather, the hall, the cooling water with its two pumps, and the boiler."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array
from lineshaft.simulator.machines.base import Machine, Step, Value
from lineshaft.simulator.worktime import WorkTime, any_open

_DAY_US = 86_400e6
OPTIMISED = 1.0
"""`flux-mode` of a pump's drive: 0 holds the flux, 1 lowers it with the load."""
_MAGNETISING = 0.45  # kW that constant flux costs an 11 kW motor that hardly turns: four per cent of its rating


class Weather(Machine):
    """Outdoor temperature: season, time of day, and the weather of the week; and the hall that follows."""

    def __init__(self, path: str, seed: int, parts: Sequence[WorkTime]) -> None:
        super().__init__(path, seed)
        self._parts = parts

    def advance(self, step: Step) -> None:
        """See Machine."""
        days = step.times / _DAY_US
        season = 10.5 - 9.0 * np.cos(2 * np.pi * (days % 365.2425 - 15) / 365.2425)
        clear = 1 + 0.45 * self.drift(step, "clouds", 86_400)
        daily = -4.2 * clear * np.cos(2 * np.pi * (days % 1 - 0.10))
        front = 3.2 * self.drift(step, "front", 4 * 86_400) + 0.7 * self.drift(step, "gust", 2700)
        outdoor = season + daily + front
        step.shared["outdoor"], step.shared["clear"] = outdoor, clear - 1
        step.shared["hall-temperature"] = self._hall(step, outdoor)

    def _hall(self, step: Step, outdoor: Float64Array) -> Float64Array:
        heated = np.maximum(19.0, 0.55 * outdoor + 11)  # heating keeps 19; in summer the hall follows the day
        machines = 2.6 * any_open(step.times, self._parts)
        return self.lag(step, "hall", heated + machines, 5400) + 0.25 * self.drift(step, "gates", 500)


class CoolingWater(Machine):
    """The closed cooling loop: heat in from the machines, out through the tower; holds its pressure by pump speed."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        heat = self.lag(step, "heat", step.get("heat") + step.get("compressor-heat"), 240)
        want = 16 + 0.62 * np.minimum(heat, 120) + 2.0 * self.drift(step, "valves", 700)  # m3/h
        step.shared["cooling-share"] = np.clip(self.lag(step, "share", want / 100, 45), 0.12, 1.0)
        step.shared["cooling-heat"] = heat
        aim = self.setpoint(step, "supply-setpoint", 17.0)  # the tower cannot go below what the weather lets it
        supply = self.lag(step, "supply", np.maximum(aim, 8 + 0.55 * step.shared["outdoor"]) + 0.03 * heat, 2400)
        supply = supply + 0.08 * self.white(step, "supply")
        flow = 100 * step.shared["cooling-share"]
        self.say(step, "supply-temperature", supply)
        self.say(
            step, "return-temperature", supply + 0.86 * heat / np.maximum(flow, 5) + 0.06 * self.white(step, "return")
        )


@dataclass(frozen=True, slots=True)
class Wear:
    """A defect on the driven-end bearing of a pump.

    onset  days after the begin of the story    pace  days in which it grows by a factor e
    repaired  (from, to) in UTC microseconds: the pump stands, the bearing is changed; None: nobody has done it
    """

    onset: float
    pace: float
    repaired: tuple[int, int] | None = None

    def defect(self, times: Int64Array, begin: int) -> Float64Array:
        """0 healthy, 1 bad: grows slowly, then fast, and levels out where somebody would have stopped it."""
        age = np.maximum((times - begin) / _DAY_US - self.onset, 0.0)
        grown = 0.06 * np.expm1(age / self.pace)
        size: Float64Array = grown / (1 + grown / 1.6)
        return size if self.repaired is None else np.where(times < self.repaired[0], size, 0.0)

    def standing(self, times: Int64Array) -> NDArray[np.bool_]:
        """bool[n]: whether the pump stands for the repair."""
        begin, end = self.repaired or (0, 0)
        return (times >= begin) & (times < end)


class Pump(Machine):
    """A centrifugal pump on a drive: head and power by the affinity laws, motor heat, two bearings that wear."""

    def __init__(self, path: str, seed: int, share: float, wear: Wear | None = None, optimised: bool = True) -> None:
        """share: part of the flow that it carries. wear: None for a healthy pump. optimised: whether its drive lowers
        the motor's flux at part load; one that was left at constant flux magnetises the motor for nothing."""
        super().__init__(path, seed)
        self._share = share
        self._wear = wear
        self._optimised = optimised

    def advance(self, step: Step) -> None:
        """See Machine."""
        cavitation = step.faults.severity("cavitation", self.path, step.times)
        renewed = self._renewed(step)
        wear = step.faults.severity("bearing-wear", self.path, step.times)
        defect = wear + (0.0 if self._wear is None or renewed else self._wear.defect(step.times, step.begin))
        turns = 1.0 if self._wear is None else np.where(self._wear.standing(step.times), 0.0, 1.0)
        share = step.shared["cooling-share"] * turns
        frequency = turns * (
            50 * np.clip(0.42 + 0.58 * share * self._share * 2, 0.42, 1.0) + 0.06 * self.white(step, "frequency")
        )
        turn = frequency / 50
        speed = 2930 * turn * (1 - 0.002 * self.white(step, "slip") ** 2)
        weak = np.clip(1 - 0.35 * cavitation, 0.2, 1)
        shaky = 1 + 0.25 * np.minimum(cavitation, 2) * np.abs(self.white(step, "bubbles"))
        flow = 100 * share * self._share * weak / shaky * (1 + 0.012 * self.white(step, "flow"))
        suction = 1.35 - 0.25 * turn**2 - 0.55 * cavitation * shaky + 0.02 * self.drift(step, "basin", 1500)
        self.say(step, "suction-pressure", suction + 0.008 * self.white(step, "suction"))
        head = 3.9 * turn**2 - 0.9 * (flow / 60) ** 2
        self.say(step, "discharge-pressure", (suction + head * weak) + 0.02 * self.white(step, "discharge"))
        self.say(step, "flow", flow)
        hydraulic = flow / 3600 * head * weak * 100  # kW
        losses = 0.35 + 1.9 * turn**3 + 0.12 * defect * turn + 0.02 * self.white(step, "power")
        optimised = self.setpoint(step, "motor/flux-mode", float(self._optimised)) == OPTIMISED
        iron = 0.0 if optimised else _MAGNETISING * (1 - turn**2)  # kW
        power = hydraulic / 0.68 + turns * (losses + iron)
        self.say(step, "state", 2.0 * turns)
        self._motor(step, power, frequency, speed)
        self._bearings(step, turn, step.full(defect), cavitation * turns, power)
        self._hours(step, turns)

    def _renewed(self, step: Step) -> bool:
        """Whether somebody has set back the drive's service hours: who does that has changed the bearing before."""
        if self.reset(step, "service-hours"):
            self.memory["renewed"] = float(step.before)
            self.memory["served"] = math.inf  # at the hours that this step ends with
            for fault in [one for one in step.faults if (one.kind, one.asset) == ("bearing-wear", self.path)]:
                step.faults.take_back(fault.id, step.before)
        return "renewed" in self.memory

    def _hours(self, step: Step, turns: Value) -> None:
        """The drive's counters: hours turning in its life, and since the last service."""
        start = self.constant("hours", 9e3, 3e4)
        hours = self.total(step, "running-hours", turns / 3600, start)
        self.say(step, "running-hours", hours)
        if self.memory.get("served") == math.inf:
            self.memory["served"] = float(hours[-1])
        served = step.full(self.memory.get("served", start - self.constant("service", 4e3, 8e3)))
        if self._wear is not None and self._wear.repaired is not None and "renewed" not in self.memory:
            done = np.flatnonzero(step.times >= self._wear.repaired[1])
            if len(done) and step.before < self._wear.repaired[1]:
                self.memory["served"] = float(hours[done[0]])
                served = np.where(step.times >= self._wear.repaired[1], self.memory["served"], served)
        self.say(step, "service-hours", np.maximum(hours - served, 0.0))

    def _motor(self, step: Step, power: Float64Array, frequency: Float64Array, speed: Float64Array) -> None:
        self.say(step, "power", power)
        self.say(step, "energy", self.energy(step, power, self.constant("kwh", 60e3, 140e3)))
        self.say(step, "motor/frequency", frequency)
        self.say(step, "motor/speed", speed)
        amps = 4.2 + 1.62 * power + 0.05 * self.white(step, "amps")
        self.say(step, "motor/current", np.where(speed > 0, amps, 0.0))
        self.say(step, "motor/torque", np.clip(power * 9549 / np.maximum(speed, 100) / 49 * 100, 0, 200))
        warm = self.lag(step, "winding", step.shared["hall-temperature"] + 6 + 4.1 * power, 2100)
        self.say(step, "motor/temperature", warm + 0.1 * self.white(step, "winding"))
        step.add("cooling/kw", power)

    def _bearings(
        self, step: Step, turn: Float64Array, defect: Float64Array, cavitation: Value, power: Float64Array
    ) -> None:
        hall = step.shared["hall-temperature"]
        age = self.constant("age", 0.9, 1.3)
        for end, hit, base in (("bearing-de", 1.0, 1.0), ("bearing-nde", 0.22, 0.8)):
            bad = hit * defect
            beat = 1 + 0.25 * np.minimum(bad, 1.5) * self.drift(step, f"{end}-beat", 400)  # a defect comes and goes
            shake = np.exp(0.07 * self.white(step, f"{end}-v") + 0.05 * self.drift(step, f"{end}-base", 5400))
            velocity = (base * age * (0.25 + 1.05 * turn**2) + 5.6 * bad * turn * beat + 0.9 * cavitation) * shake
            self.say(step, f"{end}/vibration", np.maximum(velocity, 0.05))
            self.vibrates(step, end, step.values[f"{self.path}/motor/speed"], 0.25 + 1.05 * turn**2, bad * beat)
            sharp = np.exp(0.12 * self.white(step, f"{end}-a"))
            peak = (base * (0.8 + 2.4 * turn**2) + 21 * bad**0.8 * turn * beat + 9 * cavitation) * sharp
            self.say(step, f"{end}/acceleration", np.maximum(peak, 0.1))
            rise = base * (9 + 13 * turn**2) + 17 * bad + 0.3 * power
            warm = self.lag(step, f"{end}-temperature", hall + rise, 2700)
            self.say(step, f"{end}/temperature", warm + 0.12 * self.white(step, f"{end}-t"))


class Boiler(Machine):
    """Hot water for heating and part washing: burner follows outdoor temperature and shifts; gas follows the burner."""

    def __init__(self, path: str, seed: int, work: WorkTime) -> None:
        super().__init__(path, seed)
        self._work = work

    def advance(self, step: Step) -> None:
        """See Machine."""
        outdoor, open_now = step.shared["outdoor"], self._work.open_at(step.times)
        heating = np.maximum(0.0, 17.5 - outdoor) * np.where(open_now, 4.6, 3.4)
        washing = np.where(open_now, 24 + 7 * self.drift(step, "washer", 900), 0.0)
        demand = self.lag(step, "demand", heating + np.maximum(washing, 0.0) + 3.5, 900)  # kW
        duty = self._burner(step, demand)
        self.say(step, "state", (duty > 0.02).astype(np.float64))
        self.say(step, "modulation", 100 * duty)
        aim = np.clip(72 - 0.9 * outdoor, 52, 78) + 2.2 * (duty > 0.02) + 0.4 * self.drift(step, "mix", 300)
        supply = self.lag(step, "supply", aim, 420)
        self.say(step, "supply-temperature", supply + 0.08 * self.white(step, "supply"))
        self.say(step, "return-temperature", supply - 3 - 0.085 * demand + 0.08 * self.white(step, "return"))
        flue = self.lag(step, "flue", np.where(duty > 0.02, 62 + 55 * duty, 34.0), 240)
        self.say(step, "flue-temperature", flue + 0.3 * self.white(step, "flue"))
        self.say(step, "water-pressure", 1.72 + 0.006 * (supply - 60) + 0.004 * self.white(step, "pressure"))
        self.say(step, "heat-power", 200 * duty * (1 + 0.01 * self.white(step, "heat")))
        self.say(step, "outdoor-temperature", outdoor + 0.06 * self.white(step, "outdoor"))
        hours = self.total(step, "burner-hours", (duty > 0.02) / 3600, self.constant("hours", 1.2e4, 3e4))
        self.say(step, "burner-hours", hours)
        step.shared["gas"] = 200 * duty / 0.92 / 10.4  # m3/h
        step.add("heating/kw", 0.32 + 0.5 * (duty > 0.02) + 0.4 * duty)

    def _burner(self, step: Step, demand: Float64Array) -> Float64Array:
        """Modulates from 20 % up; below that it switches on and off through the water's heat store."""
        duty = np.empty(len(demand))
        store, on = self.memory.get("store", 0.0), self.memory.get("on", 0.0) > 0
        for i, (want, dt) in enumerate(zip((demand / 200).tolist(), step.seconds.tolist(), strict=True)):
            if want >= 0.2:
                on, store, duty[i] = True, 0.0, min(want, 1.0)
                continue
            store += ((0.2 if on else 0.0) - want) * dt
            if store > 60:
                on = False
            elif store < -30:
                on = True
            duty[i] = 0.2 if on else 0.0
        self.memory["store"], self.memory["on"] = store, float(on)
        return duty
