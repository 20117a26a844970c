"""One segment file of the disk buffer: frames with consecutive ids, appended, read by id and removed as a whole."""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from lineshaft.errors import ConfigError, DataError
from lineshaft.gateway.frames import FILE_HEAD, MAGIC, Frame, FrameInfo, decode, walk

log = structlog.get_logger(__name__)

SUFFIX: Final = ".seg"
_INDEX: Final = struct.Struct("<8sQQQqqQI")  # magic, first, count, rows, oldest, newest, bytes, CRC-32 of the columns
_INDEX_MAGIC: Final = b"LSHIDX1\n"


class Segment:
    """A file of frames `first` ... `first + count - 1`. Only the newest segment of a buffer is appended to."""

    def __init__(self, path: Path, first: int) -> None:
        self.path = path
        self.first = first
        self.bytes = 0
        self.rows = 0
        self.oldest = 0  # UTC microseconds at which the first and the newest frame were written
        self.newest = 0
        self._offsets = array("Q")
        self._row_counts = array("I")
        self._handle: int | None = None

    @staticmethod
    def name(first: int) -> str:
        """File name; sorts by frame id."""
        return f"{first:020d}{SUFFIX}"

    @property
    def count(self) -> int:
        """Frames in the file."""
        return len(self._offsets)

    @property
    def last(self) -> int:
        """Id of the newest frame; `first - 1` when empty."""
        return self.first + self.count - 1

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def rows_of(self, number: int) -> int:
        """Samples in one frame."""
        return self._row_counts[number - self.first]

    def create(self) -> None:
        """Begin the file. Raises OSError, and leaves no file then."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            head = FILE_HEAD.pack(MAGIC, self.first)
            if os.write(handle, head) != len(head):
                raise OSError(28, "no space for a new segment")
        except OSError:
            os.close(handle)
            self.path.unlink(missing_ok=True)
            raise
        self._handle = handle
        self.bytes = FILE_HEAD.size

    def append(self, data: bytes, written: int, rows: list[tuple[int, int]]) -> None:
        """Write whole frames in one go; `rows` gives (size in bytes, samples) of each.

        Raises OSError; the file then is as it was before.
        """
        handle = self.handle()
        try:
            done = os.pwrite(handle, data, self.bytes)
            if done != len(data):
                raise OSError(28, "the disk took only a part")
        except OSError:
            os.ftruncate(handle, self.bytes)
            raise
        self.oldest = self.oldest or written
        self.newest = written
        for size, samples in rows:
            self._offsets.append(self.bytes)
            self._row_counts.append(samples)
            self.bytes += size
            self.rows += samples

    def handle(self) -> int:
        """The open file. Raises OSError."""
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDWR)
        return self._handle

    def close(self) -> None:
        """Release the file; it opens again by itself."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def read(self, number: int) -> Frame:
        """One frame. Raises DataError when it is damaged or cannot be read."""
        at = number - self.first
        start = self._offsets[at]
        end = self._offsets[at + 1] if at + 1 < self.count else self.bytes
        try:
            return decode(os.pread(self.handle(), end - start, start))
        except OSError as error:
            raise DataError(f"the disk buffer cannot be read: {error}") from error

    def frames(self) -> Iterator[Frame | None]:
        """All frames in order, read in one go; None for one that is damaged."""
        try:
            data = memoryview(os.pread(self.handle(), self.bytes, 0))
        except OSError:
            data = memoryview(b"")
        for at, start in enumerate(self._offsets):
            end = self._offsets[at + 1] if at + 1 < self.count else self.bytes
            try:
                yield decode(data[start:end])
            except DataError:
                yield None

    def remove(self) -> None:
        """Delete the file and its index. Raises OSError."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._index_path.unlink(missing_ok=True)

    @property
    def _index_path(self) -> Path:
        return self.path.with_suffix(".idx")

    def write_index(self) -> None:
        """Keep the index beside the closed file, so that opening a full buffer is quick. Raises OSError."""
        columns = self._offsets.tobytes() + self._row_counts.tobytes()
        head = _INDEX.pack(
            _INDEX_MAGIC, self.first, self.count, self.rows, self.oldest, self.newest, self.bytes, zlib.crc32(columns)
        )
        self._index_path.write_bytes(head + columns)

    def load(self) -> bool:
        """Take the index from its file; False when there is none that fits."""
        try:
            data = self._index_path.read_bytes()
            magic, first, count, rows, oldest, newest, size, crc = _INDEX.unpack_from(data)
            columns = data[_INDEX.size :]
            if magic != _INDEX_MAGIC or first != self.first or zlib.crc32(columns) != crc or len(columns) != 12 * count:
                return False
            if self.path.stat().st_size != size:
                return False
        except (OSError, struct.error):
            return False
        self.bytes, self.rows, self.oldest, self.newest = size, rows, oldest, newest
        self._offsets = array("Q", columns[: 8 * count])
        self._row_counts = array("I", columns[8 * count :])
        return True

    def scan(self, visit: Callable[[Frame], None] | None = None, *, cut: bool = False) -> int:
        """Build the index from the file itself; returns the bytes behind the last whole group of frames.

        visit  is called with each frame, in order
        cut    remove what is behind it: the torn end of the newest segment

        Raises OSError.
        """
        data = self.path.read_bytes()
        self._offsets, self._row_counts = array("Q"), array("I")
        self.rows = self.oldest = self.newest = 0
        self.bytes = FILE_HEAD.size
        whole = len(data) >= FILE_HEAD.size and FILE_HEAD.unpack_from(data) == (MAGIC, self.first)
        group: list[FrameInfo] = []
        for info in walk(data, FILE_HEAD.size) if whole else ():
            if info.id != self.first + self.count + len(group):
                break
            group.append(info)
            if info.more:
                continue
            for part in group:
                self._index_frame(part)
                if visit is not None:
                    visit(decode(memoryview(data)[part.offset : part.offset + part.size]))
            group.clear()
        torn = len(data) - self.bytes
        if cut and torn != 0:
            with open(self.path, "r+b") as file:
                file.truncate(self.bytes)
                if not whole:
                    file.write(FILE_HEAD.pack(MAGIC, self.first))
        return max(0, torn)

    def _index_frame(self, info: FrameInfo) -> None:
        self._offsets.append(info.offset)
        self._row_counts.append(info.rows)
        self.bytes = info.offset + info.size
        self.rows += info.rows
        self.oldest = self.oldest or info.written
        self.newest = info.written


def load_segments(folder: Path, visit: Callable[[Frame], None]) -> list[Segment]:
    """All segments of a folder in the order of their ids, the torn end of the newest one cut.

    `visit` is called with the frames of those that had to be read, at least of the newest.
    Raises OSError, and ConfigError for a file that is none of ours.
    """
    segments = []
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    for path in paths:
        try:
            segment = Segment(path, int(path.stem))
        except ValueError:
            raise ConfigError(f"{path}: not a segment of the disk buffer", hint="Move it away.") from None
        newest = path == paths[-1]
        if newest or not segment.load():
            torn = segment.scan(visit, cut=newest)
            if torn:
                log.warning("buffer.torn_end", segment=path.name, bytes=torn)
        segments.append(segment)
    return segments


def find(segments: list[Segment], number: int) -> Segment | None:
    """The segment that holds frame `number`; None when it is in none. `segments` are in the order of their ids."""
    at = bisect_right(segments, number, key=lambda segment: segment.first) - 1
    return segments[at] if at >= 0 and number in segments[at] else None
