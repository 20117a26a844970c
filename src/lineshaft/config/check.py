"""Checks that need more than one part of a plant: paths, ids, units, shared lines, shifts and ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lineshaft.config import units
from lineshaft.config.check_broker import check_broker
from lineshaft.config.check_oee import check_oee
from lineshaft.config.check_steps import check_steps
from lineshaft.config.check_vibration import check_vibration
from lineshaft.config.check_waveforms import check_waveforms, features_of
from lineshaft.config.draft import DeviceDraft, Draft, mappings
from lineshaft.config.drivers import DriverSchema
from lineshaft.config.models import CalendarConfig, GatewayConfig, HubConfig, ShiftConfig, SimulatorConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.uplinks import MqttJsonUplink, SparkplugUplink
from lineshaft.config.yamlfile import Document, Key
from lineshaft.model.equipment import Level

_SERIAL_SETTINGS = ("baudrate", "parity", "stopbits", "bytesize")
_RANK = {level: rank for rank, level in enumerate(Level)}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60


def check(draft: Draft, drivers: Mapping[str, DriverSchema], report: Report) -> None:
    """Note every mistake that only shows when the parts are seen together."""
    paths = _equipment(draft, report)
    _devices(draft, report, paths)
    signals = _signals(draft, report, paths)
    check_steps(draft, report, signals)
    check_waveforms(draft, drivers, list(signals), report)
    check_vibration(draft, list(signals), report)
    check_oee(draft, report, paths, _known_signals(draft, signals))
    _serial_lines(draft, report)
    _calendars(draft, report, paths)
    _urls(draft, report)
    _ports(draft, report)
    check_broker(draft, report)


def _equipment(draft: Draft, report: Report) -> dict[str, Key]:
    """Path below the site -> place; notes paths that occur twice and levels that do not descend."""
    paths: dict[str, Key] = {}
    levels = {"": Level.SITE}
    for path, at, node in draft.equipment():
        if path in paths:
            line = draft.document.mark(paths[path]).line
            report.add(draft.document, (*at, "id"), f"is already used beside it, in line {line}", value=node["id"])
            continue
        paths[path] = at
        try:
            levels[path] = Level(node.get("level", Level.ASSET))
        except ValueError:
            continue  # the model says so
        above = levels.get(path.rpartition("/")[0])
        same = levels[path] is above and above in (Level.AREA, Level.ASSET, Level.COMPONENT)
        if above is not None and _RANK[levels[path]] <= _RANK[above] and not same:
            message = f"this level cannot be below the level {above}"
            report.add(draft.document, (*at, "level"), message, value=levels[path].value, allowed=_levels_below(above))
    return paths


def _levels_below(level: Level) -> list[str]:
    return [other.value for other in Level if _RANK[other] > _RANK[level]]


def _unique(document: Document, items: Iterable[tuple[Key, dict[str, Any]]], what: str, report: Report) -> None:
    seen: dict[str, Key] = {}
    for at, item in items:
        name = item.get("id")
        if not isinstance(name, str):
            continue
        if name in seen:
            first = document.mark((*seen[name], "id"))
            report.add(document, (*at, "id"), f"{what} is already used in {first.file}:{first.line}", value=name)
        seen.setdefault(name, at)


def _known_path(document: Document, at: Key, path: str, paths: dict[str, Key], report: Report) -> None:
    if path and path not in paths:
        message = "there is no such equipment" + suggestion(path, list(paths))
        report.add(document, at, message, value=path, allowed=_some(paths))


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _devices(draft: Draft, report: Report, paths: dict[str, Key]) -> None:
    document = draft.document
    _unique(document, ((device.at, device.raw) for device in draft.devices), "this device id", report)
    for device in draft.devices:
        _known_path(document, (*device.at, "asset"), device.text("asset"), paths, report)
        profile, driver = device.profile, device.text("driver")
        if profile is None:
            continue
        if driver and driver not in profile.drivers:
            message = f"the profile {profile.id} is not for this driver"
            report.add(document, (*device.at, "driver"), message, value=driver, allowed=profile.drivers)
        known = [signal.name for signal in profile.signals]
        wanted = device.raw.get("signals_of_profile")
        for position, name in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(name, str) and name not in known:
                message = f"the profile {profile.id} has no such signal" + suggestion(name, known)
                at = (*device.at, "signals_of_profile", position)
                report.add(document, at, message, value=name, allowed=_some(known, 40))


def _signals(draft: Draft, report: Report, paths: dict[str, Key]) -> dict[str, tuple[DeviceDraft, str, int]]:
    """Path below the site -> (device, file, line) of every signal of a device."""
    seen: dict[str, tuple[DeviceDraft, str, int]] = {}
    for device in draft.devices:
        for signal in device.signals:
            name, unit, own = (signal.raw.get(key) for key in ("name", "unit", "asset"))
            if isinstance(own, str):
                _known_path(signal.document, (*signal.at, "asset"), own, paths, report)
            if isinstance(unit, str) and not units.unit_known(unit):
                message = "unknown unit" + suggestion(unit, units.COMMON)
                allowed = f"for example {', '.join(units.COMMON)}"
                report.add(signal.document, (*signal.at, "unit"), message, value=unit, allowed=allowed)
            if not isinstance(name, str):
                continue
            asset = device.asset_of(signal)
            path = f"{asset}/{name}" if asset else name
            mark = signal.document.mark((*signal.at, "name"))
            if path in seen:
                first, file, line = seen[path]
                message = f"the signal {path} is already given by device {first.text('id')} ({file}:{line})"
                report.add(signal.document, (*signal.at, "name"), message, value=name)
            elif path in paths:
                report.add(signal.document, (*signal.at, "name"), f"{path} is already equipment", value=name)
            seen.setdefault(path, (device, mark.file, mark.line))
        for signal, path in features_of(device):
            mark = signal.document.mark((*signal.at, "name"))
            if path in seen:
                first, file, line = seen[path]
                message = f"the feature {path} is already given by device {first.text('id')} ({file}:{line})"
                report.add(signal.document, (*signal.at, "waveform"), message)
            seen.setdefault(path, (device, mark.file, mark.line))
    return seen


def _known_signals(draft: Draft, signals: Iterable[str]) -> set[str]:
    """Signals of devices and computed ones."""
    computed = (item for _, item in draft.items("derived"))
    return {*signals, *("/".join(filter(None, (str(one.get("asset", "")), str(one.get("name"))))) for one in computed)}


def _serial_lines(draft: Draft, report: Report) -> None:
    first: dict[str, tuple[DeviceDraft, dict[str, Any]]] = {}
    for device in draft.devices:
        port = getattr(device.connection, "port", None)
        if not isinstance(port, str):
            continue
        settings = {
            name: getattr(device.connection, name) for name in _SERIAL_SETTINGS if hasattr(device.connection, name)
        }
        other, theirs = first.setdefault(port, (device, settings))
        for name, value in settings.items():
            if name in theirs and theirs[name] != value:
                message = f"device {other.text('id')} uses the same line {port} with {name} {theirs[name]}"
                report.add(draft.document, (*device.at, "connection", name), message, value=value)


def _calendars(draft: Draft, report: Report, paths: dict[str, Key]) -> None:
    _unique(draft.document, draft.items("calendars"), "this calendar id", report)
    for at, calendar in draft.items("calendars"):
        wanted = calendar.get("equipment")
        for position, path in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(path, str):
                _known_path(draft.document, (*at, "equipment", position), path, paths, report)
        _unique(draft.document, mappings(calendar.get("shifts"), (*at, "shifts")), "this shift id", report)
        config = Report().validate(CalendarConfig, calendar, draft.document, at)  # its problems are noted already
        if config is not None:
            _shifts(draft.document, (*at, "shifts"), config.shifts, report)


def _shifts(document: Document, at: Key, shifts: tuple[ShiftConfig, ...], report: Report) -> None:
    """Two shifts of one calendar may not run at the same minute of the week."""
    taken: list[tuple[int, int, ShiftConfig]] = []
    for position, new in enumerate(shifts):
        start, end = _minute(new.start), _minute(new.end)
        length = (end - start) % _DAY or _DAY
        spans = [(_DAYS.index(day) * _DAY + start, length) for day in dict.fromkeys(new.days)]
        clash = next((shift for *span, shift in taken if any(_overlap(span, own) for own in spans)), None)
        if clash is not None:
            message = f"overlaps with the shift {clash.id} ({clash.start}-{clash.end})"
            report.add(document, (*at, position), message, value=f"{new.id} {new.start}-{new.end}")
        taken += [(begin, length, new) for begin, length in spans]


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _overlap(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two spans (start, length) in minutes of a week that goes round have a minute in common."""
    week = 7 * _DAY
    return (other[0] - one[0]) % week < one[1] or (one[0] - other[0]) % week < other[1]


