"""Checks of waveforms: what the driver can give, units that features need, and signals and rules that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lineshaft.config.draft import DeviceDraft, Draft, SignalDraft
from lineshaft.config.drivers import DriverSchema
from lineshaft.config.models import SignalConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.waveforms import WaveformConfig, allowed_features, feature_signals
from lineshaft.model.equipment import SignalKind


def check_waveforms(draft: Draft, drivers: Mapping[str, DriverSchema], signals: Sequence[str], report: Report) -> None:
    """Note what is wrong with the waveforms; `signals`: paths below the site of all signals, features included."""
    rules = [str(raw.get("id")) for _, raw in draft.items("edge_rules")]
    for device in draft.devices:
        name = device.text("driver")
        known = name in drivers  # an unknown one is told elsewhere
        driver = drivers[name] if known else None
        for signal in device.signals:
            if signal.config is None:
                continue
            if signal.config.kind is not SignalKind.WAVEFORM:
                if signal.config.waveform is not None:
                    _add(signal, report, ("kind",), "only a waveform has the key waveform", signal.config.kind.value)
                if words := getattr(signal.address, "burst_only", ""):
                    _add(signal, report, ("address",), words, str(signal.address))
                continue
            if driver is not None:
                _driver(signal, signal.config, driver, report)
            _signal(signal, signal.config, rules, signals, report)


def features_of(device: DeviceDraft) -> Iterator[tuple[SignalDraft, str]]:
    """(waveform, path below the site) of every signal that is computed of the waveforms of a device."""
    for signal in device.signals:
        config = signal.config
        if config is None or config.kind is not SignalKind.WAVEFORM:
            continue
        asset = device.asset_of(signal)
        for feature in feature_signals(config.name, config.unit, config.waveform or WaveformConfig()):
            yield signal, f"{asset}/{feature.name}" if asset else feature.name


def _driver(signal: SignalDraft, config: SignalConfig, driver: DriverSchema, report: Report) -> None:
    wave = config.waveform or WaveformConfig()
    if driver.waveforms == "no":
        _add(signal, report, ("kind",), f"the driver {driver.name} gives no waveforms", config.kind.value)
        return
    if wave.rate is None and wave.rate_address is None and driver.waveforms != "told":
        _add(signal, report, ("waveform",), "needs rate (in Hz) or rate_address: the samples alone do not say it")
    if wave.samples is None and driver.waveforms == "counted":
        _add(signal, report, ("waveform",), "needs samples: how many of them there are from the address on")
    if words := getattr(signal.address, "no_burst", ""):
        _add(signal, report, ("address",), words, str(signal.address))


def _signal(
    signal: SignalDraft, config: SignalConfig, rules: Sequence[str], signals: Sequence[str], report: Report
) -> None:
    wave = config.waveform or WaveformConfig()
    if config.offset:
        _add(signal, report, ("offset",), "a waveform has no offset; its mean does not count", config.offset)
    if config.map or config.states:
        _add(signal, report, ("map" if config.map else "states",), "a waveform has numbers only")
    allowed = allowed_features(config.unit)
    for position, feature in enumerate(wave.features or ()):
        if feature not in allowed:
            words = f"cannot be computed of a waveform in '{config.unit}'" if config.unit else "needs a unit"
            at = ("waveform", "features", position)
            _add(signal, report, at, f"{words}; it is of vibration, like m/s2, gn or mm/s", feature, allowed)
    if wave.envelope_bands and "envelope_rms" not in allowed:
        _add(signal, report, ("waveform", "envelope_bands"), "an envelope is of vibration, like m/s2, gn or mm/s")
    if wave.speed_of and wave.speed_of not in signals:
        words = "there is no such signal" + suggestion(wave.speed_of, signals)
        _add(signal, report, ("waveform", "speed_of"), words, wave.speed_of)
    for position, rule in enumerate(wave.keep.rules):
        if rule not in rules:
            words = "there is no such edge rule" + suggestion(rule, rules)
            _add(signal, report, ("waveform", "keep", "rules", position), words, rule, rules)


def _add(
    signal: SignalDraft,
    report: Report,
    at: tuple[str | int, ...],
    message: str,
    value: Any = None,
    allowed: Sequence[str] = (),
) -> None:
    report.add(signal.document, (*signal.at, *at), message, value=value, allowed=list(allowed))
