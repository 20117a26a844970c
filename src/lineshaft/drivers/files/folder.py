"""The folder: which files are there, which of them are complete, and where reading stands. All of it blocks."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, TextIO, cast

from lineshaft.drivers.files.options import FilesConnection
from lineshaft.drivers.records import Chunks, Malformed
from lineshaft.drivers.tables import read_csv, read_parquet
from lineshaft.errors import ConnectionFailed, DataError

_HEAD: Final = 4096
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A file as it was seen; files are read in this order."""

    modified_ns: int
    name: str
    size: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands: in which file, after how many of its records, and what was finished before.

    The file is known again by its first bytes, so that one that grows goes on, and another one of its name begins.
    """

    file: str = ""
    head: str = ""  # digest of the first `length` bytes
    length: int = 0
    records: int = 0
    finished: tuple[int, str] = (0, "")  # time and name of the last file that was read to its end

    def __str__(self) -> str:
        return json.dumps([self.file, self.head, self.length, self.records, *self.finished])

    @staticmethod
    def of(text: str) -> Position:
        """From a string. Raises DataError."""
        try:
            file, head, length, records, time, name = json.loads(text)
            if not all(isinstance(one, str) for one in (file, head, name)):
                raise ValueError("names are text")
            if not all(isinstance(one, int) and one >= 0 for one in (length, records, time)):
                raise ValueError("counts are numbers")
        except (ValueError, TypeError) as error:
            raise DataError(f"not a position in a folder of files: {text[:100]}") from error
        return Position(file, head, length, records, (time, name))


class Folder:
    """Raises ConnectionFailed when the folder cannot be read, DataError for a file that is damaged."""

    def __init__(self, options: FilesConnection) -> None:
        self.options = options
        self.path = Path(options.folder)

    def check(self) -> None:
        """Make sure that the folder is there, and can be written to where files are moved. Raises ConnectionFailed."""
        if not self.path.is_dir():
            raise ConnectionFailed(f"{self.path} is no folder", hint="check the path; is the share mounted?")
        try:
            if self.options.finished == "move":
                for name in (self.options.done_folder, FAILED):
                    (self.path / name).mkdir(exist_ok=True)
            next(self.path.iterdir(), None)
        except OSError as error:
            raise ConnectionFailed(f"{self.path}: {error}", hint="check the rights of the folder") from error

    def files(self) -> list[Found]:
        """Files that the options name, oldest first."""
        found = []
        try:
            for path in self.path.iterdir():
                if self.kind(path.name) and fnmatchcase(path.name, self.options.pattern) and path.is_file():
                    seen = path.stat()
                    found.append(Found(seen.st_mtime_ns, path.name, seen.st_size))
        except OSError as error:
            raise ConnectionFailed(f"{self.path}: {error}", hint="check the path; is the share mounted?") from error
        return sorted(found)

    def kind(self, name: str) -> str:
        """csv, parquet, or '' for a name that is not read."""
        if name.startswith("."):
            return ""
        lower = name.lower().removesuffix(".gz")
        kind = "csv" if lower.endswith(".csv") else "parquet" if name.lower().endswith(".parquet") else ""
        return kind if self.options.format == "auto" else self.options.format

    def head(self, name: str, length: int = _HEAD) -> tuple[str, int]:
        """Digest of the first bytes of a file, and how many they are. Raises DataError."""
        try:
            with (self.path / name).open("rb") as file:
                content = file.read(length)
        except OSError as error:
            raise DataError(f"{name}: {error.strerror}") from error
        return hashlib.sha256(content).hexdigest()[:16], len(content)

    def is_same(self, name: str, position: Position) -> bool:
        """True when this is the file that the position is in."""
        return name == position.file and self.head(name, position.length) == (position.head, position.length)

    def chunks(self, name: str, malformed: Malformed) -> Chunks:
        """All records of a file. Raises DataError."""
        path = self.path / name
        try:
            if self.kind(name) == "parquet":
                yield from read_parquet(path, self.options, malformed)
                return
            with lines(path, self.options.encoding) as text:
                yield from read_csv(text, self.options, malformed, self.options.delimiter, self.options.decimal)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise DataError(f"{name} cannot be read: {error}") from error

    def put_away(self, name: str, *, failed: bool) -> None:
        """Move a finished file; a second one of its name gets a number behind it. Raises ConnectionFailed."""
        target = self.path / (FAILED if failed else self.options.done_folder)
        try:
            to = next(one for one in _names(target, name) if not one.exists())
            (self.path / name).rename(to)
        except FileNotFoundError:
            return  # somebody else took it away
        except OSError as error:
            raise ConnectionFailed(f"{name} cannot be moved: {error}", hint="check the rights of the folder") from error


def lines(path: Path, encoding: str) -> TextIO:
    """The text of a CSV file, unpacked where it is packed. Raises OSError."""
    found = "utf-8-sig" if encoding == "utf-8" else encoding  # spreadsheets put a mark in front
    if path.suffix.lower() == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding=found, errors="replace", newline=""))
    return path.open(encoding=found, errors="replace", newline="")


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, dot, rest = name.partition(".")
    number = 1
    while True:
        number += 1
        yield folder / f"{stem}-{number}{dot}{rest}"
