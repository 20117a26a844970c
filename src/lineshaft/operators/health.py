"""Health of a machine: its signals against its own healthy time, under the same operation; stages as events."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np

from lineshaft.analytics.health.alarms import STAGES, Limits, StageTracker, limits_of
from lineshaft.analytics.health.index import (
    FEWEST_ROWS,
    HealthModel,
    HealthTrace,
    fit_health,
    health_model,
    health_trace,
)
from lineshaft.analytics.remaining_life.estimate import UNDER_PLAN, Duty, RemainingLife, too_early, under_plan
from lineshaft.analytics.remaining_life.picked import picked_life
from lineshaft.clock import MICROSECONDS
from lineshaft.errors import DataError
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.predictions import Prediction
from lineshaft.model.samples import CLASS_MASK, Float64Array, Quality, SampleBatch
from lineshaft.operators import health_record
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output
from lineshaft.operators.health_setup import HealthConfig, HealthSetup, setup_of

SEVERITIES: Final = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH)
LIFE_US: Final = 7_200_000_000
"""The index is kept for the growth towards failure, and the remaining life estimated, so often."""
HISTORY: Final = 360
"""Values of the index that are kept for it: thirty days."""
DAY_US: Final = 86_400_000_000
_TELL: Final = 0.3
"""A remaining life is told anew when it has changed by so much besides the time that has passed."""
INDEX, STAGE, P10, P50, P90 = range(5)
Details = dict[str, str | int | float | bool | None]


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
    least: float | None = None  # of the first operating signal: below it the machine stands
    recent: list[float | None] = field(default_factory=list)
    history: list[list[float]] = field(default_factory=list)  # hours, smoothed index
    stage: int = 0
    above: int = 0
    below: int = 0
    calm: int = 0  # end of the last window in which the index was far below the watch limit
    said: int = 0  # day on which it was last said whether there is a fault
    told: list[float] = field(default_factory=list)  # when, in hours, and P50 of the life that was told last


class HealthOperator:
    """One machine; implements operators.base.Operator."""

    def __init__(self, config: HealthConfig, asset: Asset, setup: HealthSetup) -> None:
        self.inputs = (*setup.features, *setup.operating)
        self.outputs = _outputs(asset.path)
        self._config = config
        self._asset = asset
        self._setup = setup
        self._names = tuple(one.path[len(asset.path) + 1 :] for one in setup.features)
        self._version = health_record.version_of(config)
        self._width = round(config.window * MICROSECONDS)
        self._learn = max(FEWEST_ROWS, math.ceil(config.learn / config.window))
        count = len(self.inputs)
        self._state = _State(sums=[0.0] * count, counts=[0] * count)
        self._sums, self._counts = np.zeros(count), np.zeros(count, np.int64)
        self._model: HealthModel | None = None
        self._limits: Limits | None = None

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        if not len(batch):
            return Output()
        state = self._state
        usable = (batch.qualities & CLASS_MASK != 0) & np.isfinite(batch.values)
        numbers = batch.times // self._width
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(batch)]
        closed: list[_Closed] = []
        for low, high in pairwise(edges):
            number = int(numbers[low])
            if state.window is None:
                state.window = state.first = number
            if number > state.window:
                closed.append(_Closed(state.window, self._means(), int(batch.times[low])))
                state.window = number
            good = usable[low:high]
            places = batch.signals[low:high][good]
            np.add.at(self._sums, places, batch.values[low:high][good])  # one after the other: cuts change nothing
            np.add.at(self._counts, places, 1)
        return self._judged(closed)

    def _means(self) -> Float64Array:
        means: Float64Array = np.divide(
            self._sums, self._counts, out=np.full(len(self._sums), np.nan), where=self._counts > 0
        )
        self._sums[:], self._counts[:] = 0.0, 0
        return means

    def _judged(self, closed: list[_Closed]) -> Output:
        """Windows that are over: learn from them, or judge them."""
        found = _Found()
        place = 0
        while place < len(closed) and self._limits is None:
            one = closed[place]
            self._state.learning.append([None if math.isnan(x) else float(x) for x in one.means])
            if one.number - (self._state.first or 0) + 1 >= self._learn:
                found.events += self._learned(one.time)
            place += 1
        rest = closed[place:]
        if rest and self._model is not None:
            features, operating = self._split(np.array([one.means for one in rest]))
            trace = health_trace(self._model, features, operating=operating, window=1)
            for row, one in enumerate(rest):
                self._judge(one, trace, row, found)
        return Output(tuple(found.events), _samples(found.samples), tuple(found.predictions))

    def _judge(self, one: _Closed, trace: HealthTrace, row: int, found: _Found) -> None:
        state, limits = self._state, self._limits
        index, end = float(trace.index[row]), (one.number + 1) * self._width
        if math.isnan(index) or limits is None:
            return  # it stands, or a signal is missing: nothing is known, and what was stays
        state.recent = [*state.recent, index][-self._config.smooth :]
        known = sorted(x for x in state.recent if x is not None)
        if len(known) < max(1, self._config.smooth // 3):
            return
        smooth = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
        found.samples.append((INDEX, end, smooth))
        if smooth < 0.5 * limits.watch or not state.calm:
            state.calm = end
        tracker = StageTracker(limits, state.stage, state.above, state.below)
        before, after = state.stage, tracker.update(smooth)
        state.stage, state.above, state.below = tracker.stage, tracker.above, tracker.below
        found.samples.append((STAGE, end, float(after)))
        life = self._lives(end, smooth, after != before, found.samples)
        shares = trace.contribution[row].tolist()
        if after != before:
            found.events.append(self._changed(one.time, before, after, smooth, shares, life))
        else:
            found.events += self._still(one.time, end, smooth, shares, life)
        self._foretell(one.time, smooth, after != before, shares, life, found)

    def _foretell(
        self, time: int, smooth: float, changed: bool, shares: list[float], life: RemainingLife | None, found: _Found
    ) -> None:
        """For the record: a fault at each change of stage and once a day, and each estimate of what is left."""
        state, day, path = self._state, time // DAY_US, self._asset.path
        inputs: Details = {"index": smooth, "stage": STAGES[state.stage]}
        if changed or day != state.said:
            state.said = day
            every = inputs | self._shares(shares)
            found.predictions.append(health_record.fault(time, path, self._version, state.stage, smooth, every))
        if life is not None:
            found.predictions.append(health_record.life(time, path, self._version, life, inputs))

    def _lives(
        self, end: int, smooth: float, changed: bool, samples: list[tuple[int, int, float]]
    ) -> RemainingLife | None:
        """The remaining life, every two hours and when the stage has changed, while the machine is not normal."""
        state, limit, hour = self._state, self._setup.failure_index, end / MICROSECONDS / 3600
        last = round(state.history[-1][0] * 3600 * MICROSECONDS) if state.history else 0
        due = end // LIFE_US != last // LIFE_US
        if due:
            state.history = [*state.history, [hour, smooth]][-HISTORY:]
        if limit is None or not state.stage or not (due or changed):
            return None
        since = [one for one in state.history if one[0] * 3600 * MICROSECONDS >= state.calm]
        if not since:
            return too_early("growth", "it has just left its healthy time")
        hours, values = np.array(since).T
        life = self._planned(picked_life(hours, values, limit))
        if not life.too_early:
            samples.extend(zip((P10, P50, P90), [end] * 3, (life.p10, life.p50, life.p90), strict=True))
        return life

    def _planned(self, life: RemainingLife) -> RemainingLife:
        """The same in hours of the plan."""
        if life.too_early or not self._config.plan:
            return life
        plan = [Duty(one.hours, one.speed, one.load) for one in self._config.plan]
        p10, p50, p90 = (under_plan(hours, plan) for hours in (life.p10, life.p50, life.p90))
        return RemainingLife(p10, p50, p90, life.method, f"{life.words}; {UNDER_PLAN}")

    def _still(
        self, time: int, end: int, smooth: float, shares: list[float], life: RemainingLife | None
    ) -> list[Event]:
        """No change of stage: a first or a changed remaining life is told, at most once a day."""
        state = self._state
        if life is None or life.too_early or not state.stage:
            return []
        hour = end / MICROSECONDS / 3600
        if state.told:
            passed = hour - state.told[0]
            expected = max(state.told[1] - passed, 1.0)
            if passed < 24 or abs(life.p50 - expected) < _TELL * expected:
                return []
        state.told = [hour, life.p50]
        details = self._shares(shares) | {"stage": STAGES[state.stage], "index": smooth} | _life_details(life)
        message = f"{_left(life)} (P10 to P90), {life.words}"
        return [Event(time, "maintenance.life", self._asset.path, message, SEVERITIES[state.stage], details)]

    def _learned(self, time: int) -> list[Event]:
        state = self._state
        rows = np.array([[math.nan if x is None else x for x in row] for row in state.learning])
        state.least = self._least(rows)
        features, operating = self._split(rows)
        try:
            model = fit_health(features, self._names, operating=operating)
            trace = health_trace(model, features, operating=operating, window=self._config.smooth)
            limits = limits_of(trace.smooth, persistence=self._config.persistence)
        except ValueError:
            return []  # too little yet: go on learning
        self._keep(model, limits)
        state.learning = []
        regimes = len(model.regimes.centres)
        message = f"Learned what is healthy from {model.rows} windows in {regimes} operating regime{'s'[: regimes > 1]}"
        details: Details = {"windows": model.rows, "regimes": regimes, "watch": limits.watch, "alarm": limits.alarm}
        details |= {"danger": limits.danger, "failure": self._setup.failure_index}
        return [Event(time, "maintenance.health.learned", self._asset.path, message, Severity.INFO, details)]

    def _least(self, rows: Float64Array) -> float | None:
        """Below this value of the first operating signal the machine stands; None without such a signal."""
        column = rows[:, len(self._names)] if self._setup.operating else np.empty(0)
        known = column[np.isfinite(column)]
        return float(self._config.standstill * np.quantile(known, 0.95)) if len(known) else None

    def _shares(self, shares: list[float]) -> Details:
        ranked = sorted(zip(self._names, shares, strict=True), key=lambda one: (-one[1], one[0]))
        return {f"share {feature}": share for feature, share in ranked}

    def _changed(
        self, time: int, before: int, after: int, smooth: float, shares: list[float], life: RemainingLife | None
    ) -> Event:
        name = STAGES[after]
        details: Details = {"stage": name, "before": STAGES[before], "index": smooth}
        by = self._shares(shares)
        details |= by
        if after < before:
            if not after:
                self._state.told = []
            message = f"Health is back to {name}"
            return Event(time, f"maintenance.health.{name}", self._asset.path, message, Severity.INFO, details)
        because = ", ".join(
            f"{feature.removeprefix('share ')} {share:.0%}"
            for feature, share in list(by.items())[:3]
            if isinstance(share, float) and share >= 0.05
        )
        left = datetime.fromtimestamp(self._state.calm / MICROSECONDS, UTC).isoformat(timespec="minutes")
        details["left_normal"] = left
        message = f"Health is at {name}: {because}; not as in its healthy time since {left}"
        if life is not None:
            details |= _life_details(life)
            message += f"; {_left(life)}"
        return Event(time, f"maintenance.health.{name}", self._asset.path, message, SEVERITIES[after], details)

    def _split(self, rows: Float64Array) -> tuple[Float64Array, Float64Array | None]:
        """(features, operating); features of windows in which it stands are not known."""
        count = len(self._names)
        features = rows[:, :count].copy()
        if not self._setup.operating:
            return features, None
        if self._state.least is not None:
            features[rows[:, count] < self._state.least] = np.nan
        return features, rows[:, count:]

    def _keep(self, model: HealthModel, limits: Limits) -> None:
        self._model, self._limits = model, limits
        self._state.model, self._state.limits = model.document(), asdict(limits)

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        self._state.sums, self._state.counts = self._sums.tolist(), self._counts.tolist()
        return json.dumps(asdict(self._state)).encode()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        try:
            state = _State(**json.loads(snapshot))
            if len(state.sums) != len(self.inputs):
                raise DataError(f"the snapshot is of {len(state.sums)} signals, there are {len(self.inputs)}")
            self._state = state
            self._sums, self._counts = np.array(state.sums, np.float64), np.array(state.counts, np.int64)
            if state.model is not None and state.limits is not None:
                self._model, self._limits = health_model(state.model), Limits(**state.limits)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"no snapshot of a machine's health: {error}") from error


@dataclass(slots=True)
class _Found:
    """What an update has found so far; samples are (place of the output, time, value)."""

    events: list[Event] = field(default_factory=list)
    samples: list[tuple[int, int, float]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Closed:
    """A window that is over. `time`: of the row that says so."""

    number: int
    means: Float64Array
    time: int


def _outputs(path: str) -> tuple[Signal, ...]:
    stages = tuple((str(number), name) for number, name in enumerate(STAGES))
    return (
        Signal(
            path, "health_index", decimals=2, description="Distance from the machine's own healthy time; 0 is healthy."
        ),
        Signal(path, "health_stage", SignalKind.STATE, states=stages, description="Stage of the machine's health."),
        *(
            Signal(path, f"life_p{share}", unit="h", decimals=0, description=f"Remaining life: {words}.")
            for share, words in (
                (10, "with 10 % chance it is less"),
                (50, "as likely less as more"),
                (90, "with 10 % chance it is more"),
            )
        ),
    )


def _left(life: RemainingLife) -> str:
    if life.too_early:
        return "too early to say how long"
    return f"{_span(life.p10)} to {_span(life.p90)} are left"


def _span(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} d"


def _life_details(life: RemainingLife) -> Details:
    if life.too_early:
        return {}
    return {"p10_h": life.p10, "p50_h": life.p50, "p90_h": life.p90, "method": life.method, "why": life.words}


def _samples(found: list[tuple[int, int, float]]) -> SampleBatch:
    if not found:
        return SampleBatch.empty()
    places, times, values = zip(*found, strict=True)
    return SampleBatch(
        np.array(places, np.uint32),
        np.array(times, np.int64),
        np.array(values),
        np.full(len(found), Quality.GOOD, np.uint8),
    )


def _create(config: HealthConfig, asset: Asset) -> Operator | None:
    setup = setup_of(config, asset)
    return None if setup is None else HealthOperator(config, asset, setup)


SPEC = OperatorSpec(
    "machine-health",
    "Health of a machine",
    HealthConfig,
    _create,
    "Learns a machine's healthy time and says when it leaves it, by which signals, and how long is left.",
)
