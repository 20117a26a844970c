"""Follows events of health, findings, anomalies and people, and keeps the cases that they tell of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lineshaft.apps.maintenance import story
from lineshaft.apps.maintenance.cases import tell
from lineshaft.apps.maintenance.comparison import compare
from lineshaft.apps.maintenance.risk import SEVERITIES, Risk, basis_of, risk_of
from lineshaft.apps.maintenance.store import CaseStore, StoredCase
from lineshaft.apps.maintenance.story import Case
from lineshaft.clock import Clock
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.state.events import WITHDRAWN
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Equipment, Level
from lineshaft.model.events import Event, Severity
from lineshaft.model.predictions import Outcome, OutcomeKind

INDEX_SIGNAL: Final = "health_index"
PAST_US: Final = 400 * 86_400_000_000
MARK: Final = "events"
REFRESH_S: Final = 3600.0
LOOK_S: Final = 300.0
_HOUR_US: Final = 3_600_000_000
_SHOWN_US: Final = 48 * _HOUR_US
_MOST: Final = 5000
_SEVERITY: Final = {
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}
_FOUND: Final = {
    "confirmed": OutcomeKind.CONFIRMED_FAULT,
    "none": OutcomeKind.NO_FAULT_FOUND,
    "failed": OutcomeKind.FAILURE,
}


class Recorder:
    """`step` from one thread at a time; `retell` from any."""

    def __init__(
        self,
        store: CaseStore,
        state: State,
        historian: Historian,
        clock: Clock,
        told: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._state = state
        self._historian = historian
        self._clock = clock
        self._told = told
        self._lock = threading.Lock()
        self._nodes: dict[str, Equipment] = {}
        self._version = self._moved = -1
        self._refreshed = self._looked = clock.monotonic()

    def step(self) -> Sequence[str]:
        """Take in the events since the last call; gives the assets whose cases were told anew. Blocks."""
        self._move()
        self._refresh()
        mark = self._store.mark(MARK)
        found = self._state.events.after(mark, (*story.KINDS, WITHDRAWN))
        if not found:
            return ()
        assets = sorted({self.owner(one.event.subject) for one in found})
        for asset in assets:
            self.retell(asset)
        self._store.set_mark(MARK, found[-1].id)
        return assets

    def _refresh(self) -> None:
        """Time makes open cases more urgent, and shows what a repair has done, without an event."""
        if self._clock.monotonic() - self._looked >= LOOK_S:
            self._looked = self._clock.monotonic()
            for asset in self._store.repaired_since(self._clock.now_us() - _SHOWN_US):
                self.retell(asset)
        if self._clock.monotonic() - self._refreshed < REFRESH_S:
            return
        self._refreshed = self._clock.monotonic()
        for asset in sorted({one.case.asset for one in self._store.find(open_only=True)}):
            self.retell(asset)

    def _move(self) -> None:
        """A machine became known after its parts had cases of their own: they are the machine's."""
        version = self._state.catalogue.version
        if version == self._moved:
            return
        for asset in self._store.assets():
            owner = self.owner(asset)
            if owner != asset:
                self._store.put(asset, [], self._clock.now_us())
                self.retell(owner)
        self._moved = version

    def owner(self, path: str) -> str:
        """The machine that an event is about: the nearest at or above its subject that has a health, else the asset."""
        nodes = self._equipment()
        node = path
        while "/" in node:
            if self._state.catalogue.by_path(f"{node}/{INDEX_SIGNAL}") is not None:
                return node
            node = node.rpartition("/")[0]
        node = path
        while "/" in node:
            known = nodes.get(node)
            if known is not None and known.level is not Level.COMPONENT:
                return node
            node = node.rpartition("/")[0]
        return path

    def retell(self, asset: str) -> Sequence[StoredCase]:
        """The cases of an asset out of all its events; ids stay. Blocks. Raises StoreUnavailable."""
        now = self._clock.now_us()
        with self._lock:
            before = {one.id: one for one in self._store.find(asset=asset) if one.case.asset == asset}
            cases = tell(asset, self._events(asset, now - PAST_US))
            stored = self._store.put(asset, [(case, self._risk(case, now)) for case in cases], now)
            self._state.events.add([notice for one in stored if (notice := notice_of(one, before.get(one.id), now))])
            for one in stored:
                self._record(one, now)
                self._compare(one, now)
        self._told([asset])
        return stored

    def _events(self, asset: str, since: int) -> Iterable[Event]:
        for kind in story.KINDS:
            for one in self._state.events.find(since=since, subject=asset, kind=kind, limit=_MOST):
                if self.owner(one.event.subject) == asset:
                    yield one.event

    def _risk(self, case: Case, now: int) -> Risk:
        sheet = self._equipment().get(case.asset)
        costs = {one.name: one.value for one in sheet.attributes} if sheet is not None else {}
        failure, repair = (_number(costs.get(name)) for name in ("failure_cost", "repair_cost"))
        told = int(case.life.get("time", 0))
        stage = "watch" if case.worked is not None and case.stage != "normal" else case.stage  # repaired: wait and see
        life = case.life if basis_of(case) == "life" else {}
        return risk_of(stage, life, (now - told) / _HOUR_US, failure, repair)

    def _record(self, one: StoredCase, now: int) -> None:
        """What people found goes to the record, so that predictions are scored by it; told twice it counts once."""
        for entry in one.case.entries:
            if entry.kind not in ("work", "closed") or not entry.by:
                continue
            found = str(entry.details.get("found") or (one.case.outcome if entry.kind == "closed" else ""))
            kinds = [_FOUND[found]] if found in _FOUND else []
            kinds += [OutcomeKind.REPAIR] if entry.kind == "work" and found != "none" else []
            for kind in kinds:
                outcome = Outcome(entry.time, one.case.asset, kind)
                self._state.outcomes.add(outcome, by=entry.by, note=entry.words, now=now, source=f"case-{one.id}")

    def _compare(self, one: StoredCase, now: int) -> None:
        """From a quarter of an hour after the work on, again and again until a day has passed."""
        worked, last = one.case.worked, one.comparison
        if worked is None:
            return
        if last is not None and (last.get("final", True) or now - worked < 1.5 * (last["after"][1] - worked)):
            return
        found = compare(self._historian, self._state.catalogue, one.case.asset, features_of(one.case), worked, now)
        if found is not None:
            self._store.compare(one.id, found)

    def _equipment(self) -> dict[str, Equipment]:
        if self._version != self._state.catalogue.version:
            self._version, nodes = self._state.catalogue.equipment()
            self._nodes = {one.path: one for one in nodes}
        return self._nodes


