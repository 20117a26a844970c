"""A visit to one device that is not (yet) in the plant: open it, look around, read some values."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from lineshaft.config.models import ProfileConfig, SignalConfig
from lineshaft.config.problems import M, Report
from lineshaft.config.yamlfile import Document, Mark
from lineshaft.drivers.base import (
    Browsed,
    Browses,
    Driver,
    DriverSpec,
    Finding,
    Identifies,
    Identity,
    KeepsFiles,
    Point,
    TestsConnection,
)
from lineshaft.errors import ConfigError, LineshaftError, Unsupported
from lineshaft.gateway.connect.guess import Guess, beside, guess
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import SampleBatch, quality_word

MOST_ITEMS: Final = 5_000
"""Things of one device that a search lists; beyond it one looks at a branch of its tree."""
_TYPE_NAME: Final = re.compile(r"[A-Z0-9]+(\[[\d,]+\])?")
"""A description that only repeats the type of a tag, like DINT or REAL[4]."""
_DEPTH: Final = 12
_OWN_AFFAIRS: Final = frozenset({"i=2253", "ns=0;i=2253", "i=23470", "i=31915"})
"""What an OPC UA server says about itself, its aliases and locations: not about the machine."""
_OF_AN_EVENT: Final = frozenset({"EventId", "EventType", "SourceNode"})
"""Below an object that has these are the fields of an OPC UA alarm, which comes as an event and not as signals."""


@dataclass(frozen=True, slots=True)
class Found:
    """One value on a device, and what it probably is."""

    address: str
    path: str  # names of what it is below, joined with /
    label: str  # what the device calls it
    datatype: Datatype | None
    description: str
    guess: Guess
    waveform: Mapping[str, str] = field(default_factory=dict)  # keys of a waveform that are known: rate, speed


@dataclass(frozen=True, slots=True)
class Reading:
    """What one signal shows now."""

    name: str
    value: float | None
    text: str | None
    quality: int
    word: str
    time: int  # UTC microseconds


def options_of(spec: DriverSpec, connection: Mapping[str, Any], profile: ProfileConfig | None = None) -> BaseModel:
    """The driver's connection options. Raises ConfigError that names each wrong key and what is allowed."""
    merged = {**(profile.connection if profile else {}), **connection}
    return _checked(spec.connection, merged, "connection")


def signal_of(spec: DriverSpec, raw: Mapping[str, Any]) -> SignalConfig:
    """A signal with the driver's address. Raises ConfigError."""
    found = _checked(SignalConfig, dict(raw), f"signals[{raw.get('name', '')}]")
    address = _checked(spec.address, raw.get("address"), f"signals[{found.name}].address")
    return found.model_copy(update={"address": address})


def of_profile(spec: DriverSpec, signal: SignalConfig) -> SignalConfig:
    """A signal of a profile with the driver's address. Raises ConfigError."""
    address = _checked(spec.address, signal.address, f"signals[{signal.name}].address")
    return signal.model_copy(update={"address": address})


def _checked(model: type[M], data: Any, where: str) -> M:
    report = Report()
    made = report.validate(model, data, Document(data=data, marks={(): Mark(where, 0)}), ())
    if made is None or report.problems:
        count = len(report.problems)
        raise ConfigError(f"{where} has {count} problem{'s' if count != 1 else ''}", report.problems)
    return made


def make(spec: DriverSpec, options: BaseModel, data_dir: Path) -> Driver:
    """A driver with its files where those of the gateway are."""
    driver = spec.create(options)
    if isinstance(driver, KeepsFiles):
        driver.keep_files(data_dir)
    return driver


async def test(driver: Driver, title: str) -> tuple[Finding, ...]:
    """What the driver finds on its way to the device, step by step; never raises for a failing device."""
    if isinstance(driver, TestsConnection):
        return tuple(await driver.test_connection())
    try:
        await driver.connect()
    except LineshaftError as error:
        return (Finding("connection", False, str(error), error.hint),)
    finally:
        await driver.close()
    return (Finding("connection", True, title),)


