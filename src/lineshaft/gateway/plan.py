"""The plan: a checked plant turned into the immutable tables that the gateway runs by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from lineshaft.config.asset_types import AssetType
from lineshaft.config.check_steps import COMPUTED
from lineshaft.config.instances import attributes_of, library
from lineshaft.config.models import (
    DerivedConfig,
    DeviceConfig,
    EquipmentConfig,
    PipelineConfig,
    Plant,
    SeriesConfig,
    SignalConfig,
)
from lineshaft.drivers.base import Point, WavePoint
from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.plan_steps import US, computation, conversion, deadband, edge_rules, signal_steps
from lineshaft.gateway.plan_waves import burst, feature_series, sensor_lines, watches, wave_point
from lineshaft.gateway.steps.base import SignalSteps, SignalTable
from lineshaft.gateway.steps.bursts import Burst
from lineshaft.gateway.steps.computed import Computation
from lineshaft.gateway.steps.diagnosis import Watch
from lineshaft.gateway.steps.mapping import is_number
from lineshaft.gateway.writes.rule import WriteRule
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Limits, Signal, SignalKind
from lineshaft.model.samples import UInt8Array
from lineshaft.operators.rules import Rule
from lineshaft.wire import names
from lineshaft.wire.sparkplug import SparkplugType, type_of

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
    write: WriteRule | None = None  # how it may be set; None: it can only be read


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    """One device. Its signals have the handles `first` to `first + size - 1`: points, waveforms, their features."""

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
    waves: tuple[WavePoint, ...] = ()
    wave_paths: Mapping[int, str] = field(default_factory=dict)  # handle of a waveform -> path of its signal
    silence: float | None = None  # seconds after which a sender is silent, 0: never; None: as its driver says
    size: int = field(kw_only=True)  # no default: rows beyond it are refused


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
    computations: tuple[Computation, ...] = ()
    rules: tuple[Rule, ...] = ()
    bursts: tuple[Burst, ...] = ()
    watches: tuple[Watch, ...] = ()

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
    series: list[SeriesConfig] = []
    waves: list[tuple[SignalConfig, int, int]] = []  # its handle, and that of its first feature
    for config, device_alias in zip(plant.devices, device_aliases, strict=True):
        first = len(signals)
        given = resolve(config) if resolve else config.signals
        parts = sorted(given, key=lambda part: part.kind is SignalKind.WAVEFORM)  # points first; the order stays
        signals += [_signal(site, config, part, plant, next(aliases)) for part in parts]
        series += parts
        points = tuple(
            Point(first + i, part.address, _read_as(part), part.poll or config.poll)
            for i, part in enumerate(parts)
            if part.kind is not SignalKind.WAVEFORM
        )
        found = tuple(
            wave_point(part, first + i, config) for i, part in enumerate(parts) if part.kind is SignalKind.WAVEFORM
        )
        for handle, part in enumerate(parts[len(points) :], first + len(points)):
            features = feature_series(part)
            waves.append((part, handle, len(signals)))
            signals += [_feature(site, config, part, one, plant.pipeline, next(aliases)) for one in features]
            series += features
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
                waves=found,
                wave_paths={wave.handle: signals[wave.handle].signal.path for wave in found},
                silence=config.silence,
                size=len(signals) - first,
            )
        )
    if plant.derived:
        devices.append(
            PlannedDevice(
                COMPUTED, "Computed signals", "", None, (), (), len(signals), 1.0, next(aliases),
                size=len(plant.derived),
            )
        )  # fmt: skip
        signals += [_derived(site, config, plant.pipeline, next(aliases)) for config in plant.derived]
        series += plant.derived
    handles = {item.metric: handle for handle, item in enumerate(signals)}
    steps = {handle: signal_steps(config, plant.pipeline, handles) for handle, config in enumerate(series)}
    first_derived = len(signals) - len(plant.derived)
    equipment = tuple(_tree(plant))
    waveforms = {signals[at].metric: (at, signals[at].signal) for _, at, _ in waves}
    return Plan(
        enterprise=plant.plant.enterprise,
        site=plant.plant.site,
        node=plant.gateway.id,
        signals=tuple(signals),
        devices=tuple(devices),
        equipment=equipment,
        table=signal_table(signals, {handle: more for handle, more in steps.items() if more != SignalSteps()}),
        batch_alias=batch_alias,
        computations=tuple(computation(config, first_derived + i, handles) for i, config in enumerate(plant.derived)),
        rules=edge_rules(plant.edge_rules, site, handles),
        bursts=tuple(burst(part, signals[at].signal, at, feature, handles) for part, at, feature in waves),
        watches=watches(plant.vibration_sensors, equipment, site, waveforms),
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
                PlannedDevice(key.device, key.device, "", None, (), (), len(signals), 1.0, alias, enabled=False, size=0)
            )
            alias += 1
        datatype = Datatype(key.datatype)
        signal = Signal(key.asset, key.name, SignalKind(key.kind), datatype, key.unit)
        metric = signal.path.removeprefix(f"{plan.enterprise}/{plan.site}/")
        signals.append(PlannedSignal(signal, key.device, metric, alias, _wire_type(signal), ""))
        alias += 1
    table = signal_table(signals, plan.table.more)
    return replace(plan, devices=tuple(devices), signals=tuple(signals), table=table)


def buffer_key(planned: PlannedSignal) -> SignalKey:
    """How the disk buffer knows a signal."""
    signal = planned.signal
    return SignalKey(planned.device, signal.asset, signal.name, signal.kind.value, signal.datatype.value, signal.unit)


def _wire_type(signal: Signal) -> SparkplugType:
    if signal.kind is SignalKind.WAVEFORM:
        return SparkplugType.BYTES
    datatype = signal.datatype
    return type_of(_WIDENED.get(datatype, datatype))


def signal_table(signals: list[PlannedSignal], more: Mapping[int, SignalSteps]) -> SignalTable:
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
        more=more,
    )


def _text_rule(datatype: Datatype) -> int:
    if datatype.is_text:
        return SignalTable.TEXT
    return SignalTable.DIGITS if datatype in (Datatype.INT64, Datatype.UINT64, Datatype.DATETIME) else 0


def _signal(site: str, device: DeviceConfig, config: SignalConfig, plant: Plant, alias: int) -> PlannedSignal:
    scale, offset = conversion(config)
    datatype = _datatype(config)
    planned = _series(site, device.id, config.asset or device.asset, config, plant.pipeline, alias, datatype)
    write = None
    if config.write is not None and plant.gateway.allow_writes:
        rule = WriteRule.of(config, config.write, _read_as(config), datatype)
        write = replace(rule, reported=planned.deadband)
    return replace(planned, address=address_words(config.address), scale=scale, offset=offset, write=write)


def _feature(
    site: str, device: DeviceConfig, wave: SignalConfig, config: SeriesConfig, pipeline: PipelineConfig, alias: int
) -> PlannedSignal:
    asset = wave.asset or device.asset
    planned = _series(site, device.id, asset, config, pipeline, alias, Datatype.DOUBLE)
    return replace(planned, address=f"computed of {wave.name}", report_all=True)


def _derived(site: str, config: DerivedConfig, pipeline: PipelineConfig, alias: int) -> PlannedSignal:
    planned = _series(site, COMPUTED, config.asset, config, pipeline, alias, Datatype.DOUBLE)
    return replace(planned, address="computed")


def _series(
    site: str, device: str, below: str, config: SeriesConfig, pipeline: PipelineConfig, alias: int, datatype: Datatype
) -> PlannedSignal:
    low, high = config.range or (None, None)
    signal = Signal(
        asset=f"{site}/{below}" if below else site,
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
        device=device,
        metric=signal.path.removeprefix(f"{site}/"),
        alias=alias,
        wire_type=_wire_type(signal),
        address="",
        deadband=deadband(config, pipeline),
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
    """Type that is announced: that of the mapped values, else of what is read; a scaled integer is Double."""
    if config.kind is SignalKind.WAVEFORM:
        return Datatype.FLOAT
    if config.map:
        words = isinstance(next(iter(config.map.values())), str)
        return Datatype.STRING if words else config.datatype or Datatype.DOUBLE
    datatype = _read_as(config)
    scale, offset = conversion(config)
    scaled = scale != 1.0 or not float(offset).is_integer()
    return Datatype.DOUBLE if scaled and datatype in _INTEGERS else datatype


def _read_as(config: SignalConfig) -> Datatype:
    """The plant's word, else the driver's (`datatype` of an address), else Double; of a map: as its raw values."""
    if config.map and not all(is_number(raw) for raw in config.map):
        return Datatype.STRING
    given = None if config.map else config.datatype
    given = given or getattr(config.address, "datatype", None)
    return given if isinstance(given, Datatype) else Datatype.DOUBLE


def _groups(points: tuple[Point, ...]) -> tuple[tuple[float, tuple[Point, ...]], ...]:
    intervals = sorted({point.interval for point in points})
    return tuple((seconds, tuple(point for point in points if point.interval == seconds)) for seconds in intervals)


def _tree(plant: Plant) -> Iterator[Equipment]:
    enterprise = plant.plant.enterprise
    site = f"{enterprise}/{plant.plant.site}"
    yield Equipment(enterprise, enterprise, Level.ENTERPRISE)
    yield Equipment(site, plant.plant.name, Level.SITE)
    more = sensor_lines(plant.vibration_sensors, site)
    for node in _below(site, plant.equipment, library(plant.types)):
        yield replace(node, attributes=(*node.attributes, *more[node.path])) if node.path in more else node


def _below(parent: str, children: tuple[EquipmentConfig, ...], types: Mapping[str, AssetType]) -> Iterator[Equipment]:
    for child in children:
        path = f"{parent}/{child.id}"
        sheet = tuple(
            Attribute(
                name, value, types[child.type].attributes[name].unit, types[child.type].attributes[name].description
            )
            for name, value in attributes_of(child, types).items()
        )
        name = child.name or child.id
        yield Equipment(path, name, child.level, child.type, child.description, child.aliases, sheet)
        yield from _below(path, child.children, types)
