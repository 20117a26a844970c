"""Loads a plant folder: reads its files, checks everything at once, and gives typed, frozen models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lineshaft.config.check import check
from lineshaft.config.check_vibration import put_sensors
from lineshaft.config.check_writes import check_writes
from lineshaft.config.draft import DeviceDraft, Draft, SignalDraft, mappings
from lineshaft.config.drivers import DriverSchema
from lineshaft.config.graft import graft
from lineshaft.config.instances import check_types, instantiate
from lineshaft.config.models import DeviceConfig, Plant, ProfileConfig, SignalConfig, WaveformConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.yamlfile import Document, Key, Mark, parse
from lineshaft.errors import ConfigError, Problem

_SUFFIXES = (".yaml", ".yml")


def load_plant(
    folder: Path, drivers: Mapping[str, DriverSchema], profiles: Mapping[str, ProfileConfig] | None = None
) -> Plant:
    """The plant of `folder`. Connects to nothing and changes nothing.

    In the result a device has the signals of its profile before its own; `device.connection` and `signal.address` are
    instances of the driver's models, and `signal.asset` is filled in from its device.
    profiles: device profiles by id; those that come with Lineshaft when None. The folder's own profiles/*.yaml win.

    Raises ConfigError with every problem that was found, in the order of files and lines.
    """
    report = Report()
    draft = Draft(read_folder(folder, report))
    known = {**(builtin_profiles() if profiles is None else profiles)}
    known_at = {name: _origin(profile) for name, profile in known.items()}
    for document, profile in _profiles(folder, report):
        known[profile.id], known_at[profile.id] = profile, document
    _shell(draft, report)
    for at, raw in draft.items("devices"):
        draft.devices.append(_Device(draft.document, drivers, known, known_at, report).draft(at, raw))
    put_sensors(draft)
    if not report.unreadable:  # else equipment and ids that a broken file has would seem to be missing
        check(draft, drivers, report)
        check_writes(draft, report, drivers)
        check_types(draft, report)
    if report.problems or draft.shell is None:
        raise failed(folder, report.problems)
    plant = draft.shell.model_copy(update={"devices": tuple(_device(device) for device in draft.devices)})
    return instantiate(plant)


def failed(folder: Path, problems: Iterable[Problem]) -> ConfigError:
    """One error that lists every problem once, by file and line."""
    first = {(problem.file, problem.line, problem.key, problem.value): problem for problem in reversed(list(problems))}
    ordered = sorted(first.values(), key=lambda problem: (problem.file, problem.line, problem.key))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return ConfigError(f"the plant {folder} has {count}", ordered)


def read_folder(folder: Path, report: Report) -> Document:
    """All *.yaml files of `folder` as one document; lists of the same section are joined.

    Raises ConfigError when there is nothing to read.
    """
    if not folder.is_dir():
        what = "is a file; a plant is a folder of YAML files" if folder.exists() else "does not exist"
        raise ConfigError(f"the plant {folder} {what}", hint="an example is plants/demo")
    paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    if not paths:
        raise ConfigError(f"the plant {folder} has no YAML file", hint="an example is plants/demo")
    whole = Document(data={}, marks={(): Mark(str(paths[0]), 1)})
    for path in paths:
        part = _read(path, report)
        if isinstance(part.data, dict):
            _merge(whole, part, report)
        elif part.data is not None:
            report.add(part, (), "a plant file is a mapping of sections", allowed=sorted(Plant.model_fields))
    return whole


def _read(path: Path | Traversable, report: Report) -> Document:
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        report.problems.append(Problem(name, 0, "file", "", words))
        report.unreadable = True
        return Document(marks={(): Mark(name, 0)})
    document = parse(text, name)
    report.problems += document.problems
    report.unreadable |= document.data is None and bool(document.problems)
    return document


def _merge(whole: Document, part: Document, report: Report) -> None:
    for section, value in part.data.items():
        present = whole.data.get(section)
        shift = 0
        if section not in whole.data:
            whole.data[section] = list(value) if isinstance(value, list) else value
        elif section == "equipment" and isinstance(present, list) and isinstance(value, list):
            graft(whole, part, section)
            continue
        elif isinstance(present, list) and isinstance(value, list):
            shift = len(present)
            present.extend(value)
        else:
            first = whole.mark((section,))
            report.add(part, (section,), f"this section is already in {first.file}:{first.line}")
            continue
        for at, mark in part.marks.items():
            if at[:1] == (section,):
                moved = (section, at[1] + shift, *at[2:]) if len(at) > 1 and isinstance(at[1], int) else at
                whole.marks.setdefault(moved, mark)


def _profiles(folder: Path, report: Report) -> Iterable[tuple[Document, ProfileConfig]]:
    """The plant's own profiles that are valid, with their marks."""
    seen: dict[str, str] = {}
    place = folder / "profiles"
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.suffix not in _SUFFIXES:
            continue
        document = _read(path, report)
        profile = report.validate(ProfileConfig, document.data, document, ())
        if profile is None:
            continue
        if profile.id in seen:
            report.add(document, ("id",), f"this profile is already in {seen[profile.id]}", value=profile.id)
        seen.setdefault(profile.id, str(path))
        yield document, profile


