"""The plan: a checked plant turned into the immutable tables that the gateway runs by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from lineshaft.config.models import DeviceConfig, EquipmentConfig, PipelineConfig, Plant, SignalConfig
from lineshaft.drivers.base import Point
from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.steps.base import SignalTable
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind
from lineshaft.model.samples import UInt8Array
from lineshaft.wire import names
from lineshaft.wire.sparkplug import SparkplugType, type_of

US: Final = 1_000_000
NEVER: Final = np.iinfo(np.int64).max
_EVERY_SAMPLE = frozenset({SignalKind.EVENT, SignalKind.WAVEFORM})
_INTEGERS = frozenset(Datatype) - {Datatype.FLOAT, Datatype.DOUBLE, Datatype.STRING, Datatype.DATETIME}
_WIDENED = {Datatype.INT8: Datatype.INT32, Datatype.INT16: Datatype.INT32}
"""Peers disagree on how a negative 8 or 16 bit number is sent, so these travel as 32 bit."""


@dataclass(frozen=True, slots=True)
class PlannedSignal:
    """One signal and all that the gateway needs to know of it. Its handle is its index in `Plan.signals`."""

    signal: Signal
    device: str  # id of the device that gives it
    metric: str  # Sparkplug name: the path below the site
    alias: int  # Sparkplug alias, unique over the edge node
    wire_type: SparkplugType
    address: str  # where it is on the device, in words
    scale: float = 1.0
    offset: float = 0.0
    deadband: float = 0.0  # in the signal's unit
    heartbeat: float | None = None  # seconds
    report_all: bool = False


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    """One device. Its signals have the handles `first` to `first + len(points) - 1`."""

    id: str
    name: str
    driver: str
    connection: Any  # an instance of DriverSpec.connection
    points: tuple[Point, ...]
    groups: tuple[tuple[float, tuple[Point, ...]], ...]  # (interval in seconds, points), shortest interval first
    first: int
    timeout: float  # seconds for one answer
    batch_alias: int  # alias of the device's own `Lineshaft/Batch` metric
    enabled: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All that one gateway reads and announces."""

    enterprise: str
    site: str  # the Sparkplug group
    node: str  # the Sparkplug edge node
    signals: tuple[PlannedSignal, ...]
    devices: tuple[PlannedDevice, ...]
    equipment: tuple[Equipment, ...]
    table: SignalTable
    batch_alias: int  # of the node's own `Lineshaft/Batch` metric

    @property
    def node_path(self) -> str:
        """What events say about the gateway as a whole."""
        return f"{self.site}/{self.node}"

    def device_path(self, device: str) -> str:
        """What events say about one device."""
        return f"{self.site}/{self.node}/{device}"


def make_plan(plant: Plant, resolve: Callable[[DeviceConfig], tuple[SignalConfig, ...]] | None = None) -> Plan:
    """Lay out handles and aliases for a checked plant.

    resolve: gives all signals of a device, those of its profile included; `device.signals` when None.
    """
    site = f"{plant.plant.enterprise}/{plant.plant.site}"
    aliases = iter(range(names.FIRST_ALIAS, 2**31))
    batch_alias = next(aliases)
    device_aliases = [next(aliases) for _ in plant.devices]
    signals: list[PlannedSignal] = []
    devices: list[PlannedDevice] = []
    for config, device_alias in zip(plant.devices, device_aliases, strict=True):
        first = len(signals)
        parts = resolve(config) if resolve else config.signals
        signals += [_signal(site, config, part, plant.pipeline, next(aliases)) for part in parts]
        points = tuple(
            Point(first + i, part.address, signals[first + i].signal.datatype, part.poll or config.poll)
            for i, part in enumerate(parts)
        )
        devices.append(
            PlannedDevice(
                id=config.id,
                name=config.name or config.id,
                driver=config.driver,
                connection=config.connection,
                points=points,
                groups=_groups(points),
                first=first,
                timeout=config.timeout,
                batch_alias=device_alias,
                enabled=config.enabled,
            )
        )
    return Plan(
        enterprise=plant.plant.enterprise,
        site=plant.plant.site,
        node=plant.gateway.id,
        signals=tuple(signals),
        devices=tuple(devices),
        equipment=tuple(_tree(plant)),
        table=signal_table(signals),
        batch_alias=batch_alias,
    )


def with_retired(plan: Plan, keys: Sequence[SignalKey]) -> Plan:
    """The plan plus signals that it does not name any more, but whose samples wait in the disk buffer.

    They get handles and aliases behind all others. A device that is gone comes back without points, disabled.
    """
    alias = max([plan.batch_alias, *(d.batch_alias for d in plan.devices), *(s.alias for s in plan.signals)]) + 1
    known = {(item.device, item.signal.path) for item in plan.signals}
    devices, signals = list(plan.devices), list(plan.signals)
    for key in keys:
        if (key.device, key.path) in known:
            continue
        known.add((key.device, key.path))
        if all(device.id != key.device for device in devices):
            devices.append(
                PlannedDevice(key.device, key.device, "", None, (), (), len(signals), 1.0, alias, enabled=False)
            )
            alias += 1
        datatype = Datatype(key.datatype)
        signal = Signal(key.asset, key.name, SignalKind(key.kind), datatype, key.unit)
        metric = signal.path.removeprefix(f"{plan.enterprise}/{plan.site}/")
        signals.append(PlannedSignal(signal, key.device, metric, alias, _wire_type(datatype), ""))
        alias += 1
    return replace(plan, devices=tuple(devices), signals=tuple(signals), table=signal_table(signals))


