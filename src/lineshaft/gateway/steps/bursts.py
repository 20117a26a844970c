"""Bursts of fast samples: features of each one, always; the burst itself when it is worth sending."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from lineshaft.analytics.vibration import features as vibration
from lineshaft.analytics.vibration.sensor import sensor_problems
from lineshaft.gateway.steps.base import StepCount
from lineshaft.gateway.steps.diagnosis import FINDING, Known
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import CLASS_MASK, Float64Array, Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

FeatureKind = Literal["rms", "velocity_rms", "peak", "crest", "kurtosis", "envelope_rms", "band", "envelope_band"]
CARRIER: Final = (0.1, 0.4)
"""Band whose envelope is looked at, as parts of the sample rate, where the plant names none."""


@dataclass(frozen=True, slots=True)
class BurstFeature:
    """One number that is computed of each burst, and the handle of its signal."""

    handle: int
    kind: FeatureKind
    band: tuple[float, float] | None = None  # Hz


@dataclass(frozen=True, slots=True)
class Burst:
    """What the plant wants of one waveform.

    factor     value in m/s2 (acceleration) or mm/s (velocity) of one in the signal's unit; 1 for other quantities
    low, high  what the sensor can measure
    speed_of   handle of the signal that is the shaft's speed in 1/min, -1 for none
    every, on_change, before, after, rules   which bursts are sent, see config.waveforms.KeepConfig; on_change as
               part of 1, infinite for none
    """

    handle: int
    asset: str
    path: str
    features: tuple[BurstFeature, ...]
    quantity: Literal["acceleration", "velocity", "other"] = "other"
    factor: float = 1.0
    carrier: tuple[float, float] | None = None
    low: float = -np.inf
    high: float = np.inf
    speed_of: int = -1
    every: int = 1
    on_change: float = np.inf
    before: int = 0
    after: int = 0
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Holding:
    """What is remembered of one waveform over a restart.

    rows: the bursts held for a finding, oldest first. seen: bursts so far. owed: bursts that are still to be sent
    after a finding. sent_rms: RMS of the one sent last, NaN for none. known: of its diagnosis, None where it is not
    judged.
    """

    rows: tuple[SampleBatch, ...]
    seen: int = 0
    owed: int = 0
    sent_rms: float = np.nan
    known: Known | None = None


@dataclass(slots=True)
class _State:
    """What is remembered of one waveform."""

    ring: deque[SampleBatch]
    seen: int = 0
    sent_rms: float = field(default=np.nan)
    owed: int = 0  # bursts that are still to be sent after a finding
    fault: str = ""


class Bursts:
    """The step of all waveforms of a gateway."""

    def __init__(self, bursts: Sequence[Burst], size: int) -> None:
        self.count = StepCount("waveform", size)
        self._bursts = {one.handle: one for one in bursts}
        self._states = {one.handle: _State(deque(maxlen=max(one.before, 1))) for one in bursts}

    def holdings(self) -> dict[str, Holding]:
        """Path -> what is remembered, of the waveforms that hold bursts for a finding."""
        return {
            spec.path: Holding(tuple(one.ring), one.seen, one.owed, one.sent_rms)
            for spec in self._bursts.values()
            if spec.before or spec.after
            for one in (self._states[spec.handle],)
        }

    def remember(self, holdings: Mapping[str, Holding]) -> None:
        """Go on where an earlier run stopped; rows get the handles of this one."""
        for spec in self._bursts.values():
            holding = holdings.get(spec.path)
            if holding is None:
                continue
            state = self._states[spec.handle]
            state.seen, state.owed, state.sent_rms = holding.seen, min(holding.owed, spec.after), holding.sent_rms
            handle = np.array([spec.handle], np.uint32)
            state.ring.extend(replace(row, signals=handle) for row in holding.rows if spec.before)

    def features(
        self, bursts: SampleBatch, speed_of: Callable[[int], float | None]
    ) -> tuple[SampleBatch, SampleBatch, list[Event]]:
        """(the bursts with speed and quality, rows of their features, events about sensors); see `keep` for the rest.

        speed_of: gives the last good value of a handle.
        """
        rows, parts, events = [], [bursts.take(slice(0, 0))], []
        for row in range(len(bursts)):
            one = bursts.take(slice(row, row + 1))
            spec = self._bursts.get(int(one.signals[0]))
            if spec is None or one.waves is None:
                parts.append(one)
                continue
            wave: Waveform = one.waves[0]
            if wave.speed is None and spec.speed_of >= 0:
                wave = replace(wave, speed=speed_of(spec.speed_of))
            why = unusable(spec, wave)
            quality = Quality.UNCERTAIN_SENSOR if why else int(one.qualities[0])
            parts.append(SampleBatch.of_waves(one.signals.tolist(), one.times.tolist(), [wave], quality))
            rows.append(_feature_rows(spec, wave, int(one.times[0]), why, quality))
            events += self._told(spec, why, int(one.times[0]))
        return SampleBatch.concat(parts), SampleBatch.concat(rows), events

    def _told(self, spec: Burst, why: str, time: int) -> list[Event]:
        state = self._states[spec.handle]
        kind = why.partition(":")[0]
        if kind == state.fault:
            return []
        state.fault = kind
        if not why:
            return [Event(time, "waveform.usable", spec.path, "The waveform can be judged again.")]
        text = f"The waveform cannot be judged; {why}."
        mend = {"mend": "Look at the sensor, its cable and its range."}
        return [Event(time, "waveform.unusable", spec.path, text, Severity.MEDIUM, mend)]

    def keep(self, bursts: SampleBatch, events: Sequence[Event]) -> SampleBatch:
        """The bursts that are to be sent, in the order of their times, with those held back before a finding.

        events: what edge rules and the diagnosis found now. The burst that shows a fault is sent in any case.
        """
        out = [row for spec in self._bursts.values() if self._found(spec, events) for row in self._release(spec)]
        shown = {(one.details.get("signal"), one.details.get("burst")) for one in events if one.kind == FINDING}
        for row in range(len(bursts)):
            one = bursts.take(slice(row, row + 1))
            handle = int(one.signals[0])
            self.count.rows_in += 1
            shows = handle in self._bursts and (self._bursts[handle].path, int(one.times[0])) in shown
            if shows:
                self._states[handle].owed += 1
            if self._wanted(handle, float(one.values[0])):
                out.append(one)
            else:
                self._hold(handle, one)
        self.count.rows_out += len(out)
        return SampleBatch.concat(out)

    def _found(self, spec: Burst, events: Sequence[Event]) -> bool:
        return any(
            event.details.get("signal") == spec.path
            if event.kind == FINDING
            else event.kind.endswith(".raised")
            and event.kind.startswith("rule.")
            and (event.details.get("rule") in spec.rules if spec.rules else event.subject == spec.asset)
            for event in events
        )

    def _release(self, spec: Burst) -> list[SampleBatch]:
        state = self._states[spec.handle]
        state.owed = spec.after
        rows = list(state.ring)
        state.ring.clear()
        for row in rows:
            self.count.drop(row.signals, -1)
        return rows

    def _wanted(self, handle: int, rms: float) -> bool:
        spec = self._bursts.get(handle)
        if spec is None:
            return True
        state = self._states[handle]
        due = spec.every > 0 and state.seen % spec.every == 0
        state.seen += 1
        changed = not np.isfinite(state.sent_rms) or abs(rms - state.sent_rms) > spec.on_change * abs(state.sent_rms)
        owed = state.owed > 0
        state.owed = max(0, state.owed - 1)
        if not (due or owed or (np.isfinite(spec.on_change) and changed)):
            return False
        state.sent_rms = rms
        return True

    def _hold(self, handle: int, one: SampleBatch) -> None:
        self.count.drop(one.signals)
        if self._bursts[handle].before:
            self._states[handle].ring.append(one)


def unusable(spec: Burst, wave: Waveform) -> str:
    """'' for a burst that can be judged, else why not: a short kind, a colon, and the words for people."""
    values = wave.values()
    over = int(np.count_nonzero((values <= spec.low) | (values >= spec.high)))
    if over:
        return f"clipped: {over} of {len(values)} samples are at the end of the sensor's range"
    for problem in sensor_problems(values * spec.factor, wave.rate):
        if problem.kind != "implausible" or spec.quantity == "acceleration":
            return f"{problem.kind}: {problem.words}"
    return ""


def _feature_rows(spec: Burst, wave: Waveform, time: int, why: str, quality: int) -> SampleBatch:
    handles = [feature.handle for feature in spec.features]
    if why or quality & CLASS_MASK == 0:
        return SampleBatch.of(handles, time, np.nan, Quality.BAD_DEVICE)
    values = wave.values() * spec.factor
    numbers = np.array([_feature(spec, feature, values, wave.rate) for feature in spec.features], np.float64)
    usable = np.isfinite(numbers)
    return SampleBatch.of(handles, time, numbers, np.where(usable, quality, Quality.BAD_NO_VALUE))


def _feature(spec: Burst, feature: BurstFeature, values: Float64Array, rate: float) -> float:
    """One feature in its signal's unit; NaN where the burst is too short or too slow for it."""
    try:
        match feature.kind:
            case "rms":
                return vibration.rms(values) / spec.factor
            case "peak":
                return vibration.peak(values) / spec.factor
            case "crest":
                return vibration.crest_factor(values)
            case "kurtosis":
                return vibration.kurtosis(values)
            case "velocity_rms":
                band = (vibration.VELOCITY_BAND[0], min(vibration.VELOCITY_BAND[1], rate / 2))
                whole = vibration.velocity_rms if spec.quantity == "acceleration" else vibration.band_rms
                return whole(values, rate, band)
            case "band":
                return vibration.band_rms(values, rate, feature.band or (0.0, rate / 2)) / spec.factor
            case "envelope_rms" | "envelope_band":
                carrier = spec.carrier or (CARRIER[0] * rate, CARRIER[1] * rate)
                envelope = vibration.envelope(values, rate, carrier)
                if feature.band is None:
                    return vibration.rms(envelope) / spec.factor
                return vibration.band_rms(envelope, rate, feature.band) / spec.factor
    except ValueError:
        return np.nan
