"""What the API of maintenance gives."""

from __future__ import annotations

from pydantic import BaseModel, Field


class BearingView(BaseModel):
    """A bearing of the library."""

    name: str
    outer: float = Field(description="BPFO by the shaft's speed")
    inner: float = Field(description="BPFI by the shaft's speed")
    ball: float = Field(description="BSF by the shaft's speed")
    cage: float = Field(description="FTF by the shaft's speed")
    elements: int = Field(description="rolling elements in one row")
    source: str


class MachineView(BaseModel):
    """What is usual for a kind of machine."""

    id: str
    title: str
    types: list[str] = Field(description="asset types that it is of")
    zones: str = Field(description="name of its usual severity zones")
    speeds: tuple[float, float] = Field(description="usual speeds in 1/min")
    asks: list[str] = Field(description="what else helps a diagnosis: teeth, mains")
    words: str


class ZoneView(BaseModel):
    """Zone boundaries of one group of machines."""

    id: int
    name: str = Field(description="as plant files call it")
    edition: str
    group: str
    support: str
    velocity: tuple[float, float, float] = Field(description="A/B, B/C, C/D in mm/s RMS")


class Reference(BaseModel):
    """Bearings and severity zones that come with Lineshaft."""

    bearings: list[BearingView]
    machines: list[MachineView]
    zones: list[ZoneView]


class SheetView(BaseModel):
    """What the data sheet says of the machine behind a vibration sensor."""

    machine: str = Field(description="id of its template, empty for none")
    bearing: str = Field(description="name in the library, empty for none")
    orders: tuple[float, float, float, float] | None = Field(description="BPFO, BPFI, BSF, FTF by the speed")
    zones: int | None = Field(description="id of its severity zones")
    teeth: int | None
    mains: float | None = Field(description="Hz")
    problem: str = Field(description="what of it cannot be understood")


class SensorView(BaseModel):
    """A signal of kind waveform, with its newest burst and its data sheet."""

    signal: int
    node: str = Field(description="the gateway that it comes from")
    sheet: SheetView
    path: str
    asset: str
    unit: str
    waveform: str | None = Field(description="id of the newest burst of the last 400 days")
    time: int | None
    speed: float | None = Field(description="1/min, as the device told it")


class Sensors(BaseModel):
    """Every vibration sensor that the hub knows."""

    items: list[SensorView]


class PeakView(BaseModel):
    """A line that speaks for a finding."""

    name: str
    frequency: float = Field(description="Hz")
    over_noise: float = Field(description="power by that of the noise around")


class FindingView(BaseModel):
    """One fault with its evidence."""

    kind: str
    title: str
    likelihood: float
    words: list[str]
    peaks: list[PeakView]
    band: tuple[float, float] | None = Field(description="Hz whose envelope showed it")


class RefusalView(BaseModel):
    """What could not be judged."""

    what: str
    reason: str
    words: str


class DiagnosisView(BaseModel):
    """What one burst says."""

    waveform: str
    signal: int
    time: int
    orders: tuple[float, float, float, float] | None = Field(description="BPFO, BPFI, BSF, FTF that were used")
    verdict: str = Field(description="outer_race, inner_race, rolling_element, cage, healthy or not diagnosable")
    findings: list[FindingView]
    not_diagnosable: list[RefusalView]
    speed: float | None = Field(description="1/min that was used")
    estimated: bool = Field(description="whether the speed was read out of the vibration")
    velocity_rms: float | None = Field(description="mm/s")
    zone: str | None
    edition: str | None
    features: dict[str, float | None]


class EntryView(BaseModel):
    """One thing that happened in a case."""

    time: int
    stage: str
    words: str


class CaseView(BaseModel):
    """A case: open until the machine is back to normal."""

    subject: str
    stage: str
    worst: str
    opened: int
    closed: int | None
    entries: list[EntryView]


class Cases(BaseModel):
    """Open cases first, the worst first."""

    items: list[CaseView]
