"""A training run: what is normal of each asset is learned from one range and judged on another, by the code of live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

import lineshaft
from lineshaft.analytics.anomaly.detect import METHODS, Method
from lineshaft.analytics.anomaly.drift import count_rows
from lineshaft.analytics.anomaly.model import AssetModel, fit_asset
from lineshaft.analytics.record.faults import FaultScore, score_faults
from lineshaft.analytics.window_means import Window, WindowMeans
from lineshaft.clock import MICROSECONDS
from lineshaft.errors import DataError
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.operators.order import as_inputs, pieces
from lineshaft.hub.state.models import ModelVersion
from lineshaft.model.predictions import Outcome, OutcomeKind, Prediction
from lineshaft.model.samples import Float64Array, SampleBatch
from lineshaft.operators.anomaly import AnomalyConfig, AnomalyOperator
from lineshaft.operators.base import Asset

MOST_WINDOWS: Final = 200_000
MOST_FEATURES: Final = 40
_OURS: Final = ("level", "past")
"""Settings that are not the operator's."""
Progress = Callable[[float], bool]
"""Told the part that is done; False ends the run."""


class Cancelled(Exception):
    """Somebody ended the training."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model looks at its signals; durations in seconds. The meaning of each is that of AnomalyConfig."""

    window: float = 600.0
    hold: float = 3600.0
    persistence: int = 3
    calm: int = 12
    method: Method = "forecast"
    level: float = 0.995
    horizon: float = 1_209_600.0
    every: float = 3600.0
    look: float = 604_800.0
    past: float = 0.0
    """So much of the stored past is foretold too when a version goes on trial, but nothing that it has learned from."""


