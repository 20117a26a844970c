"""Values that lie near each other put into groups that are read together; drivers with numbered memory share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar


class Span(Protocol):
    """A stretch of a device's memory; sorts by its area and then by its start."""

    @property
    def end(self) -> int:
        """One past the last place."""
        ...

    def __lt__(self, other: Any) -> bool:
        """The order in which the device's memory lies."""
        ...

    def __hash__(self) -> int:
        """Equal spans are one."""
        ...


S = TypeVar("S", bound=Span)


def grouped(spans: Iterable[S], joins: Callable[[Sequence[S], int, S], bool]) -> list[tuple[S, ...]]:
    """Spans in their order, each in the group before it when `joins(group, end of the group, span)` says so.

    The end of a group is one past the last place of any of its spans, which may overlap.
    """
    groups: list[list[S]] = []
    end = 0
    for span in sorted(set(spans)):
        if groups and joins(groups[-1], end, span):
            groups[-1].append(span)
            end = max(end, span.end)
        else:
            groups.append([span])
            end = span.end
    return [tuple(group) for group in groups]
