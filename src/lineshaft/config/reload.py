"""Watches the plant folder of a running process: a good change is handed over, a bad one is refused and logged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError

_log = structlog.get_logger(__name__)

Fingerprint = tuple[tuple[str, int, int], ...]


class PlantWatcher:
    """Gives each new valid state of a plant folder; what is wrong is logged once and changes nothing.

    load: reads the folder, raises ConfigError with every problem.
    interval: seconds between two looks at the files; a change is taken when it has settled for one interval.
    asked: set by whoever wants the files read at once, such as the handler of SIGHUP.
    """

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], Plant],
        current: Plant,
        *,
        interval: float = 2.0,
        asked: asyncio.Event | None = None,
    ) -> None:
        self._folder = folder
        self._load = load
        self._current = current
        self._interval = interval
        self._asked = asked or asyncio.Event()
        self.refused = 0  # how many changes were wrong

    async def changes(self) -> AsyncIterator[Plant]:
        """Each new plant, for as long as the caller wants them."""
        taken = seen = self._fingerprint()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            now = await asyncio.to_thread(self._fingerprint)
            settled, seen = now == seen, now
            if asked or (settled and now != taken):
                taken = now
                plant = await self._try()
                if plant is not None and plant != self._current:
                    self._current = plant
                    yield plant

    async def _try(self) -> Plant | None:
        try:
            plant = await asyncio.to_thread(self._load, self._folder)
        except ConfigError as error:
            self.refused += 1
            _log.error(
                "the changed plant is refused, the running one stays", plant=str(self._folder), problems=str(error)
            )
            return None
        _log.info("the plant was read again", plant=str(self._folder))
        return plant

    def _fingerprint(self) -> Fingerprint:
        """Names, times and sizes of all files of the plant."""
        found = []
        for path in sorted((*self._folder.glob("*.y*ml"), *self._folder.glob("profiles/*.y*ml"))):
            with contextlib.suppress(OSError):  # it went away between the two calls
                status = path.stat()
                found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)
