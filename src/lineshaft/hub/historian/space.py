"""Room on the disk: nothing new is written while it is short, and the engine in this process rests its merges.

ClickHouse refuses an insert for which there is no room, and a refused block is stored whole by the next try. A merge or
a mutation is another thing: when the disk runs full under one, the embedded engine (26.9) takes the empty files that it
wrote for the new part, and removes the parts that it was made of. So merges are stopped well before, and a part that
was made shortly before is looked at; is one broken, the engine must be closed while the old parts are still there.
"""

# ruff: noqa: S608 - only names that the engine itself told are put into the text

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import structlog

from lineshaft.errors import StoreUnavailable

EVERY: Final = 0.2  # seconds between two looks
_LOOK_BACK: Final = 60  # seconds; the engine keeps parts that were merged for as long, see schema
_LOOK_ON: Final = 10.0  # seconds after the stop in which a merge may still end
_log = structlog.get_logger(__name__)


class Space:
    """Free space where data lie, and how much of it stays free. Thread-safe.

    reserve  bytes: below it nothing is stored; a tenth more ends that. 0: not looked at
    """

    def __init__(self, folders: Sequence[Path] = (), reserve: int = 0) -> None:
        self._folders = tuple(folders)
        self.reserve = reserve
        self.damaged = ""
        """Words, when the engine must be closed at once."""
        self._short = False

    def free(self) -> int:
        """Bytes that this process can still write, on the fullest disk."""
        return min((shutil.disk_usage(_existing(folder)).free for folder in self._folders), default=2**62)

    @property
    def short(self) -> bool:
        """Nothing is stored for want of space."""
        if self.reserve:
            free = self.free()
            self._short = free < (self.reserve * 1.1 if self._short else self.reserve)
        return self._short

    def require(self) -> None:
        """Called before anything is written. Raises StoreUnavailable when the space is short."""
        if self.damaged:
            raise StoreUnavailable(self.damaged)
        if self.short:
            raise StoreUnavailable(
                f"only {size(self.free())} are free on the disk; nothing is stored until it is {size(self.reserve)}",
                hint="make space, or keep less of the past (hub.retention); it goes on by itself",
            )


class Sql(Protocol):
    """What the watch needs of the engine."""

    def command(self, sql: str) -> object:
        """Run a statement."""
        ...

    def arrow(self, sql: str) -> pa.Table:
        """Run a query."""
        ...


class SpaceWatch:
    """Stops merges of an embedded engine in time, in a thread of its own between `start` and `stop`."""

    def __init__(self, space: Space, engine: Sql) -> None:
        self._space = space
        self._engine = engine
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="historian-space", daemon=True)
        self._resting_since: float | None = None

    def start(self) -> None:
        """Look once, then again and again."""
        if self._space.reserve:
            self._look()
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY):
            self._look()

    def _look(self) -> None:
        try:
            free = self._space.free()
            if self._resting_since is None and free < self._space.reserve / 2:
                self._engine.command("SYSTEM STOP MERGES")
                self._resting_since = time.monotonic()
                _log.error("historian: the disk is nearly full, parts are not merged", free=size(free))
            if self._resting_since is None:
                return
            if time.monotonic() < self._resting_since + _LOOK_ON and not self._space.damaged:
                self._space.damaged = _broken_part(self._engine)
            if free >= self._space.reserve and not self._space.damaged:
                self._engine.command("SYSTEM START MERGES")
                self._resting_since = None
                _log.info("historian: parts are merged again", free=size(free))
        except (StoreUnavailable, OSError) as error:
            _log.warning("historian: looking at the disk failed", error=str(error))


def _broken_part(engine: Sql) -> str:
    """Words about a merged part that is not whole, '' when all are."""
    fresh = engine.arrow(
        "SELECT table, name FROM system.parts WHERE active AND level > 0 AND database = currentDatabase()"
        f" AND modification_time > now() - {_LOOK_BACK}"
    ).to_pylist()
    for part in fresh:
        check = f"CHECK TABLE {part['table']} PART '{part['name']}' SETTINGS check_query_single_value_result = 0"
        if not all(row["is_passed"] for row in engine.arrow(check).to_pylist()):
            return f"the disk ran full while parts of {part['table']} were merged; the hub must start again"
    return ""


def mend(folder: Path, tell: Callable[[str], None]) -> None:
    """Before an embedded engine opens `folder`: take away orders that a full disk left without a word in them.

    A table with such a file cannot be opened at all. The order was never taken, since whoever gave it was told so.
    """
    for path in folder.glob("store/*/*/mutation_*.txt"):
        if path.stat().st_size == 0:
            path.unlink()
            tell(f"an empty order was removed: {path}")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def size(amount: float) -> str:
    """Bytes in words."""
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
