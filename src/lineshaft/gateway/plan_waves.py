"""The part of the plan that is about waveforms: what is read, what is computed of it, and what is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from lineshaft.config import units
from lineshaft.config.models import DeviceConfig, SeriesConfig, SignalConfig
from lineshaft.config.vibration import VibrationSensorConfig
from lineshaft.config.vibration_sheet import read_sheet, sheet_lines
from lineshaft.config.waveforms import ACCELERATION, VELOCITY, WaveformConfig, feature_signals, quantity
from lineshaft.drivers.base import WavePoint
from lineshaft.gateway.plan_steps import US, conversion
from lineshaft.gateway.steps.bursts import Burst, BurstFeature
from lineshaft.gateway.steps.diagnosis import Watch
from lineshaft.model.equipment import Attribute, Equipment, Signal

_BASE = {"acceleration": ACCELERATION, "velocity": VELOCITY}
INTERVAL = 600.0
"""Seconds between two bursts where the plant says nothing."""


def wave_point(config: SignalConfig, handle: int, device: DeviceConfig) -> WavePoint:
    """What the driver needs to know of a waveform."""
    wave = config.waveform or WaveformConfig()
    return WavePoint(
        handle,
        config.address,
        config.poll or max(device.poll, INTERVAL),
        wave.rate,
        wave.rate_address,
        wave.samples,
        wave.speed,
        wave.speed_address,
        conversion(config)[0],
    )


def feature_series(config: SignalConfig) -> tuple[SeriesConfig, ...]:
    """The signals that are computed of a waveform, as if the plant had named them."""
    found = feature_signals(config.name, config.unit, config.waveform or WaveformConfig())
    return tuple(
        SeriesConfig(name=one.name, unit=one.unit, description=one.description, decimals=3, report="all")
        for one in found
    )


def sensor_lines(sensors: Iterable[VibrationSensorConfig], site: str) -> dict[str, tuple[Attribute, ...]]:
    """Path of the asset -> what its vibration sensors add to its data sheet."""
    found: dict[str, tuple[Attribute, ...]] = {}
    for one in sensors:
        asset = f"{site}/{one.signal}".rpartition("/")[0]
        found[asset] = found.get(asset, ()) + sheet_lines(one)
    return found


def watches(
    sensors: Iterable[VibrationSensorConfig],
    equipment: Iterable[Equipment],
    site: str,
    signals: Mapping[str, tuple[int, Signal]],
) -> tuple[Watch, ...]:
    """The rules of the diagnosis of each waveform that is judged.

    signals: path below the site -> (handle, signal).
    """
    sheets = {node.path: {line.name: line.value for line in node.attributes} for node in equipment}
    found = []
    for one in sensors:
        if not one.diagnose or one.signal not in signals:
            continue
        handle, signal = signals[one.signal]
        sheet = read_sheet(signal.name, sheets.get(signal.asset, {}))
        moves = quantity(signal.unit) == "acceleration"
        factor = units.factor(signal.unit, ACCELERATION)[0] if moves else 1.0
        unit = ACCELERATION if moves else signal.unit
        interval = round(one.interval * US)
        found.append(Watch(handle, signal.asset, signal.path, sheet, factor, unit, interval, one.confirm))
    return tuple(found)


def burst(config: SignalConfig, signal: Signal, handle: int, first: int, handles: Mapping[str, int]) -> Burst:
    """The step's rule for a waveform whose features have the handles from `first` on.

    handles: path below the site -> handle.
    """
    wave = config.waveform or WaveformConfig()
    kind = quantity(config.unit)
    low, high = config.range or (-inf, inf)
    keep = wave.keep
    return Burst(
        handle=handle,
        asset=signal.asset,
        path=signal.path,
        features=tuple(
            BurstFeature(first + i, one.feature, one.band)
            for i, one in enumerate(feature_signals(config.name, config.unit, wave))
        ),
        quantity=kind,
        factor=units.factor(config.unit, _BASE[kind])[0] if kind in _BASE else 1.0,
        carrier=wave.carrier,
        low=low,
        high=high,
        speed_of=handles[wave.speed_of] if wave.speed_of else -1,
        every=keep.every,
        on_change=inf if keep.on_change is None else keep.on_change / 100.0,
        before=keep.before,
        after=keep.after,
        rules=frozenset(keep.rules),
    )
