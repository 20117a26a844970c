"""The plant folder as typed, frozen models: every key has a description, and a unit where it has one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from lineshaft.config.asset_types import AssetTypeConfig as AssetTypeConfig
from lineshaft.config.asset_types import AttributeConfig as AttributeConfig
from lineshaft.config.broker import BrokerAccountConfig as BrokerAccountConfig
from lineshaft.config.buffer import BufferConfig as BufferConfig
from lineshaft.config.calendars import BreakConfig as BreakConfig
from lineshaft.config.calendars import CalendarConfig as CalendarConfig
from lineshaft.config.calendars import PlannedStopConfig as PlannedStopConfig
from lineshaft.config.calendars import ShiftConfig as ShiftConfig
from lineshaft.config.calendars import SpecialDayConfig as SpecialDayConfig
from lineshaft.config.calendars import known_zone
from lineshaft.config.history import KeepConfig as KeepConfig
from lineshaft.config.history import RetentionConfig as RetentionConfig
from lineshaft.config.learning import ModelConfig as ModelConfig
from lineshaft.config.oee import BitConfig as BitConfig
from lineshaft.config.oee import CountStatesConfig as CountStatesConfig
from lineshaft.config.oee import LineConfig as LineConfig
from lineshaft.config.oee import MachineConfig as MachineConfig
from lineshaft.config.oee import OeeConfig as OeeConfig
from lineshaft.config.oee import PowerStatesConfig as PowerStatesConfig
from lineshaft.config.oee import ProductConfig as ProductConfig
from lineshaft.config.oee import ReasonConfig as ReasonConfig
from lineshaft.config.operators import OperatorConfig as OperatorConfig
from lineshaft.config.results import MailConfig as MailConfig
from lineshaft.config.results import ShiftReportConfig as ShiftReportConfig
from lineshaft.config.results import WebhookConfig as WebhookConfig
from lineshaft.config.rules import RuleConfig as RuleConfig
from lineshaft.config.section import Section as Section
from lineshaft.config.section import key as key
from lineshaft.config.status_page import StatusPageConfig as StatusPageConfig
from lineshaft.config.uplinks import AwsIotUplink as AwsIotUplink
from lineshaft.config.uplinks import AzureIotUplink as AzureIotUplink
from lineshaft.config.uplinks import HttpsUplink as HttpsUplink
from lineshaft.config.uplinks import MqttJsonUplink as MqttJsonUplink
from lineshaft.config.uplinks import SparkplugUplink as SparkplugUplink
from lineshaft.config.uplinks import TlsConfig as TlsConfig
from lineshaft.config.uplinks import UplinkConfig as UplinkConfig
from lineshaft.config.values import Duration, Id, Size
from lineshaft.config.vibration import VibrationSensorConfig as VibrationSensorConfig
from lineshaft.config.waveforms import WaveformConfig as WaveformConfig
from lineshaft.config.writes import WriteConfig as WriteConfig
from lineshaft.model.equipment import Datatype, Level, SignalKind


class PlantConfig(Section):
    """Who and where the plant is."""

    enterprise: Id = key(..., "Id of the enterprise: first part of every path.")
    site: Id = key(..., "Id of the site: second part of every path, and the Sparkplug group.")
    name: str = key(..., "Name of the site that people read.")
    timezone: str = key(..., "IANA time zone of the plant, like Europe/Berlin; shifts and days follow it.")
    currency: str = key("EUR", "ISO 4217 code of the money shown.", pattern="^[A-Z]{3}$")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)


class EquipmentConfig(Section):
    """One node of the ISA-95 equipment tree."""

    id: Id = key(..., "Part of the path; unique under its parent.")
    name: str = key("", "Name that people read; the id when empty.")
    level: Level = key(Level.ASSET, "Level of the hierarchy (IEC 62264).")
    type: str = key("", "Asset type: cnc, pump, motor, compressor, press, meter ...")
    description: str = key("", "One sentence for people.")
    aliases: tuple[str, ...] = key(
        (), "Other names under which people look for it: inventory number, ERP id, old name."
    )
    attributes: dict[str, float | str] = key({}, "Data sheet: attributes of its type and their values.")
    children: tuple[EquipmentConfig, ...] = key((), "Equipment below this one.")


class LimitsConfig(Section):
    """Alarm limits in the signal's unit."""

    low_low: float | None = key(None, "Below this: act at once.", unit="signal")
    low: float | None = key(None, "Below this: attention.", unit="signal")
    high: float | None = key(None, "Above this: attention.", unit="signal")
    high_high: float | None = key(None, "Above this: act at once.", unit="signal")

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        given = [
            (name, value)
            for name in ("low_low", "low", "high", "high_high")
            if (value := getattr(self, name)) is not None
        ]
        for (name, value), (next_name, next_value) in pairwise(given):
            if value >= next_value:
                raise ValueError(f"limits must ascend: {name} ({value:g}) is not below {next_name} ({next_value:g})")
        return self


