"""What the API of maintenance gives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from lineshaft.hub.api.models import Body


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
    zones: int | None = Field(description="id of its severity zones; null for own boundaries or none")
    boundaries: tuple[float, float, float] | None = Field(description="A/B, B/C, C/D in mm/s that hold")
    edition: str = Field(description="where these come from")
    teeth: int | None
    mains: float | None = Field(description="Hz")
    poles: int | None
    vanes: int | None
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
    next: str | None


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
    not_parted: tuple[str, ...] = Field(description="what explains the same lines as well in this record")


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
    verdict: str = Field(
        description="outer_race, inner_race, rolling_element, cage, healthy, not parted or not diagnosable; "
        "of a current rotor_bar, eccentricity, sound or not diagnosable"
    )
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
    kind: str = Field(
        description="opened, stage, finding, gone, life, anomaly, named, escalated, reopened, closed, acknowledge, "
        "assign, comment or work"
    )
    words: str
    by: str = Field(description="'' for the hub itself")
    details: dict[str, Any]


class CaseView(BaseModel):
    """A fault of an asset; open until it is repaired, or went away. Times are UTC microseconds."""

    id: int
    asset: str
    part: str
    fault: str = Field(description="kind of the finding; '' while nobody knows")
    opened: int
    closed: int | None
    stage: str
    worst: str
    left_normal: str = Field(description="ISO 8601: since when it is not as in its healthy time")
    severity: str = Field(description="low, medium, high, critical: chance times cost")
    chance: float = Field(description="of a failure within 30 days")
    basis: Literal["life", "stage", "repaired"] = Field(
        description="what the chance comes from: the remaining life, the stage alone, or work was done since"
    )
    loss: float | None = Field(description="chance times the cost of a failure, in the plant's currency")
    failure_cost: float | None
    repair_cost: float | None
    acknowledged: str
    assigned: str
    worked: int | None
    outcome: str = Field(description="confirmed, none, failed, or '' while nobody has said")
    why: str = Field(description="it was closed: repaired, passed, person")
    cost: float = Field(description="of the work so far")
    life: dict[str, Any]
    finding: dict[str, Any]
    last: str = Field(description="the newest words about it")
    updated: int


class Cases(BaseModel):
    """Open cases first, the most severe first; then the newest."""

    items: list[CaseView]
    currency: str
    next: str | None


class FeatureView(BaseModel):
    """One signal before and after the repair: medians of a day."""

    name: str
    unit: str
    before: float
    after: float


class BurstsView(BaseModel):
    """A burst of each side of the repair, at a like speed."""

    signal: int
    path: str
    before: int
    after: int


class ComparisonView(BaseModel):
    """The vibration before and after the repair."""

    before: tuple[int, int]
    after: tuple[int, int]
    features: list[FeatureView]
    bursts: list[BurstsView]
    final: bool = Field(True, description="false: a day after the work has not passed yet, so it is a first look")


class CaseDetail(CaseView):
    """A case with its whole story."""

    entries: list[EntryView]
    comparison: ComparisonView | None
    currency: str


class Action(Body):
    """What somebody does with a case."""

    action: Literal["acknowledge", "assign", "comment", "work", "close", "reopen"]
    words: str = Field("", max_length=2000, description="what was seen, said or done")
    to: str = Field("", max_length=64, description="whom it is given to, for assign")
    found: Literal["", "confirmed", "none", "failed"] = Field(
        "", description="what somebody found who looked, for work and close: the fault, nothing, or that it has failed"
    )
    cost: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False, description="of the work")
    hours: float | None = Field(None, ge=0, le=10_000, allow_inf_nan=False, description="that the work took")
    time: int | None = Field(None, ge=0, le=2**62, description="UTC microseconds: end of the work; now when absent")


class LifeView(BaseModel):
    """Hours that are left: with 10, 50 and 90 % chance it has failed by then."""

    time: int
    p10: float
    p50: float
    p90: float


class PlanLife(BaseModel):
    """What is left by the coming plan of production; `words` say what the plan asks, or why it does not count."""

    life: LifeView | None = None
    words: str
    until: int | None = Field(default=None, description="UTC microseconds: end of the plan; then it runs as before")
    hours_a_day: float | None = Field(default=None, description="that it runs by the plan")
    hours_before: float | None = Field(default=None, description="that it ran a day in the week before the estimate")
    speed: float | None = Field(default=None, description="of the plan, by that of the week before")
    load: float | None = Field(default=None, description="of the plan, by that of the week before")


class HealthView(BaseModel):
    """The health of a machine now, for the board."""

    asset: str
    stage: str = Field(description="normal, watch, alarm, danger; learning before there is an index")
    index: float | None
    time: int | None = Field(description="of the index")
    watch: float | None = Field(description="index at which the stage watch begins")
    life: LifeView | None = Field(description="when it runs on as it did")
    planned: LifeView | None = Field(description="by the coming plan of production, where there is one")
    left_normal: str
    spark: list[float | None] = Field(description="largest index of each part of the last 30 days")
    case: int | None = Field(description="id of an open case")


class Board(BaseModel):
    """Every machine with a health, the worst first."""

    items: list[HealthView]
    next: str | None


class Line(BaseModel):
    """A signal over time, thinned."""

    time: list[int]
    value: list[float | None]


class ShareView(BaseModel):
    """What part each signal has in the index, at an instant."""

    time: int
    stage: str
    shares: dict[str, float]


class HealthDetail(BaseModel):
    """Everything about the health of one machine."""

    asset: str
    stage: str
    index: Line
    limits: dict[str, float | None] = Field(description="index of watch, alarm, danger, failure")
    life: list[LifeView] = Field(description="every estimate, thinned: the past predictions")
    left_normal: str
    shares: list[ShareView]
    stages: list[EntryView]
    learned: str
    features: list[str] = Field(description="signals below the asset")
    cases: list[CaseView]
    currency: str


class PlannedLife(BaseModel):
    """What is left under a plan."""

    now: LifeView | None
    planned: LifeView | None
    words: str