def profiles_of(folder: Path) -> Mapping[str, ProfileConfig]:
    """The profiles that a device of this plant may name: those of Lineshaft and the folder's own that are valid."""
    return {**builtin_profiles(), **{profile.id: profile for _, profile in _profiles(folder, Report())}}


@cache
def builtin_profiles() -> Mapping[str, ProfileConfig]:
    """The device profiles that come with Lineshaft, by id. Raises ConfigError when one is wrong."""
    report, found = Report(), {}
    folder = files("lineshaft") / "profiles"
    for path in sorted(folder.iterdir(), key=lambda item: item.name) if folder.is_dir() else ():
        if not path.name.endswith(_SUFFIXES):
            continue
        document = _read(path, report)
        profile = report.validate(ProfileConfig, document.data, document, ())
        if profile is not None:
            found[profile.id] = profile
    if report.problems:
        raise ConfigError("a built-in device profile is wrong", report.problems)
    return found


def _origin(profile: ProfileConfig) -> Document:
    """A document for a profile that was not read from the plant, so that a problem in it can be named."""
    return Document(data=profile.model_dump(mode="json"), marks={(): Mark(f"profile {profile.id}", 0)})


def _shell(draft: Draft, report: Report) -> None:
    """Validate everything but the devices, which are taken one by one."""
    data = dict(draft.document.data)
    if isinstance(data.get("devices"), list):
        data["devices"] = []
    if report.unreadable and "plant" not in data:
        data["plant"] = {"enterprise": "unknown", "site": "unknown", "name": "unknown", "timezone": "UTC"}
    draft.shell = report.validate(Plant, data, draft.document, ())
    for position, item in enumerate(draft.document.data.get("devices") or ()):
        if not isinstance(item, dict):
            report.add(draft.document, ("devices", position), "must be a mapping of key: value", value=item)


