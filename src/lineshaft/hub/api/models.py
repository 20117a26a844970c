"""Bodies of requests and answers; docs/guide/architecture.md is the contract. Times are UTC microseconds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lineshaft.hub.ports import SourceState
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import ID_PATTERN, Datatype, Level, SignalKind
from lineshaft.model.events import Severity


class Body(BaseModel):
    """Base of request bodies: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Credentials(Body):
    """Name and password."""

    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1000)


class NewUser(Body):
    """A user to add."""

    name: str = Field(min_length=1, max_length=64, pattern=ID_PATTERN)
    password: str = Field(max_length=1000)
    role: Role


class ChangedUser(Body):
    """What changes about a user."""

    role: Role | None = None
    password: str | None = Field(None, max_length=1000)


class OwnPassword(Body):
    """The caller's password now, and the one from now on."""

    password: str = Field(min_length=1, max_length=1000)
    new_password: str = Field(max_length=1000)


class FirstUser(Body):
    """The first user, by the one-time link that the command has printed."""

    link: str = Field(min_length=1, max_length=200, description="the secret of the link")
    name: str = Field(min_length=1, max_length=64, pattern=ID_PATTERN)
    password: str = Field(max_length=1000)


class SetupState(BaseModel):
    """Whether the first user must be made."""

    needed: bool


class PlantView(BaseModel):
    """The plant."""

    name: str
    timezone: str = Field(description="IANA time zone")
    currency: str = Field(description="ISO 4217")


class SessionView(BaseModel):
    """Who is signed in."""

    name: str
    role: Role
    via: Literal["session", "token", "screen"]
    expires: int | None
    plant: PlantView


class UserView(BaseModel):
    """A user."""

    name: str
    role: Role
    created: int


class Users(BaseModel):
    """All users."""

    items: list[UserView]
    next: str | None = None


class NewToken(Body):
    """An API token to make."""

    name: str = Field(min_length=1, max_length=100, description="what it is for")
    role: Role = Field(Role.VIEWER, description="at most the owner's role")
    days: int | None = Field(None, ge=1, le=3650, description="how long it is valid; null: until it is removed")
    may_write: bool = Field(False, description="whether it may set values on devices; needs the role engineer besides")


class TokenView(BaseModel):
    """An API token without its secret."""

    id: int
    name: str
    user: str
    role: Role
    created: int
    expires: int | None
    last_used: int | None
    may_write: bool


class MadeToken(TokenView):
    """A new API token."""

    token: str = Field(description="the secret; it cannot be read again")


class Tokens(BaseModel):
    """API tokens: one's own, and all for an admin."""

    items: list[TokenView]
    next: str | None = None


class NewScreen(Body):
    """A wall screen to make a key for."""

    name: str = Field(min_length=1, max_length=100, description="where it hangs")


class ScreenKey(Body):
    """The key of a wall screen."""

    key: str = Field(min_length=1, max_length=200)


class ScreenView(BaseModel):
    """A wall screen without its key."""

    id: int
    name: str
    by: str = Field(description="who made the key")
    created: int
    last_used: int | None


class MadeScreen(ScreenView):
    """A new wall screen."""

    key: str = Field(description="the secret; it cannot be read again")


class Screens(BaseModel):
    """All wall screens."""

    items: list[ScreenView]
    next: str | None = None


class AttributeView(BaseModel):
    """One line of a data sheet."""

    name: str
    value: float | str
    unit: str
    description: str


class ChangeView(BaseModel):
    """A description that became another one."""

    time: int
    path: str = Field(description="of the equipment or the signal")
    source: str = Field(description="gateway whose birth brought it")
    changes: list[tuple[str, Any, Any]] = Field(description="(field, before, after)")


class Changes(BaseModel):
    """Changes of descriptions, newest first."""

    items: list[ChangeView]
    next: str | None = None


class EquipmentView(BaseModel):
    """A node of the equipment tree."""

    path: str
    name: str
    level: Level
    type: str
    parent: str
    description: str
    aliases: list[str] = Field(description="other names under which people look for it")
    attributes: list[AttributeView]


class EquipmentTree(BaseModel):
    """The equipment tree."""

    version: int
    nodes: list[EquipmentView]


