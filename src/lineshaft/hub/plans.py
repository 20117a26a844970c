"""Who knows what an asset is planned to do: an app offers it, another asks, and neither knows the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lineshaft.model.plan import Run, Use


class PlanSource(Protocol):
    """An app that plans the work of assets; thread-safe, calls may block."""

    def knows(self, asset: str) -> bool:
        """Whether it plans the asset with this path, or the machine that the asset is a part of."""
        ...

    def coming(self, asset: str, since: int) -> Sequence[Run]:
        """What is planned to run at and after `since` (UTC microseconds), by start; a run may have begun before."""
        ...

    def used(self, asset: str, start: int, end: int) -> Use:
        """What ran between two times, in the same measure of speed and load."""
        ...


class Plans:
    """The sources of one hub; apps offer theirs when they start."""

    def __init__(self) -> None:
        self._sources: list[PlanSource] = []

    def offer(self, source: PlanSource) -> None:
        """From now on ask this source too."""
        self._sources.append(source)

    def source(self, asset: str) -> PlanSource | None:
        """Who plans the asset; None when nobody does."""
        return next((one for one in self._sources if one.knows(asset)), None)
