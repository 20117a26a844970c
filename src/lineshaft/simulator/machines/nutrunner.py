"""Screws one by one: what a tightening controller measures while a station screws units together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.simulator.machines.assembly import Screwdriver
from lineshaft.simulator.machines.base import Machine, Step
from lineshaft.simulator.noise import white
from lineshaft.simulator.tracks import Track

_SECOND: Final = 1_000_000
_RIG_US: Final = 40 * _SECOND
"""From one tightening on the test rig to the next."""


@dataclass(frozen=True, slots=True)
class Joint:
    """What is screwed: torques in Nm, angles in degrees from snug."""

    name: str
    screws: int
    torque: float
    torque_min: float
    torque_max: float
    angle: float
    angle_min: float
    angle_max: float


@dataclass(frozen=True, slots=True)
class Screw:
    """One tightening: when it ended (UTC microseconds, a whole second), its unit, and what was reached."""

    time: int
    serial: str
    number: int  # 1, 2, ... within the unit
    torque: float
    angle: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One unit at the station: when it began (UTC microseconds), how long it takes (microseconds), and which it is."""

    start: int
    length: float
    unit: int
    serial: str


SCREW_302: Final = "assembly/line-3/screw-302/nutrunner"
TOOL_RIG: Final = "assembly/test-bay/tool-rig-1"
JOINTS: Final[Mapping[str, Joint]] = {
    SCREW_302: Joint("M6 housing", 4, 8.5, 7.5, 9.5, 412, 350, 480),
    TOOL_RIG: Joint("M10 test joint", 12, 24.0, 22.0, 26.0, 75, 55, 95),
}
"""Path of the nutrunner -> what it screws."""


class Nutrunner(Machine):
    """The tool of a tightening controller. A result holds from the end of its tightening to the next one."""

    def __init__(self, path: str, seed: int) -> None:
        super().__init__(path, seed)
        self._joint = JOINTS[path]
        self._tracks: dict[str, Track] = {}

    def screws(self, step: Step) -> Iterable[Screw]:
        """The screws of a step in the order of their times."""
        raise NotImplementedError

    def of_screw(self, name: str, number: int) -> float:
        """Noise that belongs to a screw: mean 0, variance 1."""
        return float(white(self._key(name), np.array([number], np.int64))[0])

    def advance(self, step: Step) -> None:
        """See Machine."""
        joint = self._joint
        if not self._tracks:
            begin: dict[str, float | str] = {
                "torque": joint.torque, "angle": joint.angle, "verdict": "OK", "torque-verdict": "OK",
                "angle-verdict": "OK", "serial": "", "screw": float(joint.screws),
                "tightenings": float(round(self.constant("tightenings", 2e5, 9e5))),
            }  # fmt: skip
            self._tracks = {name: Track(step.begin, value) for name, value in begin.items()}
        for track in self._tracks.values():
            track.forget_before(step.before)
        for screw in self.screws(step):
            torque, angle = round(screw.torque, 2), float(round(screw.angle))
            judged = (
                _judged(torque, joint.torque_min, joint.torque_max),
                _judged(angle, joint.angle_min, joint.angle_max),
            )
            told: dict[str, float | str] = {
                "torque": torque, "angle": angle, "verdict": "OK" if judged == ("OK", "OK") else "NOK",
                "torque-verdict": judged[0], "angle-verdict": judged[1], "serial": screw.serial,
                "screw": float(screw.number), "tightenings": self._tracks["tightenings"].last + 1.0,
            }  # fmt: skip
            for name, value in told.items():
                self._tracks[name].add(screw.time, value)
        for name, track in self._tracks.items():
            step.tracks[f"{self.path}/{name}"] = track

    def snapshot(self) -> dict[str, Any]:
        """See Machine."""
        return super().snapshot() | {"tracks": {name: track.snapshot() for name, track in self._tracks.items()}}

    def restore(self, saved: dict[str, Any]) -> None:
        """See Machine."""
        super().restore(saved)
        for name, item in saved["tracks"].items():
            self._tracks[name] = Track(0, 0.0)
            self._tracks[name].restore(item)


class StationNutrunner(Nutrunner):
    """The four screws of each unit at a screwdriving station; their mean is what the station tells of the unit."""

    def __init__(self, path: str, seed: int, station: Screwdriver) -> None:
        super().__init__(path, seed)
        self._station = station

    def _cycles(self, step: Step) -> Iterator[Cycle]:
        """The cycles of the station that can have screws in a step."""
        tracks = self._station.station.tracks
        begun = tracks["start"].changes(step.before, int(step.times[-1]))[0].tolist()
        for start in (tracks["start"].since(step.before), *begun):
            unit = int(tracks["unit"].value_at(start))
            if unit:  # before the first one nothing was made
                yield Cycle(start, float(tracks["cycle"].value_at(start)), unit, tracks["serial"].value_at(start))

    def screws(self, step: Step) -> Iterable[Screw]:
        """See Nutrunner."""
        for cycle in self._cycles(step):
            torque, angle = self._station.reached(step, cycle.unit, cycle.start + round(cycle.length))
            apart = [self.of_screw("screw", 4 * cycle.unit + number) for number in range(4)]
            mean = sum(apart) / 4
            for number, own in enumerate(apart):
                time = _whole_second(cycle.start + cycle.length * (0.12 + 0.21 * (number + 1)))
                if step.before < time <= step.times[-1]:
                    reached = torque + 0.06 * (own - mean), angle - 8 * (own - mean)
                    yield Screw(time, cycle.serial, number + 1, *reached)


class RigNutrunner(Nutrunner):
    """A tool on a test rig, which tightens one joint of a plate after another, day and night."""

    def advance(self, step: Step) -> None:
        """See Machine."""
        super().advance(step)
        step.tracks[f"{self.path}/joint"] = step.tracks[f"{self.path}/serial"]

    def screws(self, step: Step) -> Iterable[Screw]:
        """See Nutrunner."""
        joint = self._joint
        for number in range(step.before // _RIG_US + 1, int(step.times[-1]) // _RIG_US + 1):
            spread, rest = self.of_screw("angle", number), self.of_screw("torque", number)
            crossed = 30.0 if spread > 2.3 else 0.0  # degrees that a nut which is not straight seizes early
            angle = joint.angle + 4.0 * spread - 4.0 * rest - crossed
            place = number % joint.screws + 1
            yield Screw(number * _RIG_US, f"{place:04d}", place, joint.torque + 0.35 * rest, angle)


def _judged(value: float, low: float, high: float) -> str:
    return "LOW" if value < low else "HIGH" if value > high else "OK"


def _whole_second(time: float) -> int:
    """A controller tells its times in seconds."""
    return round(time / _SECOND) * _SECOND