@dataclass(frozen=True, slots=True)
class Member:
    """An asset to learn from, with the historian's ids of its features and then of its operating values."""

    asset: Asset
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be trained. Times are UTC microseconds, ranges start <= time < end."""

    name: str
    type: str
    members: tuple[Member, ...]
    features: tuple[str, ...]
    operating: tuple[str, ...]
    start: int
    end: int
    held_start: int
    held_end: int
    settings: Settings = Settings()
    note: str = ""

    def check(self) -> None:
        """Raises DataError that says what cannot be."""
        if not (self.start < self.end and self.held_start < self.held_end):
            raise DataError("a range begins after it ends", hint="start < end, held_start < held_end")
        if self.held_start < self.end and self.start < self.held_end:
            raise DataError(
                "the held-out range is within the training range: a model must not be judged by what it has seen",
                hint="held_start not before end, or held_end not after start",
            )
        width = self.settings.window * MICROSECONDS
        if (self.end - self.start) / width > MOST_WINDOWS:
            raise DataError(f"more than {MOST_WINDOWS:,} windows", hint="a longer window, or a shorter range")
        if len(self.features) + len(self.operating) > MOST_FEATURES:
            raise DataError(f"more than {MOST_FEATURES} signals", hint="leave out those that say the same")
        if set(self.features) & set(self.operating):
            raise DataError("a signal is a feature and an operating value", hint="it can be one of them")


def train(
    historian: Historian, wanted: Wanted, outcomes: Sequence[Outcome], by: str, now: int, progress: Progress
) -> ModelVersion:
    """The trained version, as a draft. Raises DataError when no asset can be learned, StoreUnavailable, Cancelled."""
    wanted.check()
    documents: dict[str, Any] = {}
    assets: dict[str, Any] = {}
    warnings = [words for one in wanted.members for words in _faults_inside(wanted, one.asset.path, outcomes)]
    over = max(now, wanted.held_end + round(wanted.settings.horizon * MICROSECONDS) + 1)  # every alarm is due then
    scores: dict[Method, FaultScore] = {method: FaultScore() for method in METHODS}
    for number, member in enumerate(wanted.members):

        def told(part: float, number: int = number) -> None:
            if not progress((number + part) / len(wanted.members)):
                raise Cancelled

        path = member.asset.path
        try:
            model, windows = _learn(historian, wanted, member, lambda part: told(0.5 * part))
        except ValueError as error:
            warnings.append(f"{path} was left out: {_in_words(str(error), wanted)}")
            continue
        own = [one for one in outcomes if one.asset == path]
        held = _validate(historian, wanted, member, model, lambda part: told(0.5 + 0.5 * part))
        found = {method: score_faults(held.predictions[method], own, over) for method in METHODS}
        for method in METHODS:
            scores[method] += found[method]
        documents[path] = model.document()
        assets[path] = {
            "windows": windows,
            "held_windows": held.windows,
            "drift": held.drift,
            "methods": {method: figures(found[method]) | held.judged(method) for method in METHODS},
        }
    if not documents:
        raise DataError("; ".join(warnings) or "no asset has these signals", hint="another range, or other signals")
    total = {
        method: figures(scores[method]) | _joined([one["methods"][method] for one in assets.values()])
        for method in METHODS
    }
    return ModelVersion(
        name=wanted.name,
        version=0,
        type=wanted.type,
        state="draft",
        features=wanted.features,
        operating=wanted.operating,
        start=wanted.start,
        end=wanted.end,
        held_start=wanted.held_start,
        held_end=wanted.held_end,
        settings=asdict(wanted.settings),
        metrics={"methods": total, "assets": assets},
        warnings=tuple(warnings),
        code=lineshaft.__version__,
        by=by,
        note=wanted.note,
        created=now,
        document=documents,
    )


def figures(score: FaultScore) -> dict[str, Any]:
    """A score as plain values."""
    return {
        "claims": score.claims,
        "hits": score.hits,
        "false": score.false,
        "undecided": score.undecided,
        "open": score.open,
        "faults": score.faults,
        "missed": score.missed,
        "lead_median": score.lead_median,
        "months": score.months,
        "false_per_month": score.false_per_month,
    }


def options(version: ModelVersion, path: str, *, shadow: bool) -> AnomalyConfig:
    """Options of the operator `anomaly` that runs a version on an asset."""
    settings = {name: value for name, value in version.settings.items() if name not in _OURS}
    return AnomalyConfig(
        **settings,
        model=version.name,
        version=version.version,
        shadow=shadow,
        features=version.features,
        operating=version.operating,
        document=dict(version.document[path]),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """What came of the held-out range."""

    predictions: Mapping[Method, Sequence[Prediction]]
    windows: int
    drift: float | None

    def judged(self, method: Method) -> dict[str, Any]:
        """How many windows were judged, and the part of them beyond the limit."""
        values = [one.value for one in self.predictions[method] if one.value is not None]
        beyond = sum(value > 1 for value in values)
        return {"judged": len(values), "beyond": beyond / len(values) if values else None}


def _learn(
    historian: Historian, wanted: Wanted, member: Member, told: Callable[[float], None]
) -> tuple[AssetModel, int]:
    """The model of an asset and the windows that it was learned from. Raises ValueError in words."""
    means = _means(wanted, member)
    found: list[Window] = []
    for part, batch in _batches(historian, member.ids, wanted.start, wanted.end):
        found += means.update(batch)
        told(part)
    rows = _table(found, len(member.ids))
    count = len(wanted.features)
    model = fit_asset(
        rows[:, :count],
        rows[:, count:],
        level=wanted.settings.level,
        look=max(1, round(wanted.settings.look / wanted.settings.window)),
    )
    return model, int(np.isfinite(rows).all(axis=1).sum())


def _validate(
    historian: Historian, wanted: Wanted, member: Member, model: AssetModel, told: Callable[[float], None]
) -> _Held:
    """The operators of both methods over the held-out rows, a prediction for each window."""
    settings = asdict(wanted.settings) | {"every": min(wanted.settings.window, 86_400.0)}
    settings = {name: value for name, value in settings.items() if name not in _OURS}
    document = model.document()

    def made(method: Method) -> AnomalyOperator:
        config = AnomalyConfig(
            **settings | {"method": method},
            model=wanted.name,
            version=1,
            features=wanted.features,
            operating=wanted.operating,
            document=document,
        )
        return AnomalyOperator(config, member.asset, [_signal(member, name) for name in _names(wanted)])

    operators = {method: made(method) for method in METHODS}
    predictions: dict[Method, list[Prediction]] = {method: [] for method in METHODS}
    means = _means(wanted, member)
    windows: list[Window] = []
    for part, batch in _batches(historian, member.ids, wanted.held_start, wanted.held_end):
        windows += means.update(batch)
        for method, operator in operators.items():
            predictions[method] += operator.update(batch).predictions
        told(part)
    rows = _table(windows, len(member.ids))
    index = model.reference.index(count_rows(model.reference, rows))
    known = index[np.isfinite(index)]
    return _Held(predictions, len(windows), float(known.max()) if len(known) else None)


def _batches(historian: Historian, ids: Sequence[int], start: int, end: int) -> Iterator[tuple[float, SampleBatch]]:
    """(part that is done, rows as inputs) over start <= time < end."""
    counts = historian.counts(ids, start, end)
    first = max(start - 1, int(counts.first.min(initial=end)) - 1)
    last = min(end - 1, int(counts.last.max(initial=first)))
    for until, batch in pieces(historian, ids, first, last):
        yield (until - first) / max(last - first, 1), as_inputs(batch, ids) if len(batch) else batch


def _table(windows: Sequence[Window], count: int) -> Float64Array:
    """float64[n, p] of all windows from the first to the last; NaN where there was none."""
    if not windows:
        return np.full((0, count), np.nan)
    first = windows[0].number
    rows = np.full((windows[-1].number - first + 1, count), np.nan)
    for window in windows:
        rows[window.number - first] = window.means
    return rows


def _means(wanted: Wanted, member: Member) -> WindowMeans:
    settings = wanted.settings
    width, hold = round(settings.window * MICROSECONDS), int(settings.hold // settings.window)
    return WindowMeans(width, len(member.ids), hold)


def _names(wanted: Wanted) -> tuple[str, ...]:
    return (*wanted.features, *wanted.operating)


def _signal(member: Member, name: str) -> Any:
    return member.asset.signal(name)


def _in_words(error: str, wanted: Wanted) -> str:
    """Features by their names in the error of an analytic, which knows only their places."""
    head, found, tail = error.partition(" does not move")
    if not found:
        return error
    places = [int(place) for place in head.removeprefix("feature ").split(", ")]
    return f"{', '.join(wanted.features[place] for place in places)} does not move in the training range{tail}"


def _faults_inside(wanted: Wanted, path: str, outcomes: Sequence[Outcome]) -> list[str]:
    bad = (OutcomeKind.FAILURE, OutcomeKind.CONFIRMED_FAULT)
    inside = [
        one for one in outcomes if one.asset == path and one.kind in bad and wanted.start <= one.time < wanted.end
    ]
    return [f"{path} had a fault within the training range: what is learned may not be normal"] if inside else []


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    judged = sum(part["judged"] for part in parts)
    beyond = sum(part["judged"] * part["beyond"] for part in parts if part["beyond"] is not None)
    return {"judged": judged, "beyond": beyond / judged if judged else None}
