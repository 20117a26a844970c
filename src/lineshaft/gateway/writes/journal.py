"""Which commands were carried out and when each signal was last written: a small file that survives a kill."""

from __future__ import annotations

import json
from pathlib import Path

from lineshaft.errors import StoreUnavailable
from lineshaft.gateway.cursor import replace_file


class WriteJournal:
    """A command's id is remembered until its deadline; after that the command is refused anyway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def open(self) -> None:
        """Read the file; an absent or unreadable one is an empty one."""
        try:
            content = json.loads(self._path.read_bytes())
            self._ids = {str(one): int(until) for one, until in content["ids"].items()}
            self._last = {str(path): int(time) for path, time in content["last"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._ids, self._last = {}, {}

    def knows(self, command: str) -> bool:
        """Whether a command was seen before."""
        return command in self._ids

    def seen(self, command: str, deadline: int, now_us: int) -> None:
        """Remember a command in memory; forgets those whose time is over."""
        if len(self._ids) > 1_000:
            self._ids = {one: until for one, until in self._ids.items() if until >= now_us}
        self._ids[command] = deadline

    def last(self, signal: str) -> int:
        """UTC microseconds of the last write of a signal, 0 for never."""
        return self._last.get(signal, 0)

    def writing(self, signal: str, now_us: int) -> None:
        """A write is about to begin: from now on it is known, whatever happens. Raises StoreUnavailable."""
        last = {**self._last, signal: now_us}
        ids = {one: until for one, until in self._ids.items() if until >= now_us}
        try:
            replace_file(self._path, json.dumps({"ids": ids, "last": last}).encode())
        except OSError as error:
            raise StoreUnavailable(f"the write cannot be noted on disk: {error}", hint="Is the disk full?") from error
        self._ids, self._last = ids, last
