"""Diagnosis of bursts at the gateway: faults with their evidence as events, or why there can be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.analytics.bearings.findings import Diagnosis, FaultKind, Finding
from lineshaft.config.vibration_sheet import Sheet
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import CLASS_MASK, Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

FINDING: Final = "maintenance.finding"
LONGEST: Final = 1 << 17
"""Samples of a burst that are looked at, from its beginning: what one diagnosis costs has a bound (about 60 ms)."""
DAY_US: Final = 86_400_000_000
_GOOD: Final = int(Quality.GOOD) & CLASS_MASK


@dataclass(frozen=True, slots=True)
class Watch:
    """A waveform that is judged.

    factor    what a sample is multiplied with to be in `unit`: m/s2, or a unit of current
    interval  microseconds within which one burst is judged at most
    confirm   judged bursts in a row that show a fault before it is told; it is gone after as many, and 3 at least,
              that do not
    """

    handle: int
    asset: str
    path: str
    sheet: Sheet
    factor: float = 1.0
    unit: str = "m/s2"
    interval: int = 60_000_000
    confirm: int = 2


@dataclass(frozen=True, slots=True)
class FaultKnown:
    """What is remembered of one kind of fault over a restart; times in UTC microseconds.

    seen, missed: judged bursts in a row that show it, or do not. told: the last event, 0 for none. since: the first
    burst that showed it.
    """

    seen: int = 0
    missed: int = 0
    told: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a judged waveform over a restart.

    next_at: when the next burst is judged, UTC microseconds. refused: the reasons told last why nothing is claimed.
    """

    next_at: int = 0
    refused: str = ""
    faults: Mapping[FaultKind, FaultKnown] = field(default_factory=dict)


@dataclass(slots=True)
class _Fault:
    """What is remembered of one kind of fault."""

    seen: int = 0  # judged bursts in a row
    missed: int = 0
    told: int = 0  # time of the last event, 0 for none
    since: int = 0


@dataclass(slots=True)
class _State:
    next_at: int = 0
    refused: str = ""
    faults: dict[FaultKind, _Fault] = field(default_factory=dict)