class PipelineConfig(Section):
    """What happens to a sample between the driver and the buffer; a signal's own keys win over these."""

    deadband: float | None = key(
        None, "Send a value when it differs by more than this; none: every change.", unit="signal", ge=0
    )
    deadband_percent: float | None = key(None, "The same in percent of the signal's range.", unit="%", gt=0, le=100)
    heartbeat: Duration | None = key(60.0, "Send an unchanged value at least this often.", unit="s")
    report: Literal["changes", "all"] = key("changes", "changes: report by exception; all: every sample.")
    compress: Literal["deadband", "swinging-door"] = key(
        "deadband",
        "How the deadband of measures is used. swinging-door: straight lines between the values sent are never "
        "further from a value read than the deadband.",
    )
    clock_skew: Duration | None = key(
        None, "A source whose time is further from the gateway's than this is uncertain; none: not checked.", unit="s"
    )


class StuckConfig(Section):
    """A sensor that shows the same value for too long while it should move is uncertain."""

    after: Duration = key(..., "So long without a change.", unit="s", gt=0)
    tolerance: float = key(0.0, "A change up to this is none.", unit="signal", ge=0)
    running: str = key("", "Path below the site of a signal that says whether it should move; always when empty.")
    above: float = key(0.0, "It should move while that signal is above this.", unit="running")


class DriftConfig(Section):
    """A sensor that goes slowly away, from a reference or by itself, is uncertain."""

    over: Duration = key(3600.0, "Time constant of the smoothing; judged when so much time was seen.", unit="s", gt=0)
    reference: str = key("", "Path below the site of a signal that should read the same.")
    tolerance: float | None = key(None, "Largest smoothed difference to the reference.", unit="signal", gt=0)
    trend: float | None = key(None, "Largest smoothed slope, up or down.", unit="signal/h", gt=0)

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if (self.tolerance is None) != (not self.reference):
            raise ValueError("reference and tolerance belong together")
        if self.tolerance is None and self.trend is None:
            raise ValueError("needs a trend, or a reference with its tolerance")
        return self


class SwappedConfig(Section):
    """A source that suddenly gives the same quantity in another unit is uncertain."""

    normal: tuple[float, float] = key(..., "Where the value usually is.", unit="signal")
    units: tuple[str, ...] = key(..., "Units that it may be taken for, like degF.", min_length=1)

    @field_validator("normal")
    @classmethod
    def _normal_ascends(cls, value: tuple[float, float]) -> tuple[float, float]:
        return ascending("normal band", value)


def ascending(name: str, value: tuple[float, float]) -> tuple[float, float]:
    """The pair itself. Raises ValueError when its first number is not below the second."""
    if value[0] >= value[1]:
        raise ValueError(f"the {name} must ascend: {value[0]:g} is not below {value[1]:g}")
    return value