class LimitsView(BaseModel):
    """Alarm limits in the signal's unit."""

    low_low: float | None
    low: float | None
    high: float | None
    high_high: float | None


class SignalSource(BaseModel):
    """Where a signal comes from."""

    node: str
    device: str
    address: str


class WriteBounds(BaseModel):
    """Within which bounds a signal may be set, as its gateway says."""

    low: float | None = None
    high: float | None = None
    allowed: list[float | str] | None = None
    max_step: float | None = None
    every: float = Field(description="seconds between two writes")


class SignalView(BaseModel):
    """A signal."""

    id: int
    path: str
    asset: str
    name: str
    kind: SignalKind
    unit: str
    datatype: Datatype
    decimals: int | None
    low: float | None
    high: float | None
    limits: LimitsView
    states: dict[str, str] = Field(description="raw value -> word")
    description: str
    source: SignalSource
    write: WriteBounds | None = Field(description="within which bounds it may be set; null: it can only be read")


class StepView(BaseModel):
    """What one step of the edge pipeline did to a signal; steps that did nothing are left out."""

    step: str
    changed: int
    dropped: int


class PipelineView(BaseModel):
    """What the edge pipeline did to a signal since its gateway's start."""

    time: int | None = Field(description="when the gateway said so; null: it has not said anything yet")
    node: str
    rows_in: int = Field(description="values read from the device")
    rows_out: int = Field(description="values sent on")
    steps: list[StepView]


class UseView(BaseModel):
    """A use of a signal. `where`: path of the asset or signal that it is about, of a view its address."""

    kind: Literal["operator", "model", "edge rule", "computed", "oee", "view"]
    name: str
    where: str
    role: Literal["input", "output"]


class UsesView(BaseModel):
    """Who uses a signal."""

    items: list[UseView]


class SignalPage(BaseModel):
    """Signals by path; `next` is the cursor of the next page."""

    items: list[SignalView]
    next: str | None


class LatestColumns(BaseModel):
    """The latest row of each signal that has one."""

    signal: list[int]
    time: list[int]
    value: list[float | None]
    text: list[str | None]
    quality: list[int]


class WaveformItem(BaseModel):
    """One burst without its samples; fewer `samples` than `total` are half a waveform."""

    id: str
    time: int = Field(description="UTC microseconds of the first sample")
    rate: float = Field(description="Hz")
    speed: float | None = Field(description="of the shaft, 1/min")
    samples: int
    total: int
    rms: float | None = Field(description="about the mean, in the unit of the signal")
    quality: int


class WaveformPage(BaseModel):
    """Bursts of one signal by time."""

    signal: int
    unit: str
    items: list[WaveformItem]


class RefusedView(BaseModel):
    """A reason for which bursts were none; it is told again when it changes or a good burst was between."""

    time: int = Field(description="UTC microseconds at which the gateway met it")
    reason: str
    mend: str = Field(description="what to do about it, '' when the gateway knows nothing")
    address: str = Field(description="where on the device the burst is")


class RefusedPage(BaseModel):
    """Bursts of one signal that were none, in a range."""

    signal: int
    count: int = Field(description="how many, each of which is a bad sample of the signal")
    items: list[RefusedView] = Field(description="reasons, newest first; the last also when it began before the range")


class WaveformDetail(BaseModel):
    """The samples of one burst. `problem`: why it cannot be judged, '' when it can."""

    id: str
    signal: int
    time: int
    unit: str
    rate: float
    speed: float | None
    total: int
    whole: bool
    problem: str
    value: list[float]


class SpectrumPage(BaseModel):
    """Equidistant lines from `start` on, `step` apart, both in Hz. `band`: that of the envelope."""

    id: str
    signal: int
    time: int
    kind: Literal["amplitude", "velocity", "envelope"]
    unit: str
    speed: float | None
    band: tuple[float, float] | None
    start: float
    step: float
    problem: str
    amplitude: list[float]


class CepstrumPage(BaseModel):
    """Real cepstrum from quefrency 0 on, `step` seconds apart: a family of lines f Hz apart stands at 1 / f."""

    id: str
    signal: int
    time: int
    speed: float | None
    step: float
    problem: str
    level: list[float]


