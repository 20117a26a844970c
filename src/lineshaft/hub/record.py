"""The record, scored: what each model version foretold of each class of assets, against what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lineshaft.analytics.record.faults import FaultScore, Verdict, score_watch, verdicts_by
from lineshaft.analytics.record.lives import JudgedLife, LifeScore, judge_lives
from lineshaft.hub.state.predictions import StoredPrediction
from lineshaft.hub.state.scoreboard import Entry, entries_of, key_of
from lineshaft.hub.state.state import State
from lineshaft.model.predictions import Outcome, PredictionKind

Group = tuple[str, str, str, str]
"""Model, version, kind and asset type: what is scored together."""


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
    """Scores by model, version, kind and asset type: of all predictions that are kept, or of those since a time, which
    are read for it."""
    if since is None:
        entries = state.scoreboard.entries(now)
    else:
        stored = state.predictions.standing(asset=asset, model=model, version=version, since=since)
        entries = entries_of(stored, state.scoreboard.happened(), now)
    happened = state.scoreboard.happened()
    wanted = {
        key: entry
        for key, entry in entries.items()
        if (not asset or key[0] == asset or key[0].startswith(asset + "/"))
        and (not model or key[1] == model)
        and (not version or key[2] == version)
    }
    found = sorted(wanted, key=lambda key: (key[1:], key[0]))
    return [
        _score(group, {key[0]: wanted[key] for key in own}, happened, now)
        for group, own in groupby(found, key=lambda key: key[1:])
    ]


def judged(state: State, page: Sequence[StoredPrediction], now: int) -> Sequence[Judged]:
    """What became of each prediction of a page. A verdict takes the asset's other predictions into account."""
    entries, happened = state.scoreboard.entries(now), state.scoreboard.happened()
    known: dict[int, str] = {}
    claimed = sorted((one for one in page if not _of_life(one) and not one.superseded), key=key_of)
    for key, group in groupby(claimed, key=key_of):
        own = list(group)
        claims = entries.get(key, Entry()).watch.claims
        found = verdicts_by(claims, [one.prediction for one in own], happened.get(key[0], ()), now)
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


def _score(group: Group, by_asset: Mapping[str, Entry], happened: Mapping[str, Sequence[Outcome]], now: int) -> Score:
    model, version, kind, type_ = group
    life = kind == PredictionKind.REMAINING_LIFE
    entries = list(by_asset.values())
    faults, lives = FaultScore(), LifeScore()
    for asset, entry in by_asset.items():
        if life:
            lives += entry.lives.score(now)
        else:
            faults += score_watch(entry.watch, happened.get(asset, ()), now)
    return Score(
        model,
        version,
        PredictionKind(kind),
        type_,
        tuple(sorted({name for entry in entries for name in entry.operators})),
        len(entries),
        sum(entry.predictions for entry in entries),
        sum(entry.late for entry in entries),
        min(entry.first for entry in entries),
        max(entry.last for entry in entries),
        max(entries, key=lambda entry: entry.last).shadow,
        None if life else faults,
        lives if life else None,
    )


def _of_life(one: StoredPrediction) -> bool:
    return one.prediction.kind is PredictionKind.REMAINING_LIFE
