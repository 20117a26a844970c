"""Vibration sensors of a plant: put into their waveforms, and checked for what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lineshaft.analytics.bearings.kinematics import find_bearing
from lineshaft.analytics.vibration.severity import zone_name
from lineshaft.analytics.vibration.units import CURRENT
from lineshaft.config import units
from lineshaft.config.draft import DeviceDraft, Draft, SignalDraft
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.reference import bearings, machine_templates, severity_zones
from lineshaft.config.vibration import VibrationSensorConfig
from lineshaft.config.waveforms import WaveformConfig, quantity
from lineshaft.config.yamlfile import Key
from lineshaft.model.equipment import SignalKind


def put_sensors(draft: Draft) -> None:
    """Unit and speed that a vibration sensor says replace those of its waveform."""
    waveforms = _waveforms(draft)
    known = {_path(device, signal) for device in draft.devices for signal in device.signals}
    for _, config in _sensors(draft):
        signal = waveforms.get(config.signal)
        if signal is None or signal.config is None or (config.speed_of and config.speed_of not in known):
            continue
        wave = signal.config.waveform or WaveformConfig()
        if config.speed is not None or config.speed_of:
            speed = {"speed": config.speed, "speed_of": config.speed_of, "speed_address": None}
            wave = wave.model_copy(update=speed)
        unit = config.unit or signal.config.unit
        signal.config = signal.config.model_copy(update={"waveform": wave, "unit": unit})


def check_vibration(draft: Draft, signals: Sequence[str], report: Report) -> None:
    """Note what is wrong with the vibration sensors; `signals`: paths below the site of all signals."""
    waveforms = _waveforms(draft)
    seen: set[str] = set()
    for at, config in _sensors(draft):
        _names(draft, at, config, report)
        signal = waveforms.get(config.signal)
        if signal is None:
            known = config.signal in signals
            message = (
                "is no waveform" if known else "there is no such signal" + suggestion(config.signal, sorted(waveforms))
            )
            report.add(draft.document, (*at, "signal"), message, value=config.signal, allowed=sorted(waveforms))
            continue
        if config.signal in seen:
            report.add(draft.document, (*at, "signal"), "this sensor is already described", value=config.signal)
        seen.add(config.signal)
        unit = signal.config.unit if signal.config is not None else ""
        if config.diagnose and quantity(unit) != "acceleration" and unit not in CURRENT:
            words = f"a diagnosis needs an acceleration, like m/s2 or gn, or a current in A, not '{unit}'"
            message = f"{words}; say the sensor's unit, or diagnose: false"
            report.add(draft.document, (*at, "unit" if config.unit else "signal"), message, value=config.signal)
        if config.speed_of and config.speed_of not in signals:
            message = "there is no such signal" + suggestion(config.speed_of, signals)
            report.add(draft.document, (*at, "speed_of"), message, value=config.speed_of)


def _names(draft: Draft, at: Key, config: VibrationSensorConfig, report: Report) -> None:
    """Names that must be in the libraries."""
    templates, zones = list(machine_templates()), [zone_name(one) for one in severity_zones()]
    if config.machine and config.machine not in templates:
        message = "there is no such template" + suggestion(config.machine, templates)
        report.add(draft.document, (*at, "machine"), message, value=config.machine, allowed=templates)
    if config.zones and config.zones not in zones:
        message = "there are no such zones" + suggestion(config.zones, zones)
        report.add(draft.document, (*at, "zones"), message, value=config.zones, allowed=[f"'{one}'" for one in zones])
    if config.unit and not units.unit_known(config.unit):
        message = "unknown unit" + suggestion(config.unit, units.COMMON)
        report.add(draft.document, (*at, "unit"), message, value=config.unit, allowed=("m/s2", "gn", "mm/s"))
    if config.bearing:
        try:
            find_bearing(bearings(), config.bearing)
        except ValueError:
            names = list(bearings())
            message = (
                "not one bearing of the library" + suggestion(config.bearing, names) + "; or give geometry or orders"
            )
            report.add(draft.document, (*at, "bearing"), message, value=config.bearing, allowed=names)


def _sensors(draft: Draft) -> Iterator[tuple[Key, VibrationSensorConfig]]:
    for at, raw in draft.items("vibration_sensors"):
        config = Report().validate(VibrationSensorConfig, raw, draft.document, at)  # its problems are noted already
        if config is not None:
            yield at, config


def _waveforms(draft: Draft) -> dict[str, SignalDraft]:
    """Path below the site -> waveform."""
    return {
        _path(device, signal): signal
        for device in draft.devices
        for signal in device.signals
        if signal.config is not None and signal.config.kind is SignalKind.WAVEFORM
    }


def _path(device: DeviceDraft, signal: SignalDraft) -> str:
    """Path below the site."""
    return "/".join(part for part in (device.asset_of(signal), str(signal.raw.get("name", ""))) if part)
