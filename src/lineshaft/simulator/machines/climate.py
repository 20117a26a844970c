"""Weather station, the air of the halls, the coolant supply, and a bench on which pumps run for weeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lineshaft.model.samples import Float64Array
from lineshaft.simulator.machines.base import Machine, Step
from lineshaft.simulator.worktime import WorkTime, any_open

_DAY_US: Final = 86_400e6
_LATITUDE, _LONGITUDE = np.radians(50.1), 8.3 / 360.0


def _relative_humidity(dew_point: Float64Array, temperature: Float64Array) -> Float64Array:
    """Percent, from temperatures in degrees Celsius (Magnus formula over water, WMO-No. 8)."""

    def pressure(t: Float64Array) -> Float64Array:
        return 6.112 * np.exp(17.62 * t / (243.12 + t))

    return np.asarray(np.clip(100 * pressure(dew_point) / pressure(temperature), 8.0, 100.0))


def _sun_height(step: Step) -> Float64Array:
    """Sine of the sun's height over the works; below zero at night."""
    days = step.times / _DAY_US
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (days % 365.2425 + 10) / 365.2425)
    hour = 2 * np.pi * (days % 1 + _LONGITUDE - 0.5)
    return np.asarray(np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(declination) * np.cos(hour))


class WeatherStation(Machine):
    """On the roof: temperature, humidity, wind, sun and air pressure. Tells the halls the dew point."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        outdoor = step.shared["outdoor"]
        dew = self.lag(step, "dew", outdoor, 43_200) - 4.5 + 1.2 * self.drift(step, "air-mass", 2 * 86_400)
        step.shared["dew-point"] = dew
        self.say(step, "temperature", outdoor + 0.08 * self.white(step, "temperature"))
        self.say(step, "humidity", _relative_humidity(dew, outdoor) - 0.6 * np.abs(self.white(step, "humidity")))
        wind = 2.8 + 1.5 * self.drift(step, "wind", 7200) + 0.8 * self.drift(step, "gust", 20)
        self.say(step, "wind-speed", np.maximum(wind, 0.0) + 0.05 * np.abs(self.white(step, "vane")))
        clouds = np.clip(0.55 + 0.3 * step.shared["clear"] + 0.25 * self.drift(step, "cloud", 600), 0.08, 1.0)
        sun = 980 * np.maximum(_sun_height(step), 0.0) * clouds
        self.say(step, "irradiance", np.maximum(sun * (1 + 0.01 * self.white(step, "sun")), 0.0))
        self.say(
            step, "air-pressure", 1014 + 7 * self.drift(step, "front", 3 * 86_400) + 0.05 * self.white(step, "hpa")
        )


class HallAir(Machine):
    """A radio sensor on a column of a hall: warmer and drier than outside, with what people breathe out."""

    def __init__(self, path: str, seed: int, parts: Sequence[WorkTime], warmer: float) -> None:
        """warmer: degrees above the mean of the halls while people work there."""
        super().__init__(path, seed)
        self._parts, self._warmer = parts, warmer

    def advance(self, step: Step) -> None:
        """See Machine."""
        busy = self.lag(step, "busy", any_open(step.times, self._parts).astype(np.float64), 1800)
        warm = step.shared["hall-temperature"] + self._warmer * (0.3 + busy) + 0.3 * self.drift(step, "draught", 240)
        self.say(step, "temperature", warm + 0.04 * self.white(step, "temperature"))
        wet = step.shared["dew-point"] + 2.5 * busy
        self.say(step, "humidity", _relative_humidity(wet, warm) + 0.2 * self.white(step, "humidity"))
        people = 420 + 480 * busy + 40 * self.drift(step, "people", 1500)
        self.say(step, "co2", np.maximum(people + 4 * self.white(step, "co2"), 390.0))
        day = (step.times - step.begin) / _DAY_US
        self.say(step, "battery", 3.05 - 0.0009 * day + 0.02 * self.white(step, "battery"))


class CoolantSupply(Machine):
    """Mixes coolant for the machining centres: the tank falls with what they lose and is filled up again."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        cutting = step.get("heat") / 60  # the more the machines work, the more coolant leaves with the chips
        drawn = np.maximum(0.012 * cutting + 0.004 * (1 + self.drift(step, "hoses", 300)), 0.0)  # litres a second
        litres = self.total(step, "drawn", drawn, self.constant("drawn", 2e5, 6e5))
        self.say(step, "mixed", litres)
        level = 88 - (litres % 700) / 12
        self.say(step, "level", level + 0.1 * self.white(step, "level"))
        fresh = (litres % 700) / 700
        strength = 7.4 - 0.5 * fresh + 0.25 * self.drift(step, "water", 5400) + 0.02 * self.white(step, "brix")
        self.say(step, "concentration", strength)
        base = self.lag(step, "tank", step.shared["hall-temperature"] - 1.5, 20_000)
        self.say(step, "temperature", base + 0.4 * fresh + 0.05 * self.white(step, "temperature"))
        step.shared["coolant-drawn"] = drawn  # L/s
        step.shared["coolant-temperature"] = base


class CoolantDelivery(Machine):
    """A flow meter with IO-Link between the mixer and the machining centres, and the master that it hangs on."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        flow = np.maximum(step.shared["coolant-drawn"] * 60 * (1 + 0.01 * self.white(step, "flow")), 0.0)  # L/min
        self.say(step, "flow", flow)
        self.say(step, "volume", self.total(step, "volume", flow / 60, self.constant("volume", 2e4, 9e4)))
        self.say(step, "temperature", step.shared["coolant-temperature"] + 0.3 + 0.04 * self.white(step, "temperature"))
        self.say(step, "port-1-state", 2.0)  # operate
        load = 14 + 3 * self.drift(step, "ports", 5400)  # what its ports feed, in kelvin
        self.say(step, "master-temperature", self.lag(step, "master", step.shared["hall-temperature"] + load, 1800))


class EnduranceBench(Machine):
    """A pump that runs in cycles for weeks: a valve opens and closes, and the pump follows its curve."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        cycle = step.times / 1e6 % 240 / 240
        opening = np.clip(0.18 + 0.9 * np.sin(np.pi * cycle) ** 2, 0.0, 1.0) + 0.01 * self.drift(step, "valve", 60)
        flow = 6.2 * opening / (0.55 + 0.45 * opening)
        pressure = 2.35 - 0.031 * flow**2
        self.say(step, "flow", np.maximum(flow + 0.02 * self.white(step, "flow"), 0.0))
        self.say(step, "pressure", pressure + 0.008 * self.white(step, "pressure"))
        power = 0.24 + flow / 36 * pressure / 0.52
        self.say(step, "power", power + 0.003 * self.white(step, "power"))
        warm = self.lag(step, "water", step.shared["hall-temperature"] + 14 + 8 * power, 3600)
        self.say(step, "water-temperature", warm + 0.05 * self.white(step, "water"))
        age = (step.times - step.begin) / (30 * _DAY_US)  # a seal and two bearings that run in, then wear
        shake = np.exp(0.08 * self.white(step, "shake")) * (0.55 + 0.12 * flow / 6 + 0.2 * np.minimum(age, 3.0))
        self.say(step, "vibration", shake)
        self.say(step, "cycles", self.total(step, "cycles", 1 / 240, self.constant("cycles", 4e4, 9e4)))
