"""Models that the plant's files want: trained once, when there is enough history for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import structlog

from lineshaft.clock import MICROSECONDS
from lineshaft.config.learning import ModelConfig
from lineshaft.errors import DataError
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.models.desk import ModelDesk
from lineshaft.hub.models.training import Settings
from lineshaft.hub.state.models import ModelVersion
from lineshaft.hub.state.state import State

_PARTS: Final = 20
"""Into so many parts the wanted time is cut; in three of four there must be rows."""
_AGAIN: Final = 3600 * MICROSECONDS
"""After so long a run that failed is tried again."""
_BY: Final = "plant"
_log = structlog.get_logger(__name__)


class Wishes:
    """`look` now and then, in a thread."""

    def __init__(self, wanted: Sequence[ModelConfig], desk: ModelDesk, historian: Historian, state: State) -> None:
        self._wanted = wanted
        self._desk = desk
        self._historian = historian
        self._state = state
        self._told: set[str] = set()

    def look(self, now: int) -> None:
        """Begin what can be trained and is not yet; `now` in UTC microseconds. Raises StoreUnavailable."""
        known = {one.name for one in self._state.models.find()}
        jobs = self._desk.jobs.jobs()
        going = {job.wanted.name for job in jobs if job.state != "failed" or now - job.begun < _AGAIN}
        for one in self._wanted:
            if one.id not in known | going:
                self._begin(one)

    def _begin(self, one: ModelConfig) -> None:
        span = self._span(one)
        if span is None:
            return
        start, middle, end = span

        def trained(version: ModelVersion) -> None:
            if one.trial:
                self._desk.move(version.name, version.version, "shadow", by=_BY, why="trial: true in the plant's files")

        try:
            wanted = self._desk.wanted(
                name=one.id,
                type_=one.type,
                features=one.features,
                operating=one.operating,
                assets=(),
                training=(start, middle),
                held_out=(middle, end),
                settings=Settings(window=one.window, method=one.method, past=one.past),
                note="wanted by the plant's files",
            )
            self._desk.train(wanted, _BY, trained)
        except DataError as error:
            if one.id not in self._told:
                self._told.add(one.id)
                _log.warning("model: cannot be trained", model=one.id, error=str(error))

    def _span(self, one: ModelConfig) -> tuple[int, int, int] | None:
        """(start of learning, of the held-out time, its end); None while the history does not reach so far."""
        names = (*one.features, *one.operating)
        paths = {f"{asset.path}/{name}" for asset in self._desk.assets(one.type) for name in names}
        ids = [signal.id for signal in self._state.catalogue.signals() if signal.path in paths]
        if not ids:
            return None
        counts = self._historian.counts(ids)
        if not len(counts.last):
            return None
        end = int(counts.last.max())
        middle = end - round(one.judge * MICROSECONDS)
        start = middle - round(one.learn * MICROSECONDS)
        if int(counts.first.min()) > start + (end - start) // _PARTS:
            return None
        edges = np.linspace(start, end, _PARTS + 1).astype(np.int64).tolist()
        filled = sum(bool(self._historian.counts(ids, a, b).rows.sum()) for a, b in pairwise(edges))
        return (start, middle, end) if filled >= 0.75 * _PARTS else None
