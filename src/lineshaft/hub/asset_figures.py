"""What apps can tell about an asset over time: figures of their own, and what it made. Pages compare assets by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lineshaft.model.samples import Float64Array, Int64Array


@dataclass(frozen=True, slots=True)
class FigureInfo:
    """A figure of an app: its id, what people call it, its unit, and whether more of it is better."""

    id: str
    title: str
    unit: str
    more_is_better: bool


class FigureSource(Protocol):
    """An app that knows figures of assets; thread-safe, calls may block."""

    @property
    def figures(self) -> Sequence[FigureInfo]:
        """What it can tell of the assets that it knows."""
        ...

    def knows(self, asset: str) -> bool:
        """Whether it can tell anything about the asset with this path."""
        ...

    def values(self, asset: str, figure: str, edges: Int64Array) -> tuple[Float64Array, Float64Array]:
        """float64[k] each, for the buckets between `edges` (int64[k + 1], UTC microseconds): the figure, NaN where it
        is unknown, and the seconds that it stands for."""
        ...

    def products(self, asset: str, start: int, end: int) -> Sequence[tuple[int, int, str]]:
        """What was made when: start, end (UTC microseconds) and product, in time order."""
        ...


class AssetFigures:
    """The sources of one hub; apps offer theirs when they start."""

    def __init__(self) -> None:
        self._sources: list[FigureSource] = []

    def offer(self, source: FigureSource) -> None:
        """From now on ask this source too."""
        self._sources.append(source)

    def figures(self, asset: str) -> Sequence[FigureInfo]:
        """What can be told of an asset."""
        return [one for source in self._sources if source.knows(asset) for one in source.figures]

    def source(self, asset: str, figure: str = "") -> FigureSource | None:
        """Who knows the asset, and the figure where one is named."""
        for source in self._sources:
            if source.knows(asset) and (not figure or any(one.id == figure for one in source.figures)):
                return source
        return None
