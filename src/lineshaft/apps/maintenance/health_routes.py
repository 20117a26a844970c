"""The API of health, below /api/v1/maintenance: the board, one machine, and what is left under a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from lineshaft.analytics.remaining_life.estimate import Duty, under_plan
from lineshaft.apps.maintenance import bodies, story
from lineshaft.apps.maintenance.case_routes import view
from lineshaft.apps.maintenance.parts import App
from lineshaft.apps.maintenance.planning import by_plan
from lineshaft.apps.maintenance.recorder import INDEX_SIGNAL, PAST_US
from lineshaft.apps.maintenance.store import StoredCase
from lineshaft.apps.maintenance.story import STAGES
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts, Services
from lineshaft.hub.historian.base import Series
from lineshaft.model.events import Event
from lineshaft.model.samples import Float64Array

router = APIRouter(prefix="/maintenance", tags=["maintenance"])

_DAY_US = 86_400_000_000
_SPARK = 40
_LIVES = ("life_p10", "life_p50", "life_p90")
_FRESH_US = 12 * 3_600_000_000
"""An estimate of the remaining life counts for so long beside the newest index."""


@router.get("/health")
def board(
    app: App,
    parts: Parts,
    asset: Annotated[str, Query(description="this equipment and all below it")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> bodies.Board:
    """The health of every machine that has one, the worst first."""
    paths = [
        one.born.signal.asset for one in parts.state.catalogue.signals(asset) if one.born.signal.name == INDEX_SIGNAL
    ]
    latest = _latest(parts, paths)
    learned = _learned(parts, asset)
    open_cases = {one.case.asset: one for one in reversed(app.store.find(asset=asset, open_only=True))}
    spark = _sparks(parts, paths)
    items = [_view(parts, path, latest, learned, open_cases.get(path), spark) for path in paths]
    order = {name: -place for place, name in enumerate(STAGES)}
    items.sort(key=lambda one: (order.get(one.stage, 1), _least(one), -(one.index or 0.0) / (one.watch or 1.0)))
    page, more = paged(items, lambda one: one.asset, cursor, limit)
    return bodies.Board(items=list(page), next=more)


@router.get("/health/asset")
def health(
    app: App,
    parts: Parts,
    path: Annotated[str, Query(description="the machine")],
    start: Annotated[int | None, Query(description="UTC microseconds; 60 days back when absent")] = None,
    end: Annotated[int | None, Query(description="UTC microseconds; now when absent")] = None,
    points: Annotated[int, Query(ge=50, le=4000)] = 800,
) -> bodies.HealthDetail:
    """The index of one machine over time with its limits and stages, what it is made of, and all that was foretold."""
    index = parts.state.catalogue.by_path(f"{path}/{INDEX_SIGNAL}")
    if index is None:
        raise NotFound(f"{path} has no health; the operator machine-health gives one")
    until = parts.clock.now_us() + 1 if end is None else end
    since = until - 60 * _DAY_US if start is None else start
    if since >= until:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    events = [
        one.event
        for one in parts.state.events.find(since=until - PAST_US, subject=path, kind="maintenance.", limit=5000)
    ]
    events = sorted((one for one in events if one.subject == path), key=lambda one: one.time)
    learned = next((one for one in reversed(events) if one.kind == f"{story.HEALTH}learned"), None)
    stages = [
        one for one in events if one.kind.removeprefix(story.HEALTH) in STAGES and one.kind.startswith(story.HEALTH)
    ]
    shared = [one for one in events if one.kind == story.LIFE or one in stages]
    series = parts.historian.read([index.id], since, until, points=points, before=False)
    latest = _latest(parts, [path])
    stage = _stage(path, latest)
    return bodies.HealthDetail(
        asset=path,
        stage=stage,
        index=_line(series),
        limits=_limits(learned),
        life=_lives(parts, path, since, until, points),
        left_normal="" if stage in ("normal", "learning") else _left(stages),
        shares=[one for one in map(_shares, shared) if one.shares],
        stages=[
            bodies.EntryView(time=one.time, kind=one.kind.removeprefix(story.HEALTH), words=one.message, by="",
                             details=dict(one.details))
            for one in stages
        ],
        learned="" if learned is None else learned.message,
        features=list(dict.fromkeys(name for one in shared for name in _shares(one).shares)),
        cases=[view(one) for one in app.store.find(asset=path)],
        currency=parts.plant.currency,
    )  # fmt: skip


@router.get("/life")
def life(
    parts: Parts,
    path: Annotated[str, Query(description="the machine")],
    speed: Annotated[float, Query(ge=0, le=10, description="of the coming plan, by the present one")] = 1.0,
    load: Annotated[float, Query(ge=0, le=10, description="of the coming plan, by the present one")] = 1.0,
    hours: Annotated[float, Query(gt=0, le=168, description="a week that it runs in the plan")] = 168.0,
) -> bodies.PlannedLife:
    """What is left when speed, load and running hours change: wear goes with speed times load cubed (ISO 281)."""
    now = _life(path, _latest(parts, [path]))
    if now is None:
        return bodies.PlannedLife(now=None, planned=None, words="too early to say, or the machine is normal")
    duties = [Duty(hours, speed, load)] + ([Duty(168.0 - hours, 0.0, 0.0)] if hours < 168 else [])
    left = [under_plan(value, duties) for value in (now.p10, now.p50, now.p90)]
    if any(np.isinf(left)):
        return bodies.PlannedLife(now=now, planned=None, words="the plan wears nothing")
    planned = bodies.LifeView(time=now.time, p10=left[0], p50=left[1], p90=left[2])
    return bodies.PlannedLife(
        now=now, planned=planned, words="speed times load to the power of 3, over the hours of the plan"
    )


@router.get("/plan")
def plan(parts: Parts, path: Annotated[str, Query(description="the machine")]) -> bodies.PlanLife:
    """What is left by the orders that are planned for a machine, or for that which it is a part of."""
    return by_plan(parts, path, _life(path, _latest(parts, [path])))


Latest = Mapping[tuple[str, str], tuple[int, float]]
"""(asset, name of the signal) -> time and value."""


def _latest(parts: Services, paths: Sequence[str]) -> Latest:
    names = {}
    for path in paths:
        for name in (INDEX_SIGNAL, "health_stage", *_LIVES):
            one = parts.state.catalogue.by_path(f"{path}/{name}")
            if one is not None:
                names[one.id] = (path, name)
    if not names:
        return {}
    rows = parts.historian.latest(sorted(names))
    return {
        names[signal]: (time, value)
        for signal, time, value in zip(rows.signals.tolist(), rows.times.tolist(), rows.values.tolist(), strict=True)
    }


def _view(
    parts: Services,
    path: str,
    latest: Latest,
    learned: Mapping[str, Event],
    case: StoredCase | None,
    spark: Mapping[str, list[float | None]],
) -> bodies.HealthView:
    index = latest.get((path, INDEX_SIGNAL))
    told = learned.get(path)
    stage, left = _stage(path, latest), _life(path, latest)
    return bodies.HealthView(
        asset=path,
        stage=stage,
        index=None if index is None else index[1],
        time=None if index is None else index[0],
        watch=None if told is None else _limits(told)["watch"],
        life=left,
        planned=None if left is None else by_plan(parts, path, left).life,
        left_normal=case.case.left_normal if case is not None and stage != "normal" else "",
        spark=spark.get(path, []),
        case=None if case is None else case.id,
    )


def _stage(path: str, latest: Latest) -> str:
    found = latest.get((path, "health_stage"))
    return "learning" if found is None else STAGES[min(max(int(found[1]), 0), len(STAGES) - 1)]


def _life(path: str, latest: Latest) -> bodies.LifeView | None:
    """The newest estimate, where the machine is not normal and it is no older than twelve hours."""
    index, lives = latest.get((path, INDEX_SIGNAL)), [latest.get((path, name)) for name in _LIVES]
    known = [one for one in lives if one is not None]
    if index is None or len(known) < len(_LIVES) or _stage(path, latest) in ("normal", "learning"):
        return None
    if index[0] - known[0][0] > _FRESH_US:
        return None
    return bodies.LifeView(time=known[0][0], p10=known[0][1], p50=known[1][1], p90=known[2][1])


def _least(one: bodies.HealthView) -> float:
    left = one.planned or one.life
    return float("inf") if left is None else left.p10


def _learned(parts: Services, asset: str) -> Mapping[str, Event]:
    found = parts.state.events.find(
        since=parts.clock.now_us() - PAST_US, subject=asset, kind=f"{story.HEALTH}learned", limit=5000
    )
    return {one.event.subject: one.event for one in reversed(found)}


def _limits(learned: Event | None) -> dict[str, float | None]:
    details = {} if learned is None else learned.details
    found: dict[str, float | None] = {}
    for name in ("watch", "alarm", "danger", "failure"):
        value = details.get(name)
        found[name] = float(value) if isinstance(value, int | float) else None
    return found


def _left(stages: Sequence[Event]) -> str:
    return next((str(one.details["left_normal"]) for one in reversed(stages) if one.details.get("left_normal")), "")


def _shares(event: Event) -> bodies.ShareView:
    shares = {
        name.removeprefix("share "): float(value)
        for name, value in event.details.items()
        if name.startswith("share ") and isinstance(value, int | float)
    }
    return bodies.ShareView(time=event.time, stage=str(event.details.get("stage") or ""), shares=shares)


def _line(found: Sequence[Series]) -> bodies.Line:
    if not found:
        return bodies.Line(time=[], value=[])
    return bodies.Line(time=found[0].times.tolist(), value=_plain(found[0].values))


def _plain(values: Float64Array) -> list[float | None]:
    return [round(value, 3) if np.isfinite(value) else None for value in values.tolist()]


def _lives(parts: Services, path: str, since: int, until: int, points: int) -> list[bodies.LifeView]:
    """Every estimate with all three of its numbers, thinned."""
    ids = [one.id for name in _LIVES if (one := parts.state.catalogue.by_path(f"{path}/{name}")) is not None]
    if len(ids) < len(_LIVES):
        return []
    by_id = {one.signal: one for one in parts.historian.read(ids, since, until, before=False)}
    if any(number not in by_id for number in ids):
        return []
    columns = [dict(zip(by_id[number].times.tolist(), by_id[number].values.tolist(), strict=True)) for number in ids]
    times = sorted(columns[0].keys() & columns[1].keys() & columns[2].keys())
    step = max(1, len(times) // points)
    return [
        bodies.LifeView(time=time, p10=columns[0][time], p50=columns[1][time], p90=columns[2][time])
        for time in times[::-1][::step][::-1]
    ]


def _sparks(parts: Services, paths: Sequence[str]) -> Mapping[str, list[float | None]]:
    """The largest index of each part of the last thirty days."""
    ids = {
        one.id: path for path in paths if (one := parts.state.catalogue.by_path(f"{path}/{INDEX_SIGNAL}")) is not None
    }
    if not ids:
        return {}
    now = parts.clock.now_us()
    edges = np.linspace(now - 30 * _DAY_US, now, _SPARK + 1)
    found = {}
    for series in parts.historian.read(sorted(ids), now - 30 * _DAY_US, now, points=2 * _SPARK, before=False):
        place = np.clip(np.searchsorted(edges, series.times, side="right") - 1, 0, _SPARK - 1)
        top = np.full(_SPARK, -np.inf)
        np.maximum.at(top, place, np.nan_to_num(series.values, nan=-np.inf))
        found[ids[series.signal]] = [round(value, 2) if np.isfinite(value) else None for value in top.tolist()]
    return found
