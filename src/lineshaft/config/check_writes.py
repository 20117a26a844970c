"""Checks of values that may be written: whether the way back from the plant's value to the device's exists."""

from __future__ import annotations

from collections.abc import Mapping

from lineshaft.config.draft import DeviceDraft, Draft, SignalDraft
from lineshaft.config.drivers import DriverSchema
from lineshaft.config.models import GatewayConfig, SignalConfig, WriteConfig
from lineshaft.config.problems import Report
from lineshaft.config.yamlfile import Key
from lineshaft.model.equipment import SignalKind

WRITABLE_KINDS = (SignalKind.MEASURE, SignalKind.STATE)


def check_writes(draft: Draft, report: Report, drivers: Mapping[str, DriverSchema]) -> None:
    """Note each `write` that could never be carried out, or whose bounds contradict the signal."""
    for device in draft.devices:
        for signal in device.signals:
            if signal.config is not None and signal.config.write is not None:
                _signal(device, signal, signal.config, signal.config.write, report, drivers)
    gateway = draft.section("gateway", GatewayConfig)
    if gateway is not None and gateway.foreign_commands and not gateway.allow_writes:
        message = "needs allow_writes: true, without which no command is carried out"
        report.add(draft.document, ("gateway", "foreign_commands"), message, value="true")


def _signal(
    device: DeviceDraft,
    signal: SignalDraft,
    config: SignalConfig,
    write: WriteConfig,
    report: Report,
    drivers: Mapping[str, DriverSchema],
) -> None:
    at: Key = (*signal.at, "write")
    document = signal.document
    driver = device.text("driver")
    if driver in drivers and not drivers[driver].writes:
        able = sorted(name for name, spec in drivers.items() if spec.writes)
        report.add(document, at, f"the driver {driver} cannot write", allowed=", ".join(able))
    if read_only := getattr(signal.address, "read_only", ""):
        report.add(document, at, read_only, value=str(signal.address))
    if config.kind not in WRITABLE_KINDS:
        kinds = ", ".join(WRITABLE_KINDS)
        report.add(document, at, f"a {config.kind} cannot be set", value=config.kind.value, allowed=f"kind {kinds}")
    if config.scale == 0.0:
        report.add(document, at, "the scale is 0, so that no value leads back to the raw one")
    words = config.map.values()
    if len(set(words)) < len(words):
        report.add(document, at, "map gives the same value twice, so that it does not lead back to one raw value")
    for position, value in enumerate(write.allowed):
        _allowed(signal, config, (*at, "allowed", position), value, report)
    if config.range is not None:
        for name in ("low", "high"):
            limit = getattr(write, name)
            if limit is not None and not config.range[0] <= limit <= config.range[1]:
                text = f"is outside of the signal's range {config.range[0]:g} to {config.range[1]:g}"
                report.add(document, (*at, name), text, value=limit)


def _allowed(signal: SignalDraft, config: SignalConfig, at: Key, value: float | str, report: Report) -> None:
    """A mapped signal has the mapped values only, a state those that have a word."""
    if config.map:
        known = list(dict.fromkeys(config.map.values()))
        if value not in known:
            report.add(
                signal.document, at, "map does not give this value", value=value, allowed=[str(one) for one in known]
            )
    elif config.states and not isinstance(value, str) and f"{value:g}" not in config.states:
        report.add(signal.document, at, "states has no word for this value", value=value, allowed=list(config.states))
