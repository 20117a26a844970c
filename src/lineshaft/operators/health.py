"""Health of a machine: its signals against its own healthy time, under the same operation; stages as events."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from lineshaft.analytics.health.alarms import STAGES, Limits, StageTracker, limits_of
from lineshaft.analytics.health.index import FEWEST_ROWS, HealthModel, fit_health, health_model, health_trace
from lineshaft.analytics.remaining_life.degradation import growth_life
from lineshaft.clock import MICROSECONDS
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration
from lineshaft.errors import DataError
from lineshaft.model.equipment import Signal
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import CLASS_MASK, Quality, SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output

SEVERITIES: Final = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH)
HISTORY: Final = 120
"""Windows of the index that are kept for the growth towards failure."""


class HealthConfig(Section):
    """What the health of a machine is made of."""

    features: tuple[str, ...] = key(..., "Signals below the asset that grow with wear, like vibration.", min_length=1)
    operating: tuple[str, ...] = key((), "Signals that say the operation, like speed and load: compared within.")
    window: Duration = key(600.0, "Signals are averaged over so long.", unit="s", gt=0)
    learn: Duration = key(604_800.0, "The first so long is the healthy time.", unit="s", gt=0)
    smooth: int = key(9, "Windows of the running median that keeps transients out.", ge=1, le=99)
    persistence: int = key(3, "Windows in a row that a stage takes to be reached or left.", ge=1, le=99)
    failure_index: float | None = key(None, "Index at which the machine is used up; gives a remaining life.", gt=0)


@dataclass(slots=True)
class _State:
    """Everything that is not in the options; survives a restart as JSON."""

    window: int | None = None  # number of the open window
    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    learning: list[list[float | None]] = field(default_factory=list)
    first: int | None = None  # number of the first window
    model: dict[str, Any] | None = None
    limits: dict[str, Any] | None = None
    recent: list[float | None] = field(default_factory=list)
    history: list[list[float]] = field(default_factory=list)  # hours, smoothed index
    stage: int = 0
    above: int = 0
    below: int = 0
    calm: int = 0  # end of the last window in which the index was far below the watch limit


class HealthOperator:
    """One machine; implements operators.base.Operator."""

    def __init__(self, config: HealthConfig, asset: Asset, inputs: Sequence[Signal]) -> None:
        self.inputs: Sequence[Signal] = tuple(inputs)
        self.outputs: Sequence[Signal] = (
            Signal(
                asset.path, "health_index", description="Distance from the machine's own healthy time; 0 is healthy."
            ),
        )
        self._config = config
        self._asset = asset
        self._width = round(config.window * MICROSECONDS)
        self._learn = max(FEWEST_ROWS, math.ceil(config.learn / config.window))
        self._state = self._fresh()
        self._model: HealthModel | None = None
        self._limits: Limits | None = None

    def _fresh(self) -> _State:
        return _State(sums=[0.0] * len(self.inputs), counts=[0] * len(self.inputs))

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        events: list[Event] = []
        samples: list[tuple[int, float]] = []
        usable = (batch.qualities & CLASS_MASK != 0) & np.isfinite(batch.values)
        state = self._state
        rows = zip(batch.times.tolist(), batch.signals.tolist(), batch.values.tolist(), usable.tolist(), strict=True)
        for time, place, value, good in rows:
            number = time // self._width
            if state.window is None:
                state.window = state.first = number
            if number > state.window:
                events += self._close(time, samples)
                state.window = number
            if good:
                state.sums[place] += value
                state.counts[place] += 1
        return Output(tuple(events), _samples(samples))

    def _close(self, time: int, samples: list[tuple[int, float]]) -> list[Event]:
        """The open window is over: learn from it, or judge it. `time` is that of the row that says so."""
        state = self._state
        means = [s / c if c else math.nan for s, c in zip(state.sums, state.counts, strict=True)]
        state.sums, state.counts = [0.0] * len(means), [0] * len(means)
        if self._model is None or self._limits is None:
            state.learning.append([None if math.isnan(x) else x for x in means])
            ready = (state.window or 0) - (state.first or 0) + 1 >= self._learn
            return self._learned(time) if ready else []
        end = ((state.window or 0) + 1) * self._width
        features, operating = self._split(np.array([means]))
        trace = health_trace(self._model, features, operating=operating, window=1)
        index = float(trace.index[0])
        state.recent = [*state.recent, None if math.isnan(index) else index][-self._config.smooth :]
        known = [x for x in state.recent if x is not None]
        if math.isnan(index) or len(known) < max(1, self._config.smooth // 3):
            return []
        smooth = float(np.median(known))
        samples.append((end, smooth))
        state.history = [*state.history, [end / MICROSECONDS / 3600, smooth]][-HISTORY:]
        if smooth < 0.5 * self._limits.watch or not state.calm:
            state.calm = end
        tracker = StageTracker(self._limits, state.stage, state.above, state.below)
        before, after = state.stage, tracker.update(smooth)
        state.stage, state.above, state.below = tracker.stage, tracker.above, tracker.below
        if after == before:
            return []
        return [self._changed(time, before, after, smooth, trace.contribution[0].tolist())]

    def _learned(self, time: int) -> list[Event]:
        state = self._state
        rows = np.array([[math.nan if x is None else x for x in row] for row in state.learning])
        features, operating = self._split(rows)
        try:
            model = fit_health(features, self._config.features, operating=operating)
            trace = health_trace(model, features, operating=operating, window=self._config.smooth)
            limits = limits_of(trace.smooth, persistence=self._config.persistence)
        except ValueError:
            return []  # too little yet: go on learning
        self._keep(model, limits)
        state.learning = []
        regimes = len(model.regimes.centres)
        message = f"Learned what is healthy from {model.rows} windows in {regimes} operating regime{'s'[: regimes > 1]}"
        details = {"windows": model.rows, "regimes": regimes, "watch": limits.watch, "alarm": limits.alarm}
        return [Event(time, "maintenance.health.learned", self._asset.path, message, Severity.INFO, details)]

    def _changed(self, time: int, before: int, after: int, smooth: float, shares: list[float]) -> Event:
        name = STAGES[after]
        ranked = sorted(zip(self._config.features, shares, strict=True), key=lambda one: (-one[1], one[0]))
        because = ", ".join(f"{feature} {share:.0%}" for feature, share in ranked[:3] if share >= 0.05)
        details: dict[str, str | int | float | bool | None] = {"stage": name, "before": STAGES[before], "index": smooth}
        details |= {f"share {feature}": share for feature, share in ranked}
        if after < before:
            message = f"Health is back to {name}"
            return Event(time, f"maintenance.health.{name}", self._asset.path, message, Severity.INFO, details)
        left = datetime.fromtimestamp(self._state.calm / MICROSECONDS, UTC).isoformat(timespec="minutes")
        details["left_normal"] = left
        message = f"Health is at {name}: {because}; not as in its healthy time since {left}"
        if self._config.failure_index is not None:
            hours, values = np.array(self._state.history).T
            life = growth_life(hours, values, self._config.failure_index, "exponential")
            details |= {} if life.too_early else {"p10_h": life.p10, "p50_h": life.p50, "p90_h": life.p90}
            said = "too early to say how long" if life.too_early else f"{life.p10:.0f} to {life.p90:.0f} h are left"
            message += f"; {said} (P10 to P90)" if not life.too_early else f"; {said}"
        return Event(time, f"maintenance.health.{name}", self._asset.path, message, SEVERITIES[after], details)

    def _split(self, rows: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[Any, Any]:
        count = len(self._config.features)
        return rows[:, :count], rows[:, count:] if self._config.operating else None

    def _keep(self, model: HealthModel, limits: Limits) -> None:
        self._model, self._limits = model, limits
        self._state.model, self._state.limits = model.document(), asdict(limits)

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        return json.dumps(asdict(self._state)).encode()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        try:
            state = _State(**json.loads(snapshot))
            if len(state.sums) != len(self.inputs):
                raise DataError(f"the snapshot is of {len(state.sums)} signals, there are {len(self.inputs)}")
            self._state = state
            if state.model is not None and state.limits is not None:
                self._model, self._limits = health_model(state.model), Limits(**state.limits)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"no snapshot of a machine's health: {error}") from error


def _samples(found: list[tuple[int, float]]) -> SampleBatch:
    if not found:
        return SampleBatch.empty()
    times, values = zip(*found, strict=True)
    n = len(found)
    return SampleBatch(
        np.zeros(n, np.uint32), np.array(times, np.int64), np.array(values), np.full(n, Quality.GOOD, np.uint8)
    )


def _create(config: HealthConfig, asset: Asset) -> Operator | None:
    found = [asset.signal(path) for path in (*config.features, *config.operating)]
    inputs = [signal for signal in found if signal is not None]
    return HealthOperator(config, asset, inputs) if len(inputs) == len(found) else None


SPEC = OperatorSpec(
    "machine-health",
    "Health of a machine",
    HealthConfig,
    _create,
    "Learns a machine's healthy time and says when it leaves it, by which signals, and how long is left.",
)
