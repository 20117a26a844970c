"""Faults: what can go wrong in the simulated factory, since when, and how hard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from lineshaft.errors import ConfigError
from lineshaft.model.samples import Float64Array, Int64Array

Target = Literal["asset", "signal", "device"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One thing that can go wrong. `types` are the asset types that it can hit; empty with target signal or device."""

    id: str
    title: str
    description: str
    types: tuple[str, ...] = ()
    target: Target = "asset"
    ramp_s: float = 30.0  # time until it is fully there
    severity: float = 1.0  # when none is given


CATALOGUE: tuple[FaultKind, ...] = (
    FaultKind(
        "bearing-wear",
        "Bearing wear",
        "Vibration, acceleration and bearing temperature rise, and a little more power is drawn.",
        ("pump", "cnc"),
        ramp_s=120,
    ),
    FaultKind("coolant-leak", "Coolant leak", "The coolant level falls, flow and pressure drop.", ("cnc",), ramp_s=60),
    FaultKind(
        "coolant-blocked", "Coolant blocked", "Pressure up, flow down, the spindle gets warmer.", ("cnc",), ramp_s=60
    ),
    FaultKind(
        "air-leak",
        "Compressed-air leak",
        "Air is lost at a line: the flow, the load hours and the compressors' energy rise, at night as well.",
        ("line", "receiver"),
        ramp_s=20,
    ),
    FaultKind(
        "cavitation",
        "Cavitation",
        "The pump's suction pressure and flow fall and shake, acceleration rises.",
        ("pump",),
    ),
    FaultKind(
        "loose-fasteners",
        "Loose fasteners",
        "Torque peaks scatter low, angles high; units fail at the station and later in the leak test.",
        ("screwdriver",),
        ramp_s=1,
    ),
    FaultKind(
        "tool-wear",
        "Tool wear",
        "Spindle load, power and vibration rise, cycles get longer, more parts are bad.",
        ("cnc",),
        ramp_s=60,
    ),
    FaultKind(
        "idle-overnight",
        "Idles with power on",
        "The machine is not switched off when nobody works: it draws idle power.",
        ("cnc", "press"),
        ramp_s=1,
    ),
    FaultKind("stuck-sensor", "Stuck sensor", "The signal keeps the value that it had.", (), "signal", ramp_s=0),
    FaultKind("sensor-noise", "Sensor noise", "The signal shakes by 10 % of its range.", (), "signal", ramp_s=0),
    FaultKind(
        "offline", "Device offline", "The device stops answering until the fault is taken back.", (), "device", 0
    ),
    FaultKind(
        "restart", "Server restart", "The device's server goes away for ten seconds and comes back.", (), "device", 0
    ),
    FaultKind(
        "clock-wrong",
        "Clock wrong",
        "The source timestamps of the machine are off by severity times one hour.",
        (),
        "device",
        0,
    ),
)
KINDS: Mapping[str, FaultKind] = {kind.id: kind for kind in CATALOGUE}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was injected. `asset` is a path below the site, or a device id; `end` is None while it lasts."""

    id: int
    kind: str
    asset: str
    severity: float
    start: int  # UTC microseconds
    end: int | None = None


class Faults:
    """Injected faults, those that were taken back included until nobody looks at their time any more."""

    def __init__(self, targets: Mapping[str, Sequence[str]]) -> None:
        """`targets`: fault kind -> what it may hit, made from the plant by `targets_of`."""
        self._targets = targets
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return (fault for fault in self._faults if fault.end is None)

    def targets(self, kind: str) -> Sequence[str]:
        """What a fault of this kind can hit."""
        return self._targets.get(kind, ())

    def inject(self, kind: str, asset: str, time: int, severity: float | None = None) -> Fault:
        """Let a fault begin at `time`. Raises ConfigError for an unknown kind, target or a severity outside 0..5."""
        if kind not in KINDS:
            raise ConfigError(f"unknown fault '{kind}'", hint=f"known: {', '.join(KINDS)}")
        if asset not in self.targets(kind):
            raise ConfigError(f"'{kind}' cannot hit '{asset}'", hint=f"it can hit: {', '.join(self.targets(kind))}")
        strength = KINDS[kind].severity if severity is None else severity
        if not 0 < strength <= 5:
            raise ConfigError(f"severity {strength} is not in 0..5")
        fault = Fault(next(self._ids), kind, asset, strength, time)
        self._faults.append(fault)
        return fault

    def take_back(self, fault_id: int, time: int) -> Fault:
        """Let a fault end at `time`. Raises ConfigError when there is none with this id."""
        for index, fault in enumerate(self._faults):
            if fault.id == fault_id and fault.end is None:
                self._faults[index] = Fault(fault.id, fault.kind, fault.asset, fault.severity, fault.start, time)
                return self._faults[index]
        raise ConfigError(f"no active fault {fault_id}")

    def severity(self, kind: str, asset: str, times: Int64Array) -> Float64Array | float:
        """float64[n]: how hard `asset` is hit at each instant, ramped in; the plain number 0.0 when not at all."""
        total: Float64Array | float = 0.0
        for fault in self._faults:
            if fault.kind == kind and fault.asset == asset:
                ramp = max(KINDS[kind].ramp_s, 1e-6) * 1e6
                part = np.clip((times - fault.start) / ramp, 0.0, 1.0) * fault.severity
                total = total + (part if fault.end is None else np.where(times >= fault.end, 0.0, part))
        return total

    def at(self, kind: str, asset: str, time: int) -> float:
        """The severity at one instant."""
        if not self._faults:
            return 0.0
        return float(np.max(self.severity(kind, asset, np.array([time], np.int64))))

    def forget_before(self, time: int) -> None:
        """Drop faults that ended before `time`."""
        self._faults = [fault for fault in self._faults if fault.end is None or fault.end > time]

    def snapshot(self) -> list[dict[str, Any]]:
        """As JSON values."""
        return [asdict(fault) for fault in self._faults]

    def restore(self, saved: Sequence[Mapping[str, Any]]) -> None:
        """From `snapshot`."""
        self._faults = [Fault(**item) for item in saved]
        self._ids = itertools.count(1 + max((fault.id for fault in self._faults), default=0))