class Diagnosing:
    """The diagnosis of all waveforms of a gateway whose machine is known."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = {one.handle: one for one in watches}
        self._states = {one.handle: _State() for one in watches}
        self.judged = 0

    def known(self) -> dict[str, Known]:
        """Path -> what is remembered, of all waveforms that are judged."""
        return {
            watch.path: Known(
                state.next_at,
                state.refused,
                {kind: FaultKnown(one.seen, one.missed, one.told, one.since) for kind, one in state.faults.items()},
            )
            for watch, state in ((watch, self._states[watch.handle]) for watch in self._watches.values())
        }

    def remember(self, known: Mapping[str, Known]) -> None:
        """Go on where an earlier run stopped, so that nothing is told twice and nothing is counted anew."""
        for watch in self._watches.values():
            one = known.get(watch.path)
            if one is not None:
                faults = {kind: _Fault(was.seen, was.missed, was.told, was.since) for kind, was in one.faults.items()}
                self._states[watch.handle] = _State(one.next_at, one.refused, faults)

    def update(self, bursts: SampleBatch) -> list[Event]:
        """Events of these bursts; one that its sensor spoils is passed over, because that was told already."""
        events: list[Event] = []
        for row, handle in enumerate(bursts.signals.tolist()):
            watch, waves = self._watches.get(handle), bursts.waves
            wave = None if waves is None else waves[row]
            if watch is None or wave is None or int(bursts.qualities[row]) & CLASS_MASK != _GOOD:
                continue
            time, state = int(bursts.times[row]), self._states[handle]
            if state.next_at - watch.interval <= time < state.next_at:
                continue
            state.next_at = time + watch.interval
            self.judged += 1
            events += self._judge(watch, state, wave, time)
        return events

    def _judge(self, watch: Watch, state: _State, wave: Waveform, time: int) -> list[Event]:
        found = watch.sheet.judge(wave.values()[:LONGEST] * watch.factor, wave.rate, watch.unit, wave.speed)
        events = _refusal(watch, state, found, time)
        if found.bearing_verdict == "not diagnosable" and not found.findings:
            return events  # nothing is known: no fault is confirmed, and none is gone
        here = {
            one.kind: one
            for one in found.findings
            if one.sure_of_damage or state.faults.get(one.kind, _Fault()).told  # not parted now: it is not gone
        }
        for kind in here.keys() | state.faults.keys():
            fault = state.faults.setdefault(kind, _Fault())
            event = _step(watch, fault, here.get(kind), kind, found, time)
            if event is not None:
                events.append(event)
            if not fault.seen and not fault.told:
                del state.faults[kind]
        return events


def _step(
    watch: Watch, fault: _Fault, finding: Finding | None, kind: FaultKind, found: Diagnosis, time: int
) -> Event | None:
    if finding is None:
        fault.seen, fault.missed = 0, fault.missed + 1
        if not fault.told or fault.missed < max(3, watch.confirm):
            return None
        event = _gone(watch, fault, kind, time)
        fault.told = 0
        return event
    fault.seen, fault.missed = fault.seen + 1, 0
    fault.since = fault.since if fault.seen > 1 or fault.told else time
    due = fault.seen >= watch.confirm if not fault.told else time >= fault.told + DAY_US
    if not due:
        return None
    fault.told = time
    return _event(watch, fault, finding, found, time)


def _refusal(watch: Watch, state: _State, found: Diagnosis, time: int) -> list[Event]:
    """One event when something becomes not diagnosable or diagnosable again."""
    refusals = found.not_diagnosable
    reasons = ", ".join(dict.fromkeys(one.reason for one in refusals))
    if reasons == state.refused:
        return []
    state.refused = reasons
    if not refusals:
        return [Event(time, "maintenance.judged", watch.path, "The vibration can be judged again.")]
    words = "; ".join(dict.fromkeys(one.words for one in refusals))
    if "geometry" in reasons and watch.sheet.problem:
        words += f" ({watch.sheet.problem})"
    mend = "Choose the bearing and the source of the speed under Maintenance, Connect a vibration sensor."
    details: Mapping[str, str | int] = {"reason": reasons, "burst": time, "mend": mend}
    return [Event(time, "maintenance.refused", watch.path, f"Nothing is claimed: {words}.", Severity.LOW, details)]


def _event(watch: Watch, fault: _Fault, one: Finding, found: Diagnosis, time: int) -> Event:
    place = watch.asset.rpartition("/")[2]
    again = "still " if fault.since < time and fault.seen > watch.confirm else ""
    message = (
        f"{one.title[:1].upper()}{one.title[1:]} at {place} {again}(likelihood {one.likelihood:.0%}). {one.words[0]}"
    )
    details: dict[str, str | int | float | bool | None] = {
        "fault": one.kind,
        "title": one.title,
        "likelihood": round(one.likelihood, 4),
        "signal": watch.path,
        "burst": time,
        "since": fault.since,
        "bearing": watch.sheet.bearing,
        "speed": None if found.speed is None else round(60 * found.speed, 2),
        "estimated": found.estimated,
        "zone": found.zone,
        "velocity_rms": None if found.velocity_rms is None else round(found.velocity_rms, 4),
        "evidence": "; ".join(f"{peak.name} {peak.frequency:.1f} Hz x{peak.over_noise:.0f}" for peak in one.peaks),
        "words": " ".join(one.words),
        "source": "edge",
        "mend": "Look at the envelope of this burst; plan the change of the bearing."
        if one.band is not None
        else "Look at the spectrum of this burst and at the machine.",
    }
    if one.band is not None:
        details |= {"band_low": round(one.band[0], 1), "band_high": round(one.band[1], 1)}
    severity = Severity.HIGH if one.likelihood >= 0.95 else Severity.MEDIUM if one.likelihood >= 0.7 else Severity.LOW
    return Event(time, FINDING, watch.asset, message, severity, details)


def _gone(watch: Watch, fault: _Fault, kind: FaultKind, time: int) -> Event:
    words = f"{kind.replace('_', ' ').capitalize()}: {fault.missed} bursts in a row do not show it any more."
    details: dict[str, str | int | float | bool | None] = {
        "fault": kind, "signal": watch.path, "burst": time, "since": fault.since,
    }  # fmt: skip
    return Event(time, f"{FINDING}.gone", watch.asset, words, Severity.INFO, details)
