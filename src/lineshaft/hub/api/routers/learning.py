"""Models that are trained here: candidates, training runs, versions, and putting them to work."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lineshaft.hub.api.models import Body
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, Services, needs
from lineshaft.hub.models.desk import ModelDesk, TrainingJob
from lineshaft.hub.models.training import Settings
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.models import AT_WORK, ModelState, ModelVersion

router = APIRouter(prefix="/models", tags=["models"])

_LOOKED: Final = 5  # newest predictions for each asset
_NAME: Final = r"^[a-z0-9][a-z0-9_.-]{0,47}$"


class SettingsBody(Body):
    """How a model looks at its signals."""

    window: float = Field(600.0, ge=1, le=86_400, description="seconds over which signals are averaged")
    hold: float = Field(3600.0, ge=0, description="seconds that a signal without a sample keeps its last value")
    persistence: int = Field(3, ge=1, le=1000, description="windows in a row beyond the limit that begin an alarm")
    calm: int = Field(12, ge=1, le=10_000, description="windows in a row within the limit that end it")
    method: Literal["baseline", "forecast"] = Field("forecast", description="which score decides")
    level: float = Field(0.995, gt=0.5, lt=1, description="part of normal windows that stays below the limit")
    horizon: float = Field(1_209_600.0, gt=0, description="seconds after an alarm within which a fault should be found")
    every: float = Field(3600.0, gt=0, le=86_400, description="seconds between predictions")
    look: float = Field(604_800.0, gt=0, description="seconds over which inputs are compared with the training")


class NewTraining(Body):
    """What to train. Times are UTC microseconds; the held-out range must not touch the training range."""

    name: str = Field(pattern=_NAME, description="of the model; an existing one gets a new version")
    type: str = Field(min_length=1, max_length=64, description="asset type")
    features: list[str] = Field(min_length=1, max_length=40, description="signals by their names below the asset")
    operating: list[str] = Field([], max_length=8, description="signals that say the operation, like speed and load")
    assets: list[str] = Field([], description="full paths; all of the type when empty")
    start: int
    end: int
    held_start: int
    held_end: int
    settings: SettingsBody = Field(default_factory=lambda: SettingsBody.model_validate({}))
    note: str = Field("", max_length=2000)


class TrainingView(BaseModel):
    """A training run."""

    id: int
    name: str
    type: str
    assets: list[str]
    by: str
    begun: int
    state: str = Field(description="waiting, running, done, failed or cancelled")
    progress: float
    error: str
    version: int | None = Field(description="what it made, once it is done")


class Trainings(BaseModel):
    """Training runs of the last time, newest first."""

    items: list[TrainingView]
    next: str | None


class ChangeView(BaseModel):
    """A version came into another state."""

    version: int
    time: int
    by: str
    why: str
    before: str
    after: str


class DriftView(BaseModel):
    """How far the inputs of a version have left its training, on one asset."""

    asset: str
    time: int
    index: float | None = Field(description="population stability index of the worst input; null: not known yet")
    signal: str
    drifted: bool
    score: float | None = Field(description="highest score of its last prediction; 1 is the limit")
    alarm: bool


class VersionView(BaseModel):
    """A version of a model. `metrics`: on the held-out range, {methods: {baseline, forecast}, assets: {path: ...}}."""

    name: str
    version: int
    id: str
    type: str
    state: ModelState
    features: list[str]
    operating: list[str]
    start: int
    end: int
    held_start: int
    held_end: int
    settings: dict[str, Any]
    metrics: dict[str, Any]
    warnings: list[str]
    code: str
    by: str
    note: str
    created: int
    drift: list[DriftView] = Field(description="by asset, of the newest prediction of each; while it is at work")


class Versions(BaseModel):
    """Versions by name, newest first."""

    items: list[VersionView]
    next: str | None


class Card(BaseModel):
    """Everything about a version."""

    model: VersionView
    changes: list[ChangeView]
    document: dict[str, Any] | None


class CandidateView(BaseModel):
    """A signal that can be a feature."""

    name: str
    unit: str
    assets: int


class TypeView(BaseModel):
    """An asset type."""

    name: str
    assets: int


class Candidates(BaseModel):
    """Types that can be trained, and the signals of one of them."""

    types: list[TypeView]
    items: list[CandidateView]


class Move(Body):
    """Into which state, and why."""

    state: Literal["shadow", "active", "retired"]
    why: str = Field(min_length=3, max_length=2000)


class Moved(BaseModel):
    """What became of it."""

    model: VersionView
    words: list[str]


@router.get("")
def versions(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Versions:
    """Every version with its ranges, features, and metrics on held-out time."""
    found, more = paged(parts.state.models.find(), lambda one: f"{one.name}/{one.version}", cursor, limit)
    return Versions(items=[_view(parts, one) for one in found], next=more)


@router.get("/candidates")
def candidates(parts: Parts, type: Annotated[str, Query(description="asset type")] = "") -> Candidates:  # noqa: A002
    """What can be trained."""
    desk = _desk(parts)
    return Candidates(
        types=[TypeView(name=name, assets=count) for name, count in desk.types()],
        items=[CandidateView(name=one.name, unit=one.unit, assets=one.assets) for one in desk.candidates(type)],
    )


@router.post("/trainings", dependencies=[needs(Role.ENGINEER)], status_code=202)
def begin(body: NewTraining, parts: Parts, caller: Caller) -> TrainingView:
    """Begin a training run; ask for it by its id until it is done. It makes a draft."""
    desk = _desk(parts)
    wanted = desk.wanted(
        name=body.name,
        type_=body.type,
        features=body.features,
        operating=body.operating,
        assets=body.assets,
        training=(body.start, body.end),
        held_out=(body.held_start, body.held_end),
        settings=Settings(**body.settings.model_dump()),
        note=body.note,
    )
    return _training(desk.train(wanted, caller.name))


@router.get("/trainings")
def trainings(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Trainings:
    """Training runs of the last time, newest first."""
    found, more = paged(_desk(parts).jobs.jobs()[::-1], lambda job: job.id, cursor, limit)
    return Trainings(items=[_training(job) for job in found], next=more)


@router.get("/trainings/{number}")
def training(number: int, parts: Parts) -> TrainingView:
    """A training run with its progress."""
    return _training(_job(parts, number))


@router.delete("/trainings/{number}", dependencies=[needs(Role.ENGINEER)], status_code=204)
def cancel(number: int, parts: Parts) -> None:
    """End a training run; it makes nothing."""
    _desk(parts).jobs.cancel(_job(parts, number).id)


@router.get("/{name}/{version}")
def card(
    name: str,
    version: int,
    parts: Parts,
    document: Annotated[bool, Query(description="also what was learned, as JSON")] = False,
) -> Card:
    """A version: what it was trained on, how it did on held-out time, what became of it, and its drift."""
    found = _version(parts, name, version)
    return Card(
        model=_view(parts, found),
        changes=[
            ChangeView(version=one.version, time=one.time, by=one.by, why=one.why, before=one.before, after=one.after)
            for one in parts.state.models.changes(name)
        ],
        document=dict(found.document) if document else None,
    )


@router.post("/{name}/{version}/state", dependencies=[needs(Role.ENGINEER)])
def move(name: str, version: int, body: Move, parts: Parts, caller: Caller) -> Moved:
    """Put a version on trial (shadow), to use (active, only from shadow), or to rest (retired)."""
    _version(parts, name, version)
    words = _desk(parts).move(name, version, body.state, by=caller.name, why=body.why)
    return Moved(model=_view(parts, _version(parts, name, version)), words=list(words))


def _desk(parts: Services) -> ModelDesk:
    if parts.models is None:
        raise NotFound("this hub trains no models")
    return parts.models


def _version(parts: Services, name: str, version: int) -> ModelVersion:
    found = parts.state.models.get(name, version)
    if found is None:
        raise NotFound(f"there is no version {version} of a model {name!r}")
    return found


def _job(parts: Services, number: int) -> TrainingJob:
    job = _desk(parts).jobs.job(number)
    if job is None:
        raise NotFound(f"there is no training run {number}")
    return job


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _training(job: TrainingJob) -> TrainingView:
    return TrainingView(
        id=job.id,
        name=job.wanted.name,
        type=job.wanted.type,
        assets=[one.asset.path for one in job.wanted.members],
        by=job.by,
        begun=job.begun,
        state=job.state,
        progress=job.progress,
        error=job.error,
        version=job.version,
    )


def _drift(parts: Services, one: ModelVersion) -> list[DriftView]:
    if one.state not in AT_WORK:
        return []
    newest: dict[str, DriftView] = {}
    assets = len(one.metrics.get("assets", ())) or 1
    for stored in parts.state.predictions.find(model=one.name, version=str(one.version), limit=_LOOKED * assets):
        said = stored.prediction
        newest.setdefault(
            said.subject,
            DriftView(
                asset=said.subject,
                time=said.time,
                index=_number(said.inputs.get("drift")),
                signal=str(said.inputs.get("drift of") or ""),
                drifted=bool(said.inputs.get("drifted")),
                score=said.value,
                alarm=said.alarm,
            ),
        )
    return sorted(newest.values(), key=lambda one: one.asset)


def _view(parts: Services, one: ModelVersion) -> VersionView:
    return VersionView(
        name=one.name,
        version=one.version,
        id=one.id,
        type=one.type,
        state=one.state,
        features=list(one.features),
        operating=list(one.operating),
        start=one.start,
        end=one.end,
        held_start=one.held_start,
        held_end=one.held_end,
        settings=dict(one.settings),
        metrics=dict(one.metrics),
        warnings=list(one.warnings),
        code=one.code,
        by=one.by,
        note=one.note,
        created=one.created,
        drift=_drift(parts, one),
    )
