"""A trained model at work on an asset: on trial it only foretells, in use it tells people; it watches its inputs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from lineshaft.analytics.anomaly.detect import Method
from lineshaft.analytics.anomaly.drift import BINS
from lineshaft.analytics.anomaly.model import PAST, Scored, asset_model
from lineshaft.analytics.window_means import Window, WindowMeans
from lineshaft.clock import MICROSECONDS
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration
from lineshaft.errors import DataError
from lineshaft.model.equipment import Signal
from lineshaft.model.events import Event, Severity
from lineshaft.model.predictions import Prediction, PredictionKind
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output

NAMED: Final = 3
"""Signals that an alarm names."""
Detail = str | int | float | bool | None


class AnomalyConfig(Section):
    """A version of a model for one asset. The hub writes these options when a version is put to work."""

    model: str = key(..., "Name of the model.")
    version: int = key(..., "Its version.", ge=1)
    shadow: bool = key(True, "On trial: predictions are stored, nobody is told.")
    features: tuple[str, ...] = key(..., "Signals below the asset that are judged.", min_length=1)
    operating: tuple[str, ...] = key((), "Signals that say the operation, like speed and load: compared within.")
    method: Method = key("forecast", "Which of the two scores decides: the robust baseline or the learned forecast.")
    window: Duration = key(600.0, "Signals are averaged over so long.", unit="s", gt=0)
    hold: Duration = key(3600.0, "A signal without a sample keeps its last value for so long.", unit="s", ge=0)
    persistence: int = key(3, "Windows in a row beyond the limit that begin an alarm.", ge=1, le=1000)
    calm: int = key(12, "Windows in a row within the limit that end it.", ge=1, le=10_000)
    horizon: Duration = key(1_209_600.0, "A fault should be found within so long of an alarm.", unit="s", gt=0)
    every: Duration = key(3600.0, "A prediction is stored so often, and at each change.", unit="s", gt=0, le=86_400)
    look: Duration = key(604_800.0, "Inputs are compared with the training over so long.", unit="s", gt=0)
    document: dict[str, Any] = key(..., "What was learned of the asset.")


@dataclass(slots=True)
class _State:
    """Everything that is not in the options; survives a restart as JSON."""

    number: int | None = None  # of the open window
    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    last: list[float | None] = field(default_factory=list)  # usable value of each signal, and its window
    seen: list[int] = field(default_factory=list)
    recent: list[list[Any]] = field(default_factory=list)  # number and means of the last windows
    alarm: bool = False
    beyond: int = 0
    calm: int = 0
    told: int | None = None  # slot of the last prediction
    highest: float | None = None  # since the last prediction
    other: float | None = None  # what the other method said then
    shares: list[float] = field(default_factory=list)
    judged: int = 0
    windows: int = 0
    bins: list[list[int]] = field(default_factory=list)
    look: int | None = None
    drift: list[float | None] = field(default_factory=list)
    drifted: bool = False


class AnomalyOperator:
    """One asset; implements operators.base.Operator."""

    def __init__(self, config: AnomalyConfig, asset: Asset, inputs: Sequence[Signal]) -> None:
        self.inputs: Sequence[Signal] = tuple(inputs)
        self.outputs: Sequence[Signal] = ()
        self._config = config
        self._path = asset.path
        self._names = (*config.features, *config.operating)
        self._model = asset_model(config.document)
        self._width = round(config.window * MICROSECONDS)
        self._hold = int(config.hold // config.window)
        self._state = _State(bins=[[0] * BINS for _ in self._names])

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        state = self._state
        carried = (state.number, state.sums, state.counts, state.last, state.seen)
        means = WindowMeans(self._width, len(self.inputs), self._hold, *carried)
        events: list[Event] = []
        predictions: list[Prediction] = []
        for window in means.update(batch):
            self._close(window, events, predictions)
        state.number, state.sums, state.counts = means.number, means.sums, means.counts
        state.last, state.seen = means.last, means.seen
        return Output(tuple(events), predictions=tuple(predictions))

    def _close(self, window: Window, events: list[Event], predictions: list[Prediction]) -> None:
        state, config = self._state, self._config
        scored = self._scored(window)
        score = scored.score(config.method)
        state.windows += 1
        before = state.alarm
        if math.isfinite(score):
            state.judged += 1
            self._count(score)
            if state.highest is None or score > state.highest:
                beside = scored.score(_other(config.method))
                state.highest, state.other = score, beside if math.isfinite(beside) else None
                state.shares = scored.shares(config.method).tolist()
        events += self._watch_inputs(window)
        slot = (window.number + 1) * self._width // round(config.every * MICROSECONDS)
        if state.alarm != before and not config.shadow:
            events.append(self._changed(window.time))
        if state.alarm != before or slot != state.told:
            predictions.append(self._prediction(window.time))
            state.told, state.highest, state.other, state.shares = slot, None, None, []
            state.judged = state.windows = 0

    def _scored(self, window: Window) -> Scored:
        state, features = self._state, len(self._config.features)
        rows = np.full((PAST + 1, len(self._names)), np.nan)
        for number, means in state.recent:
            place = PAST - (window.number - number)
            if place >= 0:
                rows[place] = [math.nan if x is None else x for x in means]
        rows[PAST] = window.means
        means = [None if math.isnan(x) else x for x in window.means.tolist()]
        state.recent = [*state.recent, [window.number, means]][-PAST:]
        return self._model.score(rows[:, :features], rows[:, features:])

    def _count(self, score: float) -> None:
        state, config = self._state, self._config
        state.beyond = state.beyond + 1 if score > 1 else 0
        state.calm = 0 if score > 1 else state.calm + 1
        if not state.alarm and state.beyond >= config.persistence:
            state.alarm = True
        elif state.alarm and state.calm >= config.calm:
            state.alarm = False

    def _watch_inputs(self, window: Window) -> list[Event]:
        """Compare what came since the last look with the training."""
        state = self._state
        look = window.number * self._width // round(self._config.look * MICROSECONDS)
        events = []
        if state.look is not None and look != state.look:
            index = self._model.reference.index(np.array(state.bins, np.float64))
            state.drift = [None if math.isnan(x) else x for x in index.tolist()]
            state.bins = [[0] * BINS for _ in self._names]
            over = [
                (name, value)
                for name, value, limit in zip(self._names, index, self._model.reference.limits, strict=True)
                if value > limit
            ]
            if bool(over) != state.drifted:
                state.drifted = bool(over)
                events.append(self._drifted(window.time, over))
        state.look = look
        for counts, place in zip(state.bins, self._model.reference.bins(window.means), strict=True):
            if place >= 0:
                counts[place] += 1
        return events

    def _prediction(self, time: int) -> Prediction:
        state, config = self._state, self._config
        other = _other(config.method)
        inputs: dict[str, Detail] = {"method": config.method, other: state.other, "windows": state.windows}
        inputs |= {"judged": state.judged}
        inputs |= {f"share {name}": share for name, share in self._leading()}
        known = [(value, name) for value, name in zip(state.drift, self._names, strict=False) if value is not None]
        if known:
            inputs |= {"drift": max(known)[0], "drift of": max(known)[1], "drifted": state.drifted}
        return Prediction(
            time,
            self._path,
            PredictionKind.ANOMALY,
            config.model,
            str(config.version),
            state.highest,
            alarm=state.alarm,
            due=time + round(config.horizon * MICROSECONDS),
            shadow=config.shadow,
            inputs=inputs,
            words=self._words(),
        )

    def _words(self) -> str:
        state = self._state
        if state.highest is None:
            return f"not judged: none of {state.windows} windows had all signals in an operation that was learned"
        because = ", ".join(f"{name} {share:.0%}" for name, share in self._leading())
        return f"{state.highest:.2f} times the limit of normal, by {because}"

    def _leading(self) -> list[tuple[str, float]]:
        ranked = sorted(zip(self._config.features, self._state.shares, strict=False), key=lambda one: (-one[1], one[0]))
        return [(name, share) for name, share in ranked[:NAMED] if share >= 0.05]

    def _changed(self, time: int) -> Event:
        state, config = self._state, self._config
        details: dict[str, Detail] = {"model": config.model, "version": config.version, "score": state.highest}
        details |= {f"share {name}": share for name, share in self._leading()}
        if state.alarm:
            words = f"Not as it was when it was learned: {self._words()}"
            return Event(time, "anomaly.raised", self._path, words, Severity.MEDIUM, details)
        return Event(time, "anomaly.ended", self._path, "It is again as it was learned", Severity.INFO, details)

    def _drifted(self, time: int, over: Sequence[tuple[str, float]]) -> Event:
        config = self._config
        details: dict[str, Detail] = {"model": config.model, "version": config.version}
        details |= {f"index {name}": float(value) for name, value in over}
        name = f"The model {config.model} {config.version}"
        if not over:
            words = f"{name} sees again what it was trained on"
            return Event(time, "model.drift.ended", self._path, words, Severity.INFO, details)
        what = ", ".join(f"{signal} (index {value:.2f})" for signal, value in over[:NAMED])
        words = f"{name} sees what it was not trained on: {what}; train it anew if this is the new normal"
        return Event(time, "model.drift", self._path, words, Severity.LOW, details)

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        return json.dumps(asdict(self._state)).encode()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        try:
            state = _State(**json.loads(snapshot))
        except (ValueError, TypeError) as error:
            raise DataError(f"no snapshot of an anomaly model: {error}") from error
        if len(state.bins) != len(self._names):
            raise DataError(f"the snapshot is of {len(state.bins)} signals, there are {len(self._names)}")
        self._state = state


def _other(method: Method) -> Method:
    return "baseline" if method == "forecast" else "forecast"


def _create(config: AnomalyConfig, asset: Asset) -> Operator | None:
    found = [asset.signal(path) for path in (*config.features, *config.operating)]
    inputs = [signal for signal in found if signal is not None]
    return AnomalyOperator(config, asset, inputs) if len(inputs) == len(found) else None


SPEC = OperatorSpec(
    "anomaly",
    "Trained anomaly model",
    AnomalyConfig,
    _create,
    "Runs a version of a trained model on an asset: what is not as it was learned, and which signals say so.",
)