def _urls(draft: Draft, report: Report) -> None:
    hub, gateway = draft.section("hub", HubConfig), draft.section("gateway", GatewayConfig)
    if hub is not None:
        _url(draft, ("hub", "broker"), hub.broker, ("mqtt", "mqtts"), report, host=True)
        _url(draft, ("hub", "historian"), hub.historian, ("chdb", "clickhouse", "clickhouses"), report)
        _url(draft, ("hub", "database"), hub.database, ("sqlite", "postgresql"), report)
    for position, uplink in enumerate(gateway.uplinks if gateway is not None else ()):
        broker = uplink.broker if isinstance(uplink, SparkplugUplink | MqttJsonUplink) else ""
        _url(draft, ("gateway", "uplinks", position, "broker"), broker, ("mqtt", "mqtts"), report, host=True)
    raw = draft.document.data.get("gateway")
    if isinstance(raw, dict):
        _unique(draft.document, mappings(raw.get("uplinks"), ("gateway", "uplinks")), "this uplink id", report)


def _url(draft: Draft, at: Key, text: str, schemes: tuple[str, ...], report: Report, *, host: bool = False) -> None:
    if not text:
        return
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        report.add(draft.document, at, f"is not a URL: {error}", value=text)
        return
    if parts.scheme.partition("+")[0] not in schemes or (host and not parts.hostname):
        allowed = ", ".join(f"{scheme}://..." for scheme in schemes)
        report.add(draft.document, at, "is not an address of the right kind", value=text, allowed=allowed)
    elif host and (parts.username or parts.password):
        report.add(draft.document, at, "user and password belong in keys of their own, the password in a file")


def _ports(draft: Draft, report: Report) -> None:
    """Ports that this plant listens on must differ; 0 lets the system choose."""
    seen: dict[int, str] = {}
    for section, model, names in (
        ("hub", HubConfig, ("port", "broker_port")),
        ("simulator", SimulatorConfig, ("modbus_port", "opcua_port", "machine_port", "api_port")),
    ):
        config = draft.section(section, model) if section in draft.document.data or section == "hub" else None
        for name in names if config is not None else ():
            port = getattr(config, name)
            if port and port in seen:
                report.add(draft.document, (section, name), f"is also {seen[port]}", value=port)
            seen.setdefault(port, f"{section}.{name}")