class _Device:
    """Validates one device with the models of its driver, going on after each mistake."""

    def __init__(
        self,
        document: Document,
        drivers: Mapping[str, DriverSchema],
        profiles: Mapping[str, ProfileConfig],
        profiles_at: Mapping[str, Document],
        report: Report,
    ) -> None:
        self._document = document
        self._drivers = drivers
        self._profiles = profiles
        self._profiles_at = profiles_at
        self._report = report

    def draft(self, at: Key, raw: dict[str, Any]) -> DeviceDraft:
        device = DeviceDraft(at, raw)
        own = raw.get("signals")
        shell = {**raw, "signals": []} if isinstance(own, list) else raw
        device.config = self._report.validate(DeviceConfig, shell, self._document, at)
        driver = self._driver(device)
        device.profile = self._profile(device)
        self._connection(device, driver)
        self._profile_signals(device, driver)
        place = (*at, "signals")
        for signal_at, item in mappings(own, place):
            config = self._report.validate(SignalConfig, item, self._document, signal_at)
            signal = SignalDraft(self._document, signal_at, item, config)
            self._address(signal, driver)
            device.signals.append(signal)
        for position, item in enumerate(own if isinstance(own, list) else ()):
            if not isinstance(item, dict):
                self._report.add(self._document, (*place, position), "must be a mapping of key: value", value=item)
        return device

    def _driver(self, device: DeviceDraft) -> DriverSchema | None:
        name = device.text("driver")
        if name in self._drivers:
            return self._drivers[name]
        if name:
            known = sorted(self._drivers)
            message = "unknown driver" + suggestion(name, known)
            self._report.add(self._document, (*device.at, "driver"), message, value=name, allowed=known)
        return None

    def _profile(self, device: DeviceDraft) -> ProfileConfig | None:
        name = device.text("profile")
        if name and name not in self._profiles:
            known = sorted(self._profiles)
            message = "unknown device profile" + suggestion(name, known)
            self._report.add(self._document, (*device.at, "profile"), message, value=name, allowed=known)
        return self._profiles.get(name)

    def _connection(self, device: DeviceDraft, driver: DriverSchema | None) -> None:
        given, at = device.raw.get("connection", {}), (*device.at, "connection")
        if not isinstance(given, dict):
            self._report.add(self._document, at, "must be a mapping of key: value", value=given)
        elif driver is not None:
            options = {**(device.profile.connection if device.profile else {}), **given}
            device.connection = self._report.validate(driver.connection, options, self._document, at)

    def _profile_signals(self, device: DeviceDraft, driver: DriverSchema | None) -> None:
        if device.profile is None:
            return
        wanted = device.raw.get("signals_of_profile")
        document = self._profiles_at[device.profile.id]
        for position, config in enumerate(device.profile.signals):
            if isinstance(wanted, list) and config.name not in wanted:
                continue
            at: Key = ("signals", position)
            signal = SignalDraft(document, at, document.data["signals"][position], config)
            self._address(signal, driver)
            device.signals.append(signal)

    def _address(self, signal: SignalDraft, driver: DriverSchema | None) -> None:
        if driver is not None and "address" in signal.raw:
            at = (*signal.at, "address")
            raw = signal.raw["address"]
            signal.address = self._report.validate(driver.address, raw, signal.document, at)
        if driver is not None and signal.config is not None and signal.config.waveform is not None:
            signal.config = self._wave_addresses(signal, signal.config, signal.config.waveform, driver)

    def _wave_addresses(
        self, signal: SignalDraft, config: SignalConfig, wave: WaveformConfig, driver: DriverSchema
    ) -> SignalConfig:
        """The waveform's own addresses as instances of the driver's model."""
        found = {}
        for name in ("rate_address", "speed_address"):
            raw = getattr(wave, name)
            if raw is not None:
                at = (*signal.at, "waveform", name)
                found[name] = self._report.validate(driver.address, raw, signal.document, at) or raw
        return config.model_copy(update={"waveform": wave.model_copy(update=found)})


def _device(draft: DeviceDraft) -> DeviceConfig:
    """The finished device; called only when nothing was wrong."""
    if draft.config is None or draft.connection is None:
        raise AssertionError("a device without problems is complete")
    signals = tuple(
        signal.config.model_copy(update={"address": signal.address, "asset": draft.asset_of(signal)})
        for signal in draft.signals
        if signal.config is not None
    )
    connection = _with_timeout(draft.connection, draft.config)
    return draft.config.model_copy(update={"connection": connection, "signals": signals})


def _with_timeout(connection: BaseModel, config: DeviceConfig) -> BaseModel:
    """The device's timeout holds for a driver that has one of its own, unless that is given."""
    has = "timeout" in type(connection).model_fields and "timeout" not in connection.model_fields_set
    if not has or "timeout" not in config.model_fields_set:
        return connection
    return connection.model_copy(update={"timeout": config.timeout})