async def identify(driver: Driver) -> Identity:
    """What a connected device says that it is; nothing where it cannot be asked."""
    return await driver.identify() if isinstance(driver, Identifies) else Identity()


async def look_around(driver: Driver, parent: str, label: str = "") -> tuple[tuple[Found, ...], bool]:
    """Everything with a value below `parent`, and whether that is all. Raises Unsupported and RetryableError."""
    if not isinstance(driver, Browses):
        raise Unsupported("this protocol cannot list what a device has", hint="Choose a profile, or give addresses.")
    found: list[tuple[Browsed, tuple[str, ...]]] = []
    waiting: list[tuple[str, tuple[str, ...]]] = [(parent, (label,) if label else ())]
    seen = {parent}
    while waiting and len(found) < MOST_ITEMS:
        place, path = waiting.pop(0)
        items = await driver.browse(place)
        if {item.name for item in items} >= _OF_AN_EVENT:
            continue
        for item in items:
            itself = item.address == place and item.datatype is not None  # a topic whose message is one bare value
            if (item.address in seen and not itself) or (not parent and item.address in _OWN_AFFAIRS):
                continue
            seen.add(item.address)
            if item.datatype is not None:
                found.append((item, path))
            elif item.has_children and len(path) < _DEPTH:  # what is below a value are its properties
                waiting.append((item.address, (*path, item.name)))
        await asyncio.sleep(0)
    return _named(found[:MOST_ITEMS]), not waiting and len(found) <= MOST_ITEMS


def _named(found: Sequence[tuple[Browsed, tuple[str, ...]]]) -> tuple[Found, ...]:
    result = []
    for item, path in found:
        said = "" if item.description == item.name or _TYPE_NAME.fullmatch(item.description) else item.description
        judged = guess(item.name, item.datatype, item.unit, said, array=item.array)
        known = _wave_keys(found, path) if judged.kind is SignalKind.WAVEFORM else {}
        result.append(Found(item.address, "/".join(path), item.name, item.datatype, said, judged, known))
    return tuple(result)


def _wave_keys(found: Sequence[tuple[Browsed, tuple[str, ...]]], path: tuple[str, ...]) -> dict[str, str]:
    """Where the device says sample rate and speed of a waveform: single numbers beside it."""
    near = [one for one, place in found if place == path and not one.array and one.datatype is not None]
    names = [one.name for one in near]
    at = {"rate_address": beside(names, "rate"), "speed_address": beside(names, "speed")}
    return {key: near[i].address for key, i in at.items() if i is not None}


def points_of(signals: Sequence[SignalConfig]) -> tuple[Point, ...]:
    """Points for these signals; handle i is signal i."""
    return tuple(
        Point(i, one.address, one.datatype or getattr(one.address, "datatype", None) or Datatype.DOUBLE)
        for i, one in enumerate(signals)
    )


async def read(driver: Driver, signals: Sequence[SignalConfig], points: Sequence[Point]) -> tuple[Reading, ...]:
    """What the signals show now, scaled. Raises RetryableError."""
    return readings(signals, await driver.read(points))


def readings(signals: Sequence[SignalConfig], batch: SampleBatch) -> tuple[Reading, ...]:
    """One reading for each row."""
    result = []
    for row, number in enumerate(batch.signals.tolist()):
        signal, raw = signals[number], float(batch.values[row])
        text = None if batch.texts is None else batch.texts[row]
        value = None if math.isnan(raw) else raw * signal.scale + signal.offset
        if text is None and value is not None and signal.states:
            text = signal.states.get(str(int(value)) if value.is_integer() else str(value))
        quality = int(batch.qualities[row])
        result.append(Reading(signal.name, value, text, quality, quality_word(quality), int(batch.times[row])))
    return tuple(result)