def notice_of(one: StoredCase, before: StoredCase | None, now: int) -> Event | None:
    """What alarms and messages hang on: a case was opened, has become more urgent than ever, or was closed.

    The time is that of the newest entry of the case: a case out of a past that was imported is not news of today.
    """
    case = one.case
    time = case.entries[-1].time if case.entries else now
    details: dict[str, str | int | float | bool | None] = {
        "case": case.opened,
        "fault": case.fault,
        "severity": one.severity,
        "id": one.id,
        "by": "",
    }
    if before is None or before.case.open != case.open:
        word = "opened" if case.open else "closed"
        severity = _SEVERITY[one.severity] if case.open else Severity.INFO
        words = f"Case {one.id} is {word}: {case.entries[-1].words if case.entries else ''}"
        return Event(time, f"{story.ACTION}{word}", case.asset, words, severity, details)
    highest = [str(entry.details.get("severity")) for entry in case.entries if entry.kind == "escalated"]
    known = max(SEVERITIES.index(name) for name in (before.severity, *highest) if name in SEVERITIES)
    if not case.open or case.worked is not None or SEVERITIES.index(one.severity) <= known:
        return None
    words = f"Urgency is {one.severity} now: {one.chance:.0%} chance of a failure within 30 days"
    return Event(time, f"{story.ACTION}escalated", case.asset, words, _SEVERITY[one.severity], details)


def features_of(case: Case) -> Sequence[str]:
    """Signals that the health of the case was about, the one with the largest share first."""
    shares: dict[str, float] = {}
    for entry in case.entries:
        for name, share in entry.details.items():
            if name.startswith("share ") and isinstance(share, float):
                feature = name.removeprefix("share ")
                shares[feature] = max(shares.get(feature, 0.0), share)
    return sorted(shares, key=lambda name: -shares[name])


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
