"""Named extension points: an explicit tuple of built-ins, plus what third parties register by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from lineshaft.errors import ConfigError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Name -> thing. Built-ins are listed where the registry is made; third parties use the entry-point group.

    >>> Registry("colour", "lineshaft.colours", (("red", lambda: 1),))["red"]
    1

    Each entry is a loader, so that naming a driver does not import its protocol library.
    """

    def __init__(self, kind: str, group: str, builtins: tuple[tuple[str, Callable[[], T]], ...]) -> None:
        self._kind = kind
        self._group = group
        self._loaders: dict[str, Callable[[], T]] = dict(builtins)
        self._found = False

    def _all(self) -> dict[str, Callable[[], T]]:
        if not self._found:
            for point in entry_points(group=self._group):
                self._loaders.setdefault(point.name, point.load)
            self._found = True
        return self._loaders

    def __getitem__(self, name: str) -> T:
        try:
            return self._all()[name]()
        except KeyError:
            known = ", ".join(sorted(self._all()))
            raise ConfigError(f"unknown {self._kind} '{name}'", hint=f"known: {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, name: object) -> bool:
        return name in self._all()