class SeriesConfig(Section):
    """What signals of devices and computed signals have in common."""

    name: Id = key(..., "Name of the signal on its asset.")
    asset: str = key("", "Path of the asset below the site; the device's asset when empty.")
    kind: SignalKind = key(SignalKind.MEASURE, "measure, counter, state, waveform or event.")
    unit: str = key("", "Unit after scaling, like kW, degC, bar, mm/s, 1/min.")
    range: tuple[float, float] | None = key(
        None, "What the sensor can measure; outside it the quality is uncertain.", unit="signal"
    )
    limits: LimitsConfig = key(LimitsConfig(), "Alarm limits.")
    decimals: int | None = key(None, "Digits after the point that people see.", ge=0, le=9)
    states: dict[str, str] = key({}, "For kind state: raw value -> word.")
    deadband: float | None = key(None, "See pipeline.deadband.", unit="signal", ge=0)
    deadband_percent: float | None = key(None, "See pipeline.deadband_percent.", unit="%", gt=0, le=100)
    heartbeat: Duration | None = key(None, "See pipeline.heartbeat.", unit="s")
    report: Literal["changes", "all"] | None = key(None, "See pipeline.report.")
    compress: Literal["deadband", "swinging-door"] | None = key(None, "See pipeline.compress.")
    max_rate: float | None = key(
        None, "Fastest change that can be true; a faster one is uncertain.", unit="signal/s", gt=0
    )
    spike: float | None = key(
        None,
        "A value further than this from the median of itself and the four before is uncertain.",
        unit="signal",
        gt=0,
    )
    stuck: StuckConfig | None = key(None, "Check for a value that does not move.")
    drift: DriftConfig | None = key(None, "Check for a slow departure.")
    swapped: SwappedConfig | None = key(None, "Check for the same quantity in another unit.")
    description: str = key("", "One sentence for people.")

    @field_validator("range")
    @classmethod
    def _range_ascends(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if value is None else ascending("range", value)


class SignalConfig(SeriesConfig):
    """One signal of a device."""

    address: Any = key(
        ..., "Where the value is on the device; its form is the driver's, and after loading its address model."
    )
    datatype: Datatype | None = key(None, "Type announced to the platform; the driver's choice when empty.")
    map: dict[str, float | str] = key(
        {}, "Raw value -> number, or raw value -> word; a raw value that is not listed stays and is uncertain."
    )
    scale: float = key(1.0, "Value = raw * scale + offset.")
    offset: float = key(0.0, "Value = raw * scale + offset.", unit="signal")
    source_unit: str = key("", "Unit after scale and offset, where it is not `unit`; converted into it.")
    poll: Duration | None = key(None, "How often it is read; the device's interval when empty.", unit="s")
    clock_skew: Duration | None = key(None, "See pipeline.clock_skew.", unit="s")
    waveform: WaveformConfig | None = key(None, "For kind waveform: rate, speed, features and what is kept.")
    write: WriteConfig | None = key(None, "Lets people set this value within bounds; none: it can only be read.")

    @field_validator("map")
    @classmethod
    def _one_kind(cls, value: dict[str, float | str]) -> dict[str, float | str]:
        if len({isinstance(item, str) for item in value.values()}) > 1:
            raise ValueError("maps to numbers or to words, not to both")
        return value


class CounterRateConfig(Section):
    """How fast a counter grows; a reset starts anew, a rollover goes on."""

    of: str = key(..., "Path below the site of the counter.")
    per: Literal["s", "min", "h"] = key("s", "Growth in so much time.")
    rollover: float | None = key(
        None, "The counter goes from just below this to 0; none: every fall is a reset.", unit="counter", gt=0
    )
    min_interval: Duration = key(0.0, "Shortest time over which a rate is taken.", unit="s", ge=0)


class AggregateConfig(Section):
    """One value for each interval of the clock, stamped with the interval's start."""

    of: str = key(..., "Path below the site of the signal.")
    function: Literal["mean", "min", "max", "last"] = key("mean", "What of the good values is sent.")
    interval: Duration = key(..., "Length; intervals start at multiples of it since 1970, UTC.", unit="s", gt=0)
    grace: Duration = key(0.0, "How long an interval waits for samples that come late.", unit="s", ge=0)


class DerivedConfig(SeriesConfig):
    """A signal that the gateway computes: by exactly one of expression, rate and aggregate."""

    expression: str = key("", "Formula over `inputs`, like (supply - back) * flow * 1.163.")
    inputs: dict[str, str] = key({}, "Name in the formula -> path of the signal below the site.")
    rate: CounterRateConfig | None = key(None, "Rate of a counter.")
    aggregate: AggregateConfig | None = key(None, "Mean, min, max or last of each interval.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum((bool(self.expression), self.rate is not None, self.aggregate is not None)) != 1:
            raise ValueError("needs exactly one of expression, rate and aggregate")
        if bool(self.expression) != bool(self.inputs):
            raise ValueError("expression and inputs belong together")
        return self


class EdgeRuleConfig(RuleConfig):
    """A rule that the gateway judges by itself: a condition that holds long enough is an event."""

    asset: str = key(..., "Path of the asset below the site that the events are about.")
    inputs: dict[str, str] = key(..., "Name in the conditions -> path of the signal below the site.", min_length=1)


class DeviceConfig(Section):
    """One device and how to reach it."""

    id: Id = key(..., "Unique in the plant; the Sparkplug device id.")
    name: str = key("", "Name that people read; the id when empty.")
    driver: str = key(..., "Protocol driver, like modbus-tcp or opcua.")
    connection: Any = key({}, "Options of the driver; an instance of its connection model after loading.")
    profile: str = key("", "Device profile that brings the signals, like eastron-sdm630.")
    signals_of_profile: tuple[str, ...] | None = key(None, "Only these signals of the profile; all when absent.")
    asset: str = key("", "Path of the asset below the site that the signals belong to.")
    poll: Duration = key(1.0, "How often signals are read.", unit="s", gt=0)
    timeout: Duration = key(3.0, "How long to wait for one answer.", unit="s", gt=0)
    silence: Duration | None = key(
        None, "A sender without a value for so long is degraded; 0: never. 1 h for MQTT and webhooks.", unit="s", ge=0
    )
    signals: tuple[SignalConfig, ...] = key((), "Signals beside those of the profile.")
    enabled: bool = key(True, "False: known but not connected.")


class ProfileConfig(Section):
    """A device model as data: which signals it has and where. One file in profiles/ or in the plant's profiles/."""

    id: Id = key(..., "What plant files say under profile.")
    title: str = key(..., "Maker and model.")
    drivers: tuple[str, ...] = key(..., "Drivers that can speak to it.")
    source: str = key(..., "The published document that the register map comes from, with edition and table.")
    checked: str = key("", "What else the map was compared with, and what is not in it because nothing confirms it.")
    tried: str = key("", "On which device, and its firmware, it was tried; empty: on none, only on simulated ones.")
    connection: dict[str, Any] = key({}, "Driver options that this device needs.")
    signals: tuple[SignalConfig, ...] = key(..., "Its signals.")


class GatewayConfig(Section):
    """One edge gateway."""

    id: Id = key("gateway-1", "The Sparkplug edge node id.")
    buffer: BufferConfig = key(BufferConfig(), "The disk buffer.")
    uplinks: tuple[UplinkConfig, ...] = key((SparkplugUplink(),), "Where samples go.")
    rollback_after: Duration = key(
        60.0,
        "After a configuration came from the hub, devices that were online must be online again within this, else the "
        "gateway goes back to the one before.",
        unit="s",
        gt=0,
    )
    allow_writes: bool = key(
        False, "Nothing is ever written to a device unless this is true, and then only signals with a `write`."
    )
    foreign_commands: bool = key(
        False, "Take plain Sparkplug commands (DCMD) of other hosts too; the bounds of `write` hold for them."
    )
    status_page: StatusPageConfig = key(StatusPageConfig(), "The gateway's own page.")
    ledger_interval: Duration = key(10.0, "How often the gateway tells its counts to the gap ledger.", unit="s", gt=0)


class HubConfig(Section):
    """The platform process."""

    host: str = key("127.0.0.1", "Address that the page and the API listen on; 0.0.0.0 for the whole network.")
    port: int = key(8720, "Port of the page and the API.", ge=0, le=65535)
    historian: str = key("", "DSN: chdb:///path or clickhouse://user@host/db; a folder in the data folder when empty.")
    database: str = key(
        "",
        "DSN of the state database: sqlite:///path or postgresql://...; a file in the data folder when empty.",
    )
    broker: str = key("", "mqtt://host:port of another broker; the embedded one when empty.")
    broker_user: str = key("", "User at that broker.")
    broker_password_file: str = key("", "File that holds the password, relative to the data folder.")
    broker_host: str = key("127.0.0.1", "Address that the embedded broker listens on.")
    broker_port: int = key(18830, "Port of the embedded broker.", ge=0, le=65535)
    broker_accounts: tuple[BrokerAccountConfig, ...] = key((), "Devices and programs that may use the embedded broker.")
    host_id: Id = key("lineshaft", "Sparkplug host id.")
    reorder_timeout: Duration = key(
        2.0, "How long a sequence gap may stand before a rebirth is asked for.", unit="s", gt=0
    )
    rate_limit: float = key(
        200.0,
        "Requests that one user or token may make in the long run, five seconds of them at once; 0: no bound.",
        unit="1/s",
        ge=0,
    )
    mail: MailConfig | None = key(None, "Mail server for reports.")
    retention: RetentionConfig = key(RetentionConfig(), "How long history is kept.")
    disk_reserve: Size = key(
        1_000_000_000,
        "With less free space on the disk of the data folder nothing is stored; gateways keep their samples meanwhile.",
        unit="B",
        ge=0,
    )
    gap: Duration = key(
        900.0,
        "A measure without a sample for longer than this is unknown in between, in means over time.",
        unit="s",
        gt=0,
    )


class SimulatorConfig(Section):
    """The simulated factory behind this plant (demo only)."""

    seed: int = key(1, "The same seed gives the same factory.")
    history: Duration = key(30 * 86400.0, "How much past the first start gets.", unit="s")
    modbus_port: int = key(15020, "First port of the Modbus TCP servers.", ge=0, le=65535)
    opcua_port: int = key(14840, "Port of the OPC UA server.", ge=0, le=65535)
    machine_port: int = key(15120, "First port of the servers of all other protocols.", ge=0, le=65535)
    api_port: int = key(18740, "Port of the fault API, on this computer only.", ge=0, le=65535)


class Plant(Section):
    """A whole plant folder: the sections of all its *.yaml files put together."""

    plant: PlantConfig = key(..., "Who and where the plant is.")
    types: tuple[AssetTypeConfig, ...] = key((), "Types of assets, beside those that come with Lineshaft.")
    equipment: tuple[EquipmentConfig, ...] = key((), "The tree below the site.")
    devices: tuple[DeviceConfig, ...] = key((), "Devices and their signals.")
    vibration_sensors: tuple[VibrationSensorConfig, ...] = key((), "Machines and bearings behind waveforms.")
    derived: tuple[DerivedConfig, ...] = key((), "Signals that the gateway computes.")
    operators: tuple[OperatorConfig, ...] = key((), "Streaming analytics that the hub runs on assets.")
    models: tuple[ModelConfig, ...] = key((), "Models that the hub trains by itself and puts on trial.")
    edge_rules: tuple[EdgeRuleConfig, ...] = key((), "Conditions that the gateway judges by itself.")
    pipeline: PipelineConfig = key(PipelineConfig(), "Defaults of the edge pipeline.")
    gateway: GatewayConfig = key(GatewayConfig(), "The edge gateway.")
    hub: HubConfig = key(HubConfig(), "The platform.")
    calendars: tuple[CalendarConfig, ...] = key((), "Shift calendars.")
    oee: OeeConfig = key(OeeConfig(), "Overall equipment effectiveness.")
    simulator: SimulatorConfig | None = key(None, "The simulated factory, for demo plants.")
