"""A recording on disk: finding it, telling it from another, its records, and an overview of what is in it."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import re
import time
import zlib
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from lineshaft.drivers.records import Chunks, Malformed
from lineshaft.drivers.replay.options import ReplayConnection
from lineshaft.drivers.replay.shdr import read_shdr
from lineshaft.drivers.tables import read_csv, read_parquet
from lineshaft.errors import ConnectionFailed, DataError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_FINGERPRINT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class First:
    """The first record of an item."""

    time: int  # UTC microseconds
    value: float
    quality: int
    text: str | None
    raw: str | None


@dataclass(slots=True)
class Overview:
    """What a recording holds, or its beginning when `complete` is False.

    `opening` is the number of records before an item comes for the second time: an agent begins a log with a
    snapshot of all items, whose times may be days old. `start` is the time of the first record after it.
    """

    records: int = 0
    opening: int = 0
    start: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, First] = field(default_factory=dict)
    malformed: Malformed = field(default_factory=Malformed)
    complete: bool = True


class Recording:
    """One file. Opening it costs a pass when `overview` is asked."""

    def __init__(self, options: ReplayConnection, series: Set[str] = frozenset()) -> None:
        """series: items that are waveforms."""
        self.options = options
        self._series = series
        self.path = Path(expand(options.path))

    def fingerprint(self) -> str:
        """Tells this recording from another one under the same name. Raises ConnectionFailed."""
        try:
            with self.path.open("rb") as file:
                head = file.read(_FINGERPRINT_BYTES)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise self._missing(error) from error
        return hashlib.sha256(head + size.to_bytes(8, "big")).hexdigest()[:16]

    def chunks(self, malformed: Malformed) -> Chunks:
        """All records in file order. Raises ConnectionFailed or DataError."""
        kind = self._format()
        try:
            if kind == "parquet":
                yield from read_parquet(self.path, self.options, malformed)
                return
            with self._text() as lines:
                if kind == "csv":
                    yield from read_csv(lines, self.options, malformed)
                else:
                    yield from read_shdr(lines, malformed, self._series)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{self.path} is damaged: {error}") from error
        except OSError as error:
            raise self._missing(error) from error

    def overview(self, patience_s: float = math.inf) -> Overview:
        """Read the recording, for `patience_s` at most, and say what is in it. Raises ConnectionFailed or DataError."""
        give_up = time.monotonic() + patience_s
        found = Overview()
        opening = True
        for records in self.chunks(found.malformed):
            for row, (item, moment) in enumerate(zip(records.items, records.times, strict=True)):
                if item not in found.counts:
                    found.counts[item] = 1
                    found.first[item] = First(
                        moment, records.values[row], records.qualities[row], records.texts[row], records.raw[row]
                    )
                    if not found.records:
                        found.start = moment
                else:
                    found.counts[item] += 1
                    if opening:
                        opening, found.opening, found.start = False, found.records, moment
                found.records += 1
            if time.monotonic() > give_up:
                found.complete = False
                break
        if opening:
            found.opening = found.records
        return found

    def _format(self) -> str:
        if self.options.format != "auto":
            return self.options.format
        name = self.path.name.lower().removesuffix(".gz")
        return "csv" if name.endswith(".csv") else "parquet" if name.endswith(".parquet") else "shdr"

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        if self.path.suffix == ".gz":
            with gzip.open(self.path, "rt", encoding="utf-8", errors="replace", newline="") as file:
                yield file
        else:
            with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
                yield file

    def _missing(self, error: OSError) -> ConnectionFailed:
        return ConnectionFailed(
            f"recording {self.path}: {error.strerror or error}",
            hint="path is relative to the working folder; ${NAME} in it takes an environment variable",
        )


def expand(path: str) -> str:
    """Replace ${NAME} and ${NAME:-default} by environment variables. Raises ConnectionFailed when one is not set."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1]) or match[2]
        if found is None:
            raise ConnectionFailed(f"{path}: the environment variable {match[1]} is not set")
        return found

    return _VARIABLE.sub(value, path)
