"""Which frames an uplink has delivered: a few ranges of ids, kept in a small file that is replaced in one step."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from pathlib import Path


class Cursor:
    """A set of frame ids held as sorted, disjoint, half-open ranges."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.changed = False

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._ends[at]

    @property
    def low_water(self) -> int:
        """Every id up to this one is delivered."""
        return self._ends[0] - 1 if self._starts and self._starts[0] <= 1 else 0

    def next_open(self, number: int) -> int:
        """The first id from `number` on that is not delivered."""
        at = bisect_right(self._starts, number) - 1
        return self._ends[at] if at >= 0 and number < self._ends[at] else number

    def covers(self, first: int, last: int) -> bool:
        """True when every id from `first` to `last` is delivered."""
        return self.next_open(first) > last

    def overlap(self, first: int, last: int) -> list[range]:
        """The delivered ids from `first` to `last`."""
        at = max(0, bisect_right(self._starts, first) - 1)
        end = bisect_right(self._starts, last)
        pairs = zip(self._starts[at:end], self._ends[at:end], strict=True)
        return [range(max(start, first), min(stop, last + 1)) for start, stop in pairs if stop > first]

    def add(self, first: int, last: int) -> None:
        """Mark the ids from `first` to `last` as delivered."""
        if last < first or self.covers(first, last):
            return
        end = last + 1
        low = bisect_right(self._starts, first) - 1
        if low < 0 or self._ends[low] < first:
            low += 1
        high = bisect_right(self._starts, end)
        if high > low:
            first = min(first, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [first]
        self._ends[low:high] = [end]
        self.changed = True

    def encode(self) -> bytes:
        """File content."""
        return json.dumps({"delivered": list(zip(self._starts, self._ends, strict=True))}).encode()

    @staticmethod
    def load(path: Path) -> Cursor:
        """Read a file; an absent or unreadable one gives an empty cursor, which only causes frames to be sent again."""
        cursor = Cursor()
        try:
            ranges = json.loads(path.read_bytes())["delivered"]
            for start, end in ranges:
                cursor.add(int(start), int(end) - 1)
        except (OSError, ValueError, KeyError, TypeError):
            return Cursor()
        cursor.changed = False
        return cursor


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` durably so that `path` holds either all of the old content or all of the new. Raises OSError."""
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
