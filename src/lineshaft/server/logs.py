"""Log files of the parts: one file each in the data folder, turned over before it grows too large."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

MAX_BYTES = 10_000_000
KEPT = 3


class PartLog:
    """Appends lines to `<folder>/<part>.log`; the file is turned over at MAX_BYTES and KEPT old ones stay."""

    def __init__(self, folder: Path, part: str) -> None:
        self._path = self.path(folder, part)
        self._file: TextIO | None = None
        self._size = 0

    @staticmethod
    def path(folder: Path, part: str) -> Path:
        """The file of a part."""
        return folder / f"{part}.log"

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, line: str) -> None:
        """Append one line."""
        if self._file is None:
            raise AssertionError("a log is written inside of its with block")
        self._file.write(line + "\n")
        self._file.flush()
        self._size += len(line) + 1
        if self._size > MAX_BYTES:
            self._turn_over()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        self._size = self._path.stat().st_size

    def _turn_over(self) -> None:
        if self._file is not None:
            self._file.close()
        for number in range(KEPT, 0, -1):
            older = self._path.with_suffix(f".log.{number}")
            newer = self._path.with_suffix(f".log.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        self._open()


def configure_logging() -> None:
    """Log lines of this process: time, level, words and figures on the standard error; colour only on a terminal."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # A line in one write: a supervisor reads it beside the messages of server.messages.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
