"""Operators at work, and backtests."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lineshaft.config.operators import OperatorConfig
from lineshaft.errors import ConfigError, DataError
from lineshaft.hub.api.models import Body, EventView
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, Services, needs
from lineshaft.hub.operators.backtest import BacktestJob
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.security.roles import Role
from lineshaft.model.events import Event
from lineshaft.model.predictions import Prediction, PredictionKind
from lineshaft.operators.builtin import OPERATORS

router = APIRouter(tags=["operators"])

_SHOWN = 5_000
"""Events of a backtest that one answer gives."""
_DRAWN = 12
"""Signals of a backtest that are drawn."""


class RunView(BaseModel):
    """An operator on an asset. Times are UTC microseconds."""

    operator: str
    asset: str
    title: str = Field(description="which operator it is")
    state: str = Field(description="running, reading history or failing")
    error: str
    hint: str = Field(description="what to do about the error")
    failing_since: int = Field(description="0 when it does not fail")
    failures: int = Field(description="how often it has failed since then")
    last_failure: int = Field(description="0 when it does not fail")
    next_try: int = Field(description="when it is tried again; 0 when it does not fail, or is tried now")
    position: int = Field(description="time up to which it has seen everything")
    waiting: int = Field(description="rows that wait for it")
    rows: int
    events: int
    rewinds: int = Field(description="how often it went back because rows came late")
    mean_ms: float = Field(description="of one batch")
    longest_ms: float
    delay: float = Field(description="seconds that a row waits for earlier ones")


class Trial(Body):
    """An operator that fails on an asset."""

    operator: str
    asset: str = Field(description="full path")


class KindView(BaseModel):
    """An operator that can be used."""

    name: str
    title: str
    description: str
    options: dict[str, object] = Field(description="JSON Schema")


class PlannedView(BaseModel):
    """An operator of the plant."""

    id: str
    operator: str
    assets: list[str]
    types: list[str]
    options: dict[str, object]


class OperatorsView(BaseModel):
    """What runs, what the plant says, and what there is."""

    items: list[RunView]
    next: str | None
    plan: list[PlannedView]
    kinds: list[KindView]


class NewBacktest(Body):
    """What to try: an operator of the plant by its id, or a changed or new one."""

    operator: str = Field("", description="id of an operator of the plant, or a version of a model like pumps-2")
    config: OperatorConfig | None = Field(None, description="in place of `operator`")
    asset: str = Field("", description="full path; all that it fits when empty")
    start: int = Field(description="UTC microseconds")
    end: int = Field(description="UTC microseconds, not included")


class ForetoldView(BaseModel):
    """A prediction that would have been made."""

    time: int
    asset: str
    kind: PredictionKind
    model: str
    version: str
    value: float | None
    p10: float | None
    p90: float | None
    alarm: bool
    due: int | None
    inputs: dict[str, object]
    words: str


class BacktestView(BaseModel):
    """A backtest. Its events are what live operation would have found; they are stored nowhere."""

    id: int
    operator: str
    assets: list[str]
    signals: list[int] = Field(description="ids of the inputs, to be drawn beside the events")
    start: int
    end: int
    by: str
    state: str = Field(description="waiting, running, done, failed or cancelled")
    progress: float = Field(description="0 to 1")
    error: str
    count: int = Field(description="events so far")
    events: list[EventView]
    predicted: int = Field(description="predictions so far")
    predictions: list[ForetoldView]


class BacktestList(BaseModel):
    """Backtests that are still known, newest first; without their events."""

    items: list[BacktestView]
    next: str | None


@router.get("/operators")
def operators(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> OperatorsView:
    """Each operator on each asset, with its position, latency and errors; those of the plant; and all kinds."""
    desk = parts.operators
    found, more = paged(
        [] if desk is None else desk.figures(), lambda one: f"{one.operator}/{one.asset}", cursor, limit
    )
    return OperatorsView(
        items=[RunView(**asdict(one)) for one in found],
        next=more,
        plan=[
            PlannedView(
                id=one.id,
                operator=one.config.operator,
                assets=list(one.config.assets),
                types=list(one.config.types),
                options=dict(one.config.options),
            )
            for one in (() if desk is None else desk.plan)
        ],
        kinds=[
            KindView(
                name=spec.name, title=spec.title, description=spec.description, options=spec.options.model_json_schema()
            )
            for spec in OPERATORS.values()
        ],
    )


@router.post("/operators/try", dependencies=[needs(Role.OPERATOR)], status_code=202)
def try_now(wanted: Trial, parts: Parts) -> None:
    """Try an operator that fails now, without waiting for its next time."""
    if not _desk(parts).try_now(wanted.operator, wanted.asset):
        raise NotFound(f"no operator {wanted.operator!r} fails on {wanted.asset!r}")


@router.post("/backtests", dependencies=[needs(Role.ENGINEER)], status_code=202)
def begin(wanted: NewBacktest, parts: Parts, caller: Caller) -> BacktestView:
    """Begin a backtest; ask for it by its id until it is done."""
    desk = _desk(parts)
    if (wanted.config is None) == (not wanted.operator):
        raise DataError("either operator or config is needed")
    try:
        planned = [desk.tried(wanted.config)] if wanted.config is not None else desk.known(wanted.operator)
        job = desk.ask(planned, wanted.asset, wanted.start, wanted.end, caller.name)
    except ConfigError as error:
        raise DataError(str(error), hint=error.hint) from error
    return _view(job)


@router.get("/backtests")
def backtests(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> BacktestList:
    """Backtests of the last time, newest first."""
    found, more = paged(_desk(parts).backtests.jobs()[::-1], lambda job: job.id, cursor, limit)
    return BacktestList(items=[_view(job, most=0) for job in found], next=more)


@router.get("/backtests/{number}")
def backtest(number: int, parts: Parts) -> BacktestView:
    """A backtest with its progress and what it has found so far."""
    return _view(_job(parts, number))


@router.delete("/backtests/{number}", dependencies=[needs(Role.ENGINEER)], status_code=204)
def cancel(number: int, parts: Parts) -> None:
    """End a backtest; what it has found stays."""
    _desk(parts).backtests.cancel(_job(parts, number).id)


def _desk(parts: Services) -> OperatorDesk:
    if parts.operators is None:
        raise NotFound("this hub runs no operators")
    return parts.operators


def _job(parts: Services, number: int) -> BacktestJob:
    job = _desk(parts).backtests.job(number)
    if job is None:
        raise NotFound(f"there is no backtest {number}")
    return job


def _view(job: BacktestJob, most: int = _SHOWN) -> BacktestView:
    return BacktestView(
        id=job.id,
        operator=job.operator,
        assets=[one.asset.path for one in job.bindings],
        signals=list(dict.fromkeys(id_ for one in job.bindings for id_ in one.ids))[:_DRAWN],
        start=job.start,
        end=job.end,
        by=job.by,
        state=job.state,
        progress=job.progress,
        error=job.error,
        count=len(job.events),
        events=[_event(place, event) for place, event in enumerate(job.events[:most])],
        predicted=len(job.predictions),
        predictions=[_foretold(one) for one in job.predictions[:most]],
    )


def _foretold(one: Prediction) -> ForetoldView:
    return ForetoldView(
        time=one.time,
        asset=one.subject,
        kind=one.kind,
        model=one.model,
        version=one.version,
        value=one.value,
        p10=one.p10,
        p90=one.p90,
        alarm=one.alarm,
        due=one.due,
        inputs=dict(one.inputs),
        words=one.words,
    )


def _event(place: int, event: Event) -> EventView:
    return EventView(
        id=place,
        time=event.time,
        kind=event.kind,
        subject=event.subject,
        message=event.message,
        severity=event.severity,
        details=dict(event.details),
    )
