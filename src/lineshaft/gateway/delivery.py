"""What each uplink has delivered of the disk buffer, and how many samples still wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lineshaft.gateway.cursor import Cursor
from lineshaft.gateway.segment import Segment


class Delivery:
    """One cursor and one count per uplink."""

    def __init__(self, folder: Path, uplinks: Sequence[str]) -> None:
        self._folder = folder
        self.cursors = {name: Cursor() for name in uplinks}
        self.pending = dict.fromkeys(uplinks, 0)

    def load(self) -> None:
        """Read what was delivered before. Call `count` then, once the segments are known."""
        for name in self.cursors:
            self.cursors[name] = Cursor.load(self._path(name))

    def count(self, segments: Sequence[Segment], next_id: int) -> None:
        """Count what waits in `segments`; ids that no segment holds need not be delivered any more."""
        for name, cursor in self.cursors.items():
            expected = 1
            for segment in segments:
                cursor.add(expected, segment.first - 1)
                expected = segment.last + 1
            cursor.add(expected, next_id - 1)
            self.pending[name] = sum(open_rows(segment, cursor) for segment in segments)

    def added(self, rows: int) -> None:
        """New samples wait for every uplink."""
        for name in self.pending:
            self.pending[name] += rows

    def done(self, uplink: str, number: int, rows: int) -> None:
        """A frame is delivered, or gone."""
        self.cursors[uplink].add(number, number)
        self.pending[uplink] -= rows

    def removed(self, segment: Segment) -> None:
        """A whole segment is gone."""
        for name, cursor in self.cursors.items():
            self.pending[name] -= open_rows(segment, cursor)
            cursor.add(segment.first, segment.last)

    def has_all_of(self, segment: Segment) -> bool:
        """True when every uplink has delivered every frame of a segment."""
        return all(cursor.covers(segment.first, segment.last) for cursor in self.cursors.values())

    def changed_files(self) -> list[tuple[Path, bytes]]:
        """Paths and contents that are to be written; they count as written then."""
        files = []
        for name, cursor in self.cursors.items():
            if cursor.changed:
                cursor.changed = False
                files.append((self._path(name), cursor.encode()))
        return files

    def _path(self, uplink: str) -> Path:
        return self._folder / f"delivered-{uplink}.json"


def open_rows(segment: Segment, cursor: Cursor) -> int:
    """Samples of a segment that are not delivered."""
    delivered = cursor.overlap(segment.first, segment.last)
    return segment.rows - sum(segment.rows_of(number) for numbers in delivered for number in numbers)
