"""Vibration sensors: the machine and bearing behind a waveform, as a plant file says it."""

from __future__ import annotations

from typing import Self

from pydantic import field_validator, model_validator

from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration


class VibrationSensorConfig(Section):
    """A vibration sensor: the machine and bearing behind a waveform, and how its bursts are judged at the gateway."""

    signal: str = key(..., "Path of the waveform below the site.")
    machine: str = key("", "Template of the machine, like pump, fan, motor or spindle; it gives usual zones.")
    bearing: str = key("", "Bearing of the library; that of the asset's data sheet when nothing is said here.")
    geometry: tuple[float, ...] | None = key(
        None, "[elements, element diameter, pitch diameter, contact angle in degrees] of any other bearing."
    )
    orders: tuple[float, float, float, float] | None = key(
        None, "[BPFO, BPFI, BSF, FTF] of any other bearing, as multiples of the shaft's speed."
    )
    speed: float | None = key(None, "Speed of the shaft, where it is fixed; wins over that of the waveform.", gt=0)
    speed_of: str = key("", "Path below the site of the signal that is the speed of the shaft in 1/min.")
    speed_range: tuple[float, float] | None = key(
        None, "[low, high] in 1/min: where nothing tells the speed, it is looked for in the vibration."
    )
    unit: str = key("", "Unit that the sensor gives; wins over that of the signal.")
    zones: str = key("", "Group and support of the severity zones, like '2: 15 to 300 kW, rigid'.")
    boundaries: tuple[float, float, float] | None = key(
        None, "Own zone boundaries A/B, B/C, C/D of the velocity, in place of `zones`.", unit="mm/s"
    )
    edition: str = key("", "Where the own boundaries come from: standard and edition, or who agreed on them.")
    teeth: int | None = key(None, "Teeth of the gear on this shaft.", ge=3)
    mains: float | None = key(None, "Frequency of the supply, for motors.", unit="Hz", gt=0)
    poles: int | None = key(None, "Poles of the motor; with `mains`, a waveform of its current can be judged.", ge=2)
    vanes: int | None = key(None, "Vanes of the pump's impeller; those of the asset's data sheet when absent.", ge=2)
    diagnose: bool = key(True, "False: the gateway computes features only; the hub still judges on request.")
    interval: Duration = key(60.0, "At most one burst in this time is judged.", unit="s", gt=0)
    confirm: int = key(2, "So many judged bursts in a row must show a fault before it is told.", ge=1, le=100)

    @field_validator("geometry")
    @classmethod
    def _geometry(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None:
            geometry_of(value)
        return value

    @field_validator("orders")
    @classmethod
    def _orders(cls, value: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
        if value is not None:
            FaultOrders(*value)
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sum((bool(self.bearing), self.geometry is not None, self.orders is not None)) > 1:
            raise ValueError("give one of bearing, geometry and orders")
        if self.boundaries is not None and not 0 < self.boundaries[0] < self.boundaries[1] < self.boundaries[2]:
            raise ValueError("boundaries ascend from above 0: A/B, B/C, C/D in mm/s")
        if self.edition and self.boundaries is None:
            raise ValueError("edition says where own boundaries come from; give boundaries, or zones alone")
        if sum((self.speed is not None, bool(self.speed_of), self.speed_range is not None)) > 1:
            raise ValueError("give one of speed, speed_of and speed_range")
        if self.speed_range is not None and not 0 < self.speed_range[0] < self.speed_range[1]:
            raise ValueError("speed_range must ascend from above 0")
        return self


def geometry_of(values: tuple[float, ...]) -> Geometry:
    """Geometry of (elements, element diameter, pitch diameter[, angle]). Raises ValueError."""
    if len(values) not in (3, 4) or values[0] != int(values[0]):
        raise ValueError("a geometry is [elements, element diameter, pitch diameter, contact angle]")
    return Geometry(int(values[0]), *values[1:])
