"""The record, scored: what each model version foretold of each class of assets, against what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from lineshaft.analytics.record.faults import FaultScore, Verdict, score_faults, verdicts
from lineshaft.analytics.record.lives import JudgedLife, LifeScore, judge_lives, score_lives
from lineshaft.hub.state.predictions import StoredPrediction
from lineshaft.hub.state.state import State
from lineshaft.model.predictions import Outcome, PredictionKind

Group = tuple[str, str, str, str]
"""Model, version, kind and asset type: what is scored together."""
_PAST: Final = 400 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one model version on one class of assets. `faults` or `life`, by its kind.

    hindsight  predictions that were stored more than a day after their time: made from history, not before the event
    """

    model: str
    version: str
    kind: PredictionKind
    type: str
    operators: tuple[str, ...]
    assets: int
    predictions: int
    hindsight: int
    first: int
    last: int
    shadow: bool  # of the last prediction
    faults: FaultScore | None = None
    life: LifeScore | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A prediction and what became of it."""

    stored: StoredPrediction
    verdict: str
    life: JudgedLife | None = None


def scores(
    state: State, now: int, *, asset: str = "", model: str = "", version: str = "", since: int | None = None
) -> Sequence[Score]:
    """Scores by model, version, kind and asset type, of the last 400 days when `since` is None."""
    begin = now - _PAST if since is None else since
    stored = state.predictions.standing(asset=asset, model=model, version=version, since=begin, lean=True)
    happened = _by_asset(state, asset)
    found = sorted(stored, key=_group)
    return [_score(key, list(own), happened, now) for key, own in groupby(found, key=_group)]


def judged(state: State, page: Sequence[StoredPrediction], now: int) -> Sequence[Judged]:
    """What became of each prediction of a page. A verdict takes the asset's other predictions into account."""
    happened = _by_asset(state, "")
    since = now - _PAST
    known: dict[int, str] = {}
    for asset, model, version in {(one.prediction.subject, *_model(one)) for one in page if not _of_life(one)}:
        stored = state.predictions.standing(asset=asset, model=model, version=version, since=since, lean=True)
        own = [one for one in stored if one.prediction.subject == asset and not _of_life(one)]
        found = verdicts([one.prediction for one in own], happened.get(asset, ()), now)
        known |= {one.id: str(verdict) for verdict, one in zip(found, own, strict=True)}
    return [_judged(one, known, happened, now) for one in page]


def _judged(
    one: StoredPrediction, known: Mapping[int, str], happened: Mapping[str, Sequence[Outcome]], now: int
) -> Judged:
    if one.superseded:
        return Judged(one, "superseded")
    if not _of_life(one):
        return Judged(one, known.get(one.id, str(Verdict.OPEN)))
    (life,) = judge_lives([one.prediction], happened.get(one.prediction.subject, ()), now)
    return Judged(one, str(life.state), life)


def _score(
    group: Group, stored: Sequence[StoredPrediction], happened: Mapping[str, Sequence[Outcome]], now: int
) -> Score:
    model, version, kind, type_ = group
    life = kind == PredictionKind.REMAINING_LIFE
    faults, lives = FaultScore(), LifeScore()
    by_asset = sorted(stored, key=lambda one: (one.prediction.subject, one.prediction.time))
    assets = 0
    for subject, own in groupby(by_asset, key=lambda one: one.prediction.subject):
        predictions = [one.prediction for one in own]
        assets += 1
        if life:
            lives += score_lives(predictions, happened.get(subject, ()), now)
        else:
            faults += score_faults(predictions, happened.get(subject, ()), now)
    times = [one.prediction.time for one in stored]
    return Score(
        model,
        version,
        PredictionKind(kind),
        type_,
        tuple(sorted({one.operator for one in stored})),
        assets,
        len(stored),
        sum(one.made - one.prediction.time > 86_400_000_000 for one in stored),
        min(times),
        max(times),
        max(stored, key=lambda one: one.prediction.time).prediction.shadow,
        None if life else faults,
        lives if life else None,
    )


def _group(one: StoredPrediction) -> Group:
    return (*_model(one), str(one.prediction.kind), one.type)


def _model(one: StoredPrediction) -> tuple[str, str]:
    return one.prediction.model, one.prediction.version


def _of_life(one: StoredPrediction) -> bool:
    return one.prediction.kind is PredictionKind.REMAINING_LIFE


def _by_asset(state: State, asset: str) -> Mapping[str, Sequence[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for one in state.outcomes.find(asset=asset):
        found.setdefault(one.outcome.asset, []).append(one.outcome)
    return found
