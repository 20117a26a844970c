"""Where the API asks about models: what can be trained, what is trained, what is at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.analytics.anomaly.model import PAST
from lineshaft.clock import MICROSECONDS, Clock
from lineshaft.config.operators import OperatorConfig
from lineshaft.errors import DataError
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.jobs import Job, Jobs
from lineshaft.hub.models.training import Cancelled, Member, Settings, Wanted, options, train
from lineshaft.hub.operators.plan import Planned
from lineshaft.hub.ports import OPERATOR_NODE
from lineshaft.hub.state.models import AT_WORK, ModelState, ModelVersion
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.operators.base import Asset

RESERVED: Final = ("trainings", "candidates")
"""Names that would hide a path of the API."""


@dataclass(slots=True, eq=False, kw_only=True)
class TrainingJob(Job):
    """A training run that was asked for; `version` once it is done."""

    wanted: Wanted
    begun: int
    trained: Callable[[ModelVersion], None] = field(default=lambda version: None)
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signal by its name below assets of a type: on how many of them it is there."""

    name: str
    unit: str
    assets: int


class ModelDesk:
    """Thread-safe. `changed` is called when other versions are to be at work. `stop` at the end."""

    def __init__(self, historian: Historian, state: State, clock: Clock, site: str) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._historian = historian
        self._state = state
        self._clock = clock
        self._site = site
        self.jobs: Jobs[TrainingJob] = Jobs("training", self._work)

    def at_work(self) -> Sequence[Planned]:
        """Operators of versions that are on trial or in use, one for each asset."""
        return self._planned(AT_WORK)

    def can_be_tried(self) -> Sequence[Planned]:
        """Operators of all versions that are not retired, for backtests."""
        return self._planned(("draft", *AT_WORK))

    def types(self) -> Sequence[tuple[str, int]]:
        """Asset types that there are, with the number of their assets."""
        counts: dict[str, int] = {}
        for node in self._state.catalogue.equipment()[1]:
            if node.type:
                counts[node.type] = counts.get(node.type, 0) + 1
        return sorted(counts.items())

    def candidates(self, type_: str) -> Sequence[Candidate]:
        """Numeric signals below assets of a type, those that most assets have first."""
        found: dict[str, list[str]] = {}
        for asset in self.assets(type_):
            for signal in asset.signals:
                if signal.kind is SignalKind.MEASURE:
                    found.setdefault(signal.path[len(asset.path) + 1 :], []).append(signal.unit)
        ranked = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
        return [Candidate(name, units[0], len(units)) for name, units in ranked]

    def wanted(
        self,
        *,
        name: str,
        type_: str,
        features: Sequence[str],
        operating: Sequence[str],
        assets: Sequence[str],
        training: tuple[int, int],
        held_out: tuple[int, int],
        settings: Settings,
        note: str,
    ) -> Wanted:
        """What is to be trained, checked. Raises DataError."""
        if name in RESERVED:
            raise DataError(f"a model cannot be called {name}", hint="this is a word of the API")
        ids = {one.path: one.id for one in self._state.catalogue.signals()}
        members = []
        for asset in self.assets(type_):
            if assets and asset.path not in assets:
                continue
            signals = [asset.signal(one) for one in (*features, *operating)]
            if all(signals):
                members.append(Member(asset, tuple(ids[one.path] for one in signals if one is not None)))
        if not members:
            known = ", ".join(one.name for one in self.candidates(type_)) or "none"
            raise DataError(f"no asset of the type {type_!r} has all these signals", hint=f"there are {known}")
        found = Wanted(
            name, type_, tuple(members), tuple(features), tuple(operating), *training, *held_out, settings, note
        )
        found.check()
        return found

    def train(
        self, wanted: Wanted, by: str, trained: Callable[[ModelVersion], None] = lambda version: None
    ) -> TrainingJob:
        """Begin a training run. Raises DataError when too many wait already."""
        now = self._clock.now_us()
        job = self.jobs.ask(lambda number: TrainingJob(id=number, by=by, wanted=wanted, begun=now, trained=trained))
        if job is None:
            raise DataError("too many training runs wait already", hint="try again when one has ended")
        return job

    def move(self, name: str, version: int, state: ModelState, *, by: str, why: str) -> Sequence[str]:
        """Put a version on trial, to use, or to rest; gives words about those that it replaces. Raises DataError."""
        words = self._state.models.move(name, version, state, by=by, why=why, now=self._clock.now_us())
        self.changed()
        return words

    def stop(self) -> None:
        """End all runs."""
        self.jobs.stop()

    def _work(self, job: TrainingJob) -> None:
        def told(part: float) -> bool:
            job.progress = part
            return not job.cancelled

        outcomes = [one.outcome for one in self._state.outcomes.find()]
        try:
            version = train(self._historian, job.wanted, outcomes, job.by, self._clock.now_us(), told)
        except Cancelled:
            return
        stored = self._state.models.add(version)
        job.version, job.progress = stored.version, 1.0
        job.trained(stored)

    def _planned(self, states: Sequence[str]) -> Sequence[Planned]:
        versions = self._state.models.find(states=states, document=True)
        return [one for version in versions for one in _entries(self._site, version, self._past(version))]

    def _past(self, version: ModelVersion) -> float:
        """Seconds of the past that its operators read when they begin: a few windows, which a score looks back on."""
        since = (self._clock.now_us() - version.end) / MICROSECONDS
        wanted = float(version.settings.get("past", 0.0))
        return max(0.0, min(since, max(wanted, (PAST + 1) * float(version.settings["window"]))))

    def assets(self, type_: str) -> Sequence[Asset]:
        """Assets of a type with their signals."""
        nodes = [node for node in self._state.catalogue.equipment()[1] if node.type == type_]
        below: dict[str, list[Signal]] = {node.path: [] for node in nodes}
        for one in self._state.catalogue.signals():
            path = one.born.signal.asset if one.born.node != OPERATOR_NODE else ""
            while path:
                if path in below:
                    below[path].append(one.born.signal)
                path = path.rpartition("/")[0]
        return [Asset(node, tuple(below[node.path])) for node in nodes]


def _entries(site: str, version: ModelVersion, past: float) -> Sequence[Planned]:
    return [
        Planned(
            OperatorConfig(id=version.id, operator="anomaly", assets=(path.removeprefix(site + "/"),), past=past),
            site,
            options(version, path, shadow=version.state != "active"),
        )
        for path in version.document
    ]
