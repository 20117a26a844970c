"""Judges each stored burst of a bearing that the data sheet names, and tells what it shows as events."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.analytics.bearings.diagnosis import diagnose
from lineshaft.analytics.bearings.findings import Diagnosis, Finding
from lineshaft.apps.maintenance import story
from lineshaft.apps.maintenance.sheets import in_known_unit
from lineshaft.apps.maintenance.store import CaseStore
from lineshaft.clock import Clock
from lineshaft.config.vibration_sheet import Sheet, read_sheet
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

AGAIN_US: Final = 2 * 86_400_000_000
"""A fault that stays is told again after so long."""
_DAY_US: Final = 86_400_000_000
_AT_ONCE: Final = 50
_HELD: Final = 200
"""Bursts in memory that wait to be judged; more are read from the historian."""
_VOTES: Final = 3
QUIET_S: Final = 3.0
"""Late bursts come in many pieces: they are judged when no more came for so long."""
NEVER: Final = -(2**62)


@dataclass(slots=True)
class _Sensor:
    """What the last bursts of a sensor showed. `told`: fault -> when it was told last."""

    votes: deque[set[str]] = field(default_factory=lambda: deque(maxlen=_VOTES))
    told: dict[str, int] = field(default_factory=dict)


class Diagnoser:
    """`committed` from any thread; `step` from one thread at a time.

    A fault is told when two of the last three bursts show it, and that it is gone when three in a row do not.
    """

    def __init__(self, store: CaseStore, state: State, historian: Historian, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._historian = historian
        self._clock = clock
        self._lock = threading.Lock()
        self._dirty: set[int] = set()
        self._judged: dict[int, int] = {}  # signal -> time of the newest burst that was judged
        self._fresh: dict[int, dict[int, Waveform]] = {}  # signal -> bursts that came since the last step, a few
        self._held = 0
        self._missed: set[int] = set()  # signals of which some were not held
        self._current: set[int] = set()  # signals of which everything was judged but what is held
        self._late: dict[int, int] = {}  # signal -> time of the earliest burst that came after a newer one was judged
        self._late_at = 0.0  # monotonic
        self._version = -1  # of the catalogue: with another one every sensor may have bursts that nobody could judge
        self._sensors: dict[int, _Sensor] = {}

    def committed(self, batch: SampleBatch) -> None:
        """Take note of bursts that are stored now."""
        if batch.waves is None:
            return
        rows = batch.take(batch.is_wave())
        waves: Iterable[Waveform] = () if rows.waves is None else rows.waves
        with self._lock:
            self._dirty.update(rows.signals.tolist())
            for signal, time, wave in zip(rows.signals.tolist(), rows.times.tolist(), waves, strict=True):
                if time <= self._judged.get(signal, NEVER):
                    self._late[signal] = min(time, self._late.get(signal, time))
                    self._late_at = self._clock.monotonic()
                elif signal in self._current and self._held < _HELD:
                    self._fresh.setdefault(signal, {})[time] = wave
                    self._held += 1
                else:
                    self._missed.add(signal)

    def step(self) -> bool:
        """Judge what has come; True while there is more. Blocks. Raises StoreUnavailable."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            fresh, self._fresh, self._held = self._fresh, {}, 0
            self._current -= self._missed
            self._missed = set()
            dirty |= self._back()
            version = self._state.catalogue.version
            if version != self._version:
                waves = [
                    one.id for one in self._state.catalogue.signals() if one.born.signal.kind is SignalKind.WAVEFORM
                ]
                dirty.update(waves)
                self._version = version
        try:
            return self._judge_all(sorted(dirty), fresh) if dirty else False
        except StoreUnavailable:
            with self._lock:
                self._dirty |= dirty
                self._current.clear()
            raise

    def _judge_all(self, dirty: Sequence[int], fresh: Mapping[int, Mapping[int, Waveform]]) -> bool:
        sheets = {node.path: node for node in self._state.catalogue.equipment()[1]}
        marks: dict[str, int] = {}
        more = False
        for number in dirty:
            one = self._state.catalogue.by_id(number)
            node = None if one is None else sheets.get(one.born.signal.asset)
            lines = {} if node is None else {line.name: line.value for line in node.attributes}
            sheet = None if one is None else read_sheet(one.born.signal.name, lines)
            if one is None or sheet is None or sheet.orders is None:
                self._current.discard(number)
            elif number in self._current:
                marks |= self._take(one, sheet, fresh.get(number, {}))
            else:
                more |= self._judge(one, sheet)
        self._store.set_marks(marks)
        return more

    def _take(self, one: CataloguedSignal, sheet: Sheet, waves: Mapping[int, Waveform]) -> Mapping[str, int]:
        """Judge bursts that were held; gives how far its sensor has come."""
        new = {time: wave for time, wave in waves.items() if time > self._judged[one.id]}
        if not new:
            return {}
        self._judged[one.id] = max(new)
        sensor = self._sensor(one, min(new))
        for time in sorted(new):
            self._state.events.add(self._told(one, sensor, sheet, time, new[time]))
        return {_mark(one): max(new)}

    def _back(self) -> set[int]:
        """Sensors whose late bursts have all come go back to the first of them, and are judged again from there."""
        if not self._late or self._clock.monotonic() - self._late_at < QUIET_S:
            return set()
        late, self._late = self._late, {}
        for signal, time in late.items():
            one = self._state.catalogue.by_id(signal)
            self._current.discard(signal)
            if one is not None:
                self._store.set_mark(_mark(one), time - 1)
                self._sensors.pop(signal, None)
        return set(late)

    def _judge(self, one: CataloguedSignal, sheet: Sheet) -> bool:
        """What is stored since its mark, some at once."""
        key = _mark(one)
        mark = self._store.mark(key)
        end = self._clock.now_us() + _DAY_US
        waiting = self._historian.waveforms([one.id], mark + 1, end, _AT_ONCE)
        if not waiting:
            self._judged[one.id] = mark
            self._caught_up(one.id)
            return False
        sensor = self._sensor(one, waiting[0].time)
        waves = self._historian.bursts(one.id, [stored.time for stored in waiting])
        for time in sorted(waves):
            self._state.events.add(self._told(one, sensor, sheet, time, waves[time]))
        self._store.set_mark(key, waiting[-1].time)
        self._judged[one.id] = waiting[-1].time
        if len(waiting) < _AT_ONCE:
            self._caught_up(one.id)
            return False
        with self._lock:
            self._dirty.add(one.id)
        return True

    def _caught_up(self, signal: int) -> None:
        """From now on what comes is judged from memory, unless some came meanwhile."""
        with self._lock:
            if signal not in self._missed:
                self._current.add(signal)

    def _sensor(self, one: CataloguedSignal, before: int) -> _Sensor:
        """What was told before a restart, or before late bursts, is known again."""
        known = self._sensors.get(one.id)
        if known is None:
            known = self._sensors[one.id] = _Sensor()
            past = self._state.events.find(until=before, subject=one.born.signal.asset, kind=story.FINDING, limit=100)
            for event in sorted((stored.event for stored in past), key=lambda event: event.time):
                fault = str(event.details.get("fault") or "")
                if event.kind == story.GONE:
                    known.told.pop(fault, None)
                elif event.details.get("signal") == one.path:
                    known.told[fault] = event.time
        return known

    def _last(self, one: CataloguedSignal, fault: str, until: int) -> tuple[int, bool]:
        """When anybody, its gateway as well, spoke of the fault last up to a time; and whether that it is gone."""
        asset = one.born.signal.asset
        for stored in self._state.events.find(until=until + 1, subject=asset, kind=story.FINDING, limit=100):
            if stored.event.subject == asset and stored.event.details.get("fault") == fault:
                return stored.event.time, stored.event.kind == story.GONE
        return NEVER, True

    def _told(self, one: CataloguedSignal, sensor: _Sensor, sheet: Sheet, time: int, wave: Waveform) -> Sequence[Event]:
        expected = wave.total if wave.total > len(wave) else None
        values, unit = in_known_unit(wave.values(), one.born.signal.unit)
        found = diagnose(values, wave.rate, sheet.at(wave.speed or None), unit=unit, expected=expected)
        if found.bearing_verdict == "not diagnosable":
            return ()
        shown = {
            finding.kind: finding
            for finding in found.findings
            if finding.sure_of_damage or finding.kind in sensor.told  # not parted now: it is not gone
        }
        sensor.votes.append(set(shown))
        events = []
        for kind, finding in shown.items():
            often = sum(kind in vote for vote in sensor.votes) >= 2
            if often and time - sensor.told.get(kind, NEVER) >= AGAIN_US:
                sensor.told[kind], gone = self._last(one, kind, time)
                if gone or time - sensor.told[kind] >= AGAIN_US:
                    sensor.told[kind] = time
                    events.append(_event(one, sheet, time, finding, found))
        for fault in [fault for fault in sensor.told if len(sensor.votes) == _VOTES]:
            if not any(fault in vote for vote in sensor.votes):
                del sensor.told[fault]
                if self._last(one, fault, time)[1]:
                    continue  # its gateway has said so
                words = f"Not seen any more: three bursts in a row show no {fault.replace('_', ' ')}"
                details: dict[str, str | int | float | bool | None] = {
                    "fault": fault,
                    "signal": one.path,
                    "burst": time,
                    "source": "hub",
                }
                events.append(Event(time, story.GONE, one.born.signal.asset, words, Severity.INFO, details))
        return events


def _mark(one: CataloguedSignal) -> str:
    return f"bursts {one.path}"


def _event(one: CataloguedSignal, sheet: Sheet, time: int, finding: Finding, found: Diagnosis) -> Event:
    peaks = "; ".join(f"{peak.name} {peak.frequency:.1f} Hz x{peak.over_noise:.0f}" for peak in finding.peaks)
    details: dict[str, str | int | float | bool | None] = {
        "fault": finding.kind,
        "title": finding.title,
        "likelihood": finding.likelihood,
        "signal": one.path,
        "signal_id": one.id,
        "burst": time,
        "zone": found.zone,
        "velocity_rms": found.velocity_rms,
        "evidence": peaks,
        "bearing": sheet.bearing,
        "speed": None if found.speed is None else 60 * found.speed,
        "source": "hub",
    }
    words = f"{finding.title[:1].upper()}{finding.title[1:]}: {' '.join(finding.words)}"
    severity = Severity.MEDIUM if finding.likelihood >= 0.9 else Severity.LOW
    return Event(time, story.FINDING, one.born.signal.asset, words, severity, details)