class SpectraPage(BaseModel):
    """Spectra over time; each row covers 0 to `highest` Hz in equal parts, null where there is no line."""

    signal: int
    kind: Literal["amplitude", "velocity", "envelope"]
    unit: str
    highest: float
    time: list[int]
    speed: list[float | None]
    amplitude: list[list[float | None]]


class SeriesColumns(BaseModel):
    """One signal over a range. minmax: the extremes of each bucket in time order. states: each entry is the state that
    lasted longest up to the next entry."""

    signal: int
    mode: Literal["raw", "minmax", "states"]
    time: list[int]
    value: list[float | None]
    text: list[str | None] | None = Field(description="null when no row has text")
    quality: list[int]
    states: list[dict[str, int] | None] | None = Field(
        None, description="mode states: microseconds in each state up to the next entry, the longest first; null: a row"
    )


class SeriesPage(BaseModel):
    """Series in the asked order."""

    series: list[SeriesColumns]


class Aggregates(BaseModel):
    """Aggregates of one signal, one entry for each bucket."""

    signal: int
    samples: list[int] = Field(description="usable samples")
    uncertain: list[int] = Field(description="of these, uncertain ones")
    bad: list[int] = Field(description="samples of bad quality or without a value, which count for nothing")
    gap_seconds: list[float] = Field(description="time of the bucket in which no value was known")
    values: dict[str, list[Any]] = Field(description="function: one number or null for each bucket")


class AggregatePage(BaseModel):
    """Aggregates of signals by local units of time."""

    timezone: str
    bucket: str
    start: list[int] = Field(description="UTC microseconds of each bucket")
    end: list[int]
    name: list[str] = Field(description="the shift; '' for units of the calendar")
    series: list[Aggregates]


class Imported(BaseModel):
    """What an import did."""

    rows: int = Field(description="rows in the body")
    stored: int = Field(description="rows that were not there before")
    repeated: int = Field(description="rows of blocks that an earlier import has stored")
    signals: int
    new_signals: int = Field(description="signals that were not known before")


class SourceView(BaseModel):
    """A gateway (device '') or one of its devices."""

    node: str
    device: str
    name: str
    protocol: str = Field(description="how the gateway reads it, '' when it has not said so")
    state: SourceState
    since: int = Field(description="when this state began")
    updated: int = Field(description="the last word about it")
    last: int | None = Field(description="time of its newest value")
    rate: float = Field(description="values a second, over some ten seconds")
    signals: int
    buffer_rows: int | None = Field(description="samples that wait in the gateway's disk buffer")
    oldest_age: float | None = Field(description="age of the oldest of them in seconds")
    error: str = Field(description="what is wrong, in words")
    hint: str = Field(description="how to mend it")
    details: dict[str, Any]


class Sources(BaseModel):
    """All sources, a gateway before its devices."""

    items: list[SourceView]
    next: str | None = None


class DropView(BaseModel):
    """Samples that the gateway had to remove."""

    rows: int
    first: int
    last: int
    reason: str


class LedgerView(BaseModel):
    """The account of one signal: expected = arrived + dropped + pending + unexplained, once everything is told."""

    signal: str
    id: int | None
    expected: int | None = Field(description="null: its gateway tells no counts")
    arrived: int
    duplicates: int
    dropped: int
    pending: int
    unexplained: int
    drops: list[DropView]


class LedgerPage(BaseModel):
    """Accounts by signal path, and their sums."""

    items: list[LedgerView]
    next: str | None = None
    total: dict[str, int]


class EventView(BaseModel):
    """Something that happened."""

    id: int
    time: int
    kind: str
    subject: str
    message: str
    severity: Severity
    details: dict[str, Any]


class EventPage(BaseModel):
    """Events, newest first; `next` is the cursor of the next page."""

    items: list[EventView]
    next: str | None


class CheckView(BaseModel):
    """Health of one part."""

    part: str
    state: Literal["pass", "warn", "fail"]
    words: str
    mend: str


class Health(BaseModel):
    """Health of every part; `state` is the worst."""

    state: Literal["pass", "warn", "fail"]
    checks: list[CheckView]
    figures: dict[str, Any] = Field(description="counters of ingest")


class Alive(BaseModel):
    """The process answers."""

    alive: Literal[True] = True
