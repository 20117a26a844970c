"""What an asset does by the plan of production, and what it did: the nouns in which apps tell each other of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """Work of an asset between `start` and `end` (UTC microseconds), planned or done.

    hours  that it runs between them    speed  by the ideal pace of what it makes    load  by that of a usual product
    """

    start: int
    end: int
    hours: float
    speed: float = 1.0
    load: float = 1.0
    product: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """What an asset did in `hours` of which it is known whether it ran."""

    hours: float
    runs: Sequence[Run]
