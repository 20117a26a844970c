"""The record: predictions, what happened, and how good the predictions were."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lineshaft.errors import DataError
from lineshaft.hub import record
from lineshaft.hub.api.models import Body
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, mark, marked, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, needs
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.outcomes import StoredOutcome
from lineshaft.model.predictions import Outcome, OutcomeKind, PredictionKind

router = APIRouter(tags=["predictions"])

Asset = Annotated[str, Query(description="this equipment and all below it")]
Since = Annotated[int | None, Query(description="UTC microseconds")]


class PredictionView(BaseModel):
    """A prediction and what became of it. Times are UTC microseconds, lives and errors hours."""

    id: int
    operator: str
    asset: str
    type: str
    kind: PredictionKind
    model: str
    version: str
    time: int
    made: int = Field(description="when the hub stored it")
    value: float | None = Field(description="P50 in hours of a remaining life; null: too early to say")
    p10: float | None
    p90: float | None
    alarm: bool
    due: int | None = Field(description="by when what it claims should have come true")
    shadow: bool = Field(description="the model was on trial: nobody was told")
    inputs: dict[str, Any]
    words: str
    verdict: str = Field(
        description="hit, false, missed, right, undecided, open; of a remaining life silent, open, censored, ended, "
        "outlived; superseded: late rows proved it wrong"
    )
    true: float | None = Field(None, description="hours that the asset lived on")
    error: float | None = Field(None, description="value - true")
    inside: bool | None = Field(None, description="whether P10 to P90 held")


class PredictionPage(BaseModel):
    """Predictions, newest first; `next` is the cursor of the next page."""

    items: list[PredictionView]
    next: str | None


class FaultScoreView(BaseModel):
    """Claims of faults: hits + false + undecided + open = claims."""

    claims: int
    hits: int
    false: int
    undecided: int = Field(description="repaired before anybody could know")
    open: int
    faults: int = Field(description="faults that came while the model watched")
    missed: int
    lead_median: float | None = Field(description="hours from the first alarm to the fault")
    lead_shortest: float | None
    lead_longest: float | None
    months: float = Field(description="machine-months that the model watched")
    false_per_month: float | None = Field(description="false alarms per machine-month")


class LifeScoreView(BaseModel):
    """Remaining lives: silent + open + censored + ended + outlived = predictions."""

    silent: int = Field(description="too early to say")
    open: int
    censored: int = Field(description="repaired before the interval was over")
    ended: int
    outlived: int = Field(description="the asset lived on beyond P90")
    decided: int
    inside: int
    lives: int = Field(description="failures that they were about")
    coverage: float | None = Field(description="part of the P10 to P90 intervals that held; 0.8 is right")
    mean_error: float | None = Field(description="mean absolute error of P50, hours")
    bias: float | None = Field(description="mean error of P50, hours; above 0: it promised too long a life")


class ScoreView(BaseModel):
    """The score of one model version on one class of assets."""

    model: str
    version: str
    kind: PredictionKind
    type: str
    operators: list[str]
    assets: int
    predictions: int
    hindsight: int = Field(description="of these, stored more than a day after their time: made from history")
    first: int
    last: int
    shadow: bool
    faults: FaultScoreView | None
    life: LifeScoreView | None


class Scores(BaseModel):
    """Scores by model, version, kind and asset type."""

    items: list[ScoreView]


class NewOutcome(Body):
    """What happened to an asset."""

    asset: str = Field(min_length=1, max_length=640, description="full path")
    kind: OutcomeKind
    time: int = Field(description="UTC microseconds")
    note: str = Field(min_length=1, max_length=2000, description="what was seen, and how one knows")
    source: str = Field("", max_length=128, description="a case or work order; the same one tells it once")


class OutcomeChange(Body):
    """A correction."""

    why: str = Field(min_length=1, max_length=2000)
    kind: OutcomeKind | None = None
    time: int | None = None
    note: str | None = Field(None, min_length=1, max_length=2000)
    removed: bool | None = Field(None, description="true: it did not happen, and counts no more")


class OutcomeView(BaseModel):
    """What happened, and who said so."""

    id: int
    asset: str
    kind: OutcomeKind
    time: int
    by: str
    note: str
    source: str
    recorded: int
    removed: bool


class Outcomes(BaseModel):
    """Outcomes, newest first."""

    items: list[OutcomeView]
    next: str | None


class ChangeView(BaseModel):
    """A change of an outcome."""

    time: int
    by: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]


class Changes(BaseModel):
    """Changes of an outcome, oldest first."""

    items: list[ChangeView]
    next: str | None


@router.get("/predictions")
def predictions(
    parts: Parts,
    asset: Asset = "",
    model: str = "",
    version: str = "",
    kind: Annotated[PredictionKind | None, Query()] = None,
    since: Since = None,
    until: Annotated[int | None, Query(description="UTC microseconds, not included")] = None,
    alarm: Annotated[bool | None, Query(description="only alarms, or only quiet ones")] = None,
    superseded: Annotated[bool, Query(description="also those that late rows proved wrong")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = "",
) -> PredictionPage:
    """Predictions with their inputs, and what became of each; newest first."""
    page = parts.state.predictions.find(
        asset=asset,
        model=model,
        version=version,
        kind=kind or "",
        since=since,
        until=until,
        superseded=superseded,
        alarm=alarm,
        limit=limit,
        before=marked(cursor),
    )
    items = [_prediction(one) for one in record.judged(parts.state, page, parts.clock.now_us())]
    more = len(items) == limit
    return PredictionPage(items=items, next=mark(items[-1].time, items[-1].id) if more else None)


@router.get("/predictions/scores")
def scores(parts: Parts, asset: Asset = "", model: str = "", version: str = "", since: Since = None) -> Scores:
    """How good predictions were, per model, version and asset class; of all that are kept unless `since` is given."""
    found = record.scores(parts.state, parts.clock.now_us(), asset=asset, model=model, version=version, since=since)
    return Scores(items=[ScoreView.model_validate(one, from_attributes=True) for one in found])


@router.get("/outcomes")
def outcomes(
    parts: Parts,
    asset: Asset = "",
    removed: Annotated[bool, Query(description="also those that were taken back")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = "",
) -> Outcomes:
    """What happened to assets, newest first."""
    found = parts.state.outcomes.find(asset=asset, removed=removed, limit=limit, before=marked(cursor))
    more = len(found) == limit
    return Outcomes(
        items=[_outcome(one) for one in found], next=mark(found[-1].outcome.time, found[-1].id) if more else None
    )


@router.post("/outcomes", dependencies=[needs(Role.OPERATOR)], status_code=201)
def say(body: NewOutcome, parts: Parts, caller: Caller) -> OutcomeView:
    """Say what happened to an asset; predictions are scored against it at once."""
    _, nodes = parts.state.catalogue.equipment()
    if all(node.path != body.asset for node in nodes):
        raise DataError(f"there is no asset {body.asset}", hint="its full path, as in GET /equipment")
    now = parts.clock.now_us()
    if body.time > now:
        raise DataError("this time has not come yet", hint="UTC microseconds")
    outcome = Outcome(body.time, body.asset, body.kind)
    return _outcome(parts.state.outcomes.add(outcome, by=caller.name, note=body.note, now=now, source=body.source))


@router.patch("/outcomes/{number}", dependencies=[needs(Role.OPERATOR)])
def correct(number: int, body: OutcomeChange, parts: Parts, caller: Caller) -> OutcomeView:
    """Correct what was said, with the reason; what it was before is kept."""
    now = parts.clock.now_us()
    if body.time is not None and body.time > now:
        raise DataError("this time has not come yet", hint="UTC microseconds")
    changed = parts.state.outcomes.change(
        number,
        by=caller.name,
        why=body.why,
        now=now,
        kind=body.kind,
        time=body.time,
        note=body.note,
        removed=body.removed,
    )
    return _outcome(changed)


@router.get("/outcomes/{number}/changes")
def changes(number: int, parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Changes:
    """Who changed an outcome, when and why."""
    if all(one.id != number for one in parts.state.outcomes.find(removed=True)):
        raise NotFound(f"there is no outcome {number}")
    found, more = paged(list(enumerate(parts.state.outcomes.changes(number))), lambda one: one[0], cursor, limit)
    return Changes(
        items=[
            ChangeView(time=one.time, by=one.by, why=one.why, before=one.before, after=one.after) for _, one in found
        ],
        next=more,
    )


def _prediction(one: record.Judged) -> PredictionView:
    stored, prediction, life = one.stored, one.stored.prediction, one.life
    return PredictionView(
        id=stored.id,
        operator=stored.operator,
        asset=prediction.subject,
        type=stored.type,
        kind=prediction.kind,
        model=prediction.model,
        version=prediction.version,
        time=prediction.time,
        made=stored.made,
        value=prediction.value,
        p10=prediction.p10,
        p90=prediction.p90,
        alarm=prediction.alarm,
        due=prediction.due,
        shadow=prediction.shadow,
        inputs=dict(prediction.inputs),
        words=prediction.words,
        verdict=one.verdict,
        true=None if life is None else life.true,
        error=None if life is None else life.error,
        inside=None if life is None else life.inside,
    )


def _outcome(one: StoredOutcome) -> OutcomeView:
    return OutcomeView(
        id=one.id,
        asset=one.outcome.asset,
        kind=one.outcome.kind,
        time=one.outcome.time,
        by=one.by,
        note=one.note,
        source=one.source,
        recorded=one.recorded,
        removed=one.removed,
    )