def buffer_key(planned: PlannedSignal) -> SignalKey:
    """How the disk buffer knows a signal."""
    signal = planned.signal
    return SignalKey(planned.device, signal.asset, signal.name, signal.kind.value, signal.datatype.value, signal.unit)


def _wire_type(datatype: Datatype) -> SparkplugType:
    return type_of(_WIDENED.get(datatype, datatype))


def signal_table(signals: list[PlannedSignal]) -> SignalTable:
    """The columns that the steps look up by handle."""

    def floats(values: list[float | None], none: float) -> NDArray[np.float64]:
        return np.array([none if value is None else value for value in values], np.float64)

    heartbeat = [NEVER if item.heartbeat is None else round(item.heartbeat * US) for item in signals]
    texts: UInt8Array = np.array([_text_rule(item.signal.datatype) for item in signals], np.uint8)
    return SignalTable(
        scale=floats([item.scale for item in signals], 1.0),
        offset=floats([item.offset for item in signals], 0.0),
        low=floats([item.signal.low for item in signals], -np.inf),
        high=floats([item.signal.high for item in signals], np.inf),
        deadband=floats([item.deadband for item in signals], 0.0),
        heartbeat=np.array(heartbeat, np.int64),
        report_all=np.array([item.report_all for item in signals], np.bool_),
        texts=texts,
    )


def _text_rule(datatype: Datatype) -> int:
    if datatype.is_text:
        return SignalTable.TEXT
    return SignalTable.DIGITS if datatype in (Datatype.INT64, Datatype.UINT64, Datatype.DATETIME) else 0


def _signal(
    site: str, device: DeviceConfig, config: SignalConfig, pipeline: PipelineConfig, alias: int
) -> PlannedSignal:
    below = config.asset or device.asset
    asset = f"{site}/{below}" if below else site
    datatype = _datatype(config)
    low, high = config.range or (None, None)
    signal = Signal(
        asset=asset,
        name=config.name,
        kind=config.kind,
        datatype=datatype,
        unit=config.unit,
        low=low,
        high=high,
        limits=Limits(config.limits.low_low, config.limits.low, config.limits.high, config.limits.high_high),
        decimals=config.decimals,
        states=tuple(config.states.items()),
        description=config.description,
    )
    return PlannedSignal(
        signal=signal,
        device=device.id,
        metric=signal.path.removeprefix(f"{site}/"),
        alias=alias,
        wire_type=_wire_type(datatype),
        address=address_words(config.address),
        scale=config.scale,
        offset=config.offset,
        deadband=_deadband(config, pipeline),
        heartbeat=pipeline.heartbeat if config.heartbeat is None else config.heartbeat,
        report_all=(config.report or pipeline.report) == "all" or config.kind in _EVERY_SAMPLE,
    )


def address_words(address: Any) -> str:
    """Where a value is on the device, for people: the address's own words, else its options that are set."""
    if not isinstance(address, BaseModel) or type(address).__str__ is not BaseModel.__str__:
        return str(address)
    options = address.model_dump(mode="json", exclude_defaults=True)
    if len(options) == 1:
        return str(next(iter(options.values())))
    return ", ".join(f"{key} {value}" for key, value in options.items())


def _datatype(config: SignalConfig) -> Datatype:
    """The plant's word, else the driver's (`datatype` of an address), else Double; a scaled integer is Double."""
    given = config.datatype or getattr(config.address, "datatype", None)
    datatype = given if isinstance(given, Datatype) else Datatype.DOUBLE
    scaled = config.scale != 1.0 or not float(config.offset).is_integer()
    return Datatype.DOUBLE if scaled and datatype in _INTEGERS else datatype


def _deadband(config: SignalConfig, pipeline: PipelineConfig) -> float:
    """In the signal's unit. The signal's own keys win; the pipeline's hold for measures only."""
    absolute, percent = config.deadband, config.deadband_percent
    if absolute is None and percent is None and config.kind is SignalKind.MEASURE:
        absolute, percent = pipeline.deadband, pipeline.deadband_percent
    if absolute is not None:
        return absolute
    if percent is not None and config.range is not None:
        return percent / 100.0 * (config.range[1] - config.range[0])
    return 0.0


def _groups(points: tuple[Point, ...]) -> tuple[tuple[float, tuple[Point, ...]], ...]:
    intervals = sorted({point.interval for point in points})
    return tuple((seconds, tuple(point for point in points if point.interval == seconds)) for seconds in intervals)


def _tree(plant: Plant) -> Iterator[Equipment]:
    enterprise = plant.plant.enterprise
    site = f"{enterprise}/{plant.plant.site}"
    yield Equipment(enterprise, enterprise, Level.ENTERPRISE)
    yield Equipment(site, plant.plant.name, Level.SITE)
    yield from _below(site, plant.equipment)


def _below(parent: str, children: tuple[EquipmentConfig, ...]) -> Iterator[Equipment]:
    for child in children:
        path = f"{parent}/{child.id}"
        yield Equipment(path, child.name or child.id, child.level, child.type, child.description)
        yield from _below(path, child.children)
