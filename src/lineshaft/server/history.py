"""The hub's historian with the thread that keeps its roll-ups, and retention by kind of signal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from lineshaft.analytics.oee.calendar import Calendar
from lineshaft.clock import MICROSECONDS, Clock
from lineshaft.config.calendars import calendar_for, to_calendar
from lineshaft.config.history import KeepConfig, RetentionConfig
from lineshaft.config.models import Plant
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.api.services import Check
from lineshaft.hub.historian.base import Level
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller
from lineshaft.hub.historian.space import Space, size
from lineshaft.hub.state.state import State
from lineshaft.hub.traits import CatalogueTraits
from lineshaft.model.equipment import SignalKind

_EVERY: Final = 6 * 3600.0  # seconds between two looks for what is too old
_HOURLY: Final = 3600.0
_LATER: Final = 60.0  # seconds before a new try when the store does not answer
_LEVELS: Final[tuple[Level, ...]] = ("minute", "hour", "day")
_FEW_RESERVES: Final = 3  # health warns while so many times the reserve is free, or less
_MANY: Final = 5_000_000  # touched minutes that may wait before health warns
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_historian(dsn: str, plant: Plant, state: State, space: Space) -> AsyncIterator[ClickHouseHistorian]:
    """The historian, open until the block ends. Raises StoreUnavailable."""
    historian = ClickHouseHistorian(dsn, CatalogueTraits(state.catalogue, plant.hub.gap), space=space)
    await asyncio.to_thread(historian.open)
    try:
        yield historian
    finally:
        await asyncio.to_thread(historian.close)


@asynccontextmanager
async def rolling(historian: ClickHouseHistorian, busy: Callable[[], bool]) -> AsyncIterator[Roller]:
    """Roll-ups are kept by a thread of their own until the block ends."""
    roller = Roller(historian.rollups, historian, historian.traits, busy=busy)
    thread = threading.Thread(target=roller.run, name="rollups", daemon=True)
    thread.start()
    try:
        yield roller
    finally:
        roller.stop()
        await asyncio.to_thread(thread.join)


def space_of(folder: Path, dsn: str, plant: Plant) -> Space:
    """Room for journal and state in the data folder, and for the historian where it is in this process."""
    folders = (folder, Path(urlsplit(dsn).path)) if dsn.startswith("chdb:") else (folder,)
    return Space(folders, plant.hub.disk_reserve)


def space_check(space: Space) -> Check:
    """Health of the disk; called in a thread."""
    free, mend = space.free(), "make space, or keep less of the past: hub.retention; it goes on by itself"
    words = f"{size(free)} are free"
    if space.damaged:
        return Check("disk", "fail", space.damaged, "this happens by itself")
    if space.short:
        words += f"; nothing is stored and acknowledged until it is {size(space.reserve)}; gateways keep their samples"
        return Check("disk", "fail", words, mend)
    if free < _FEW_RESERVES * space.reserve:
        return Check("disk", "warn", f"{words}; below {size(space.reserve)} nothing is stored", mend)
    return Check("disk", "pass", words)


def rollup_check(historian: ClickHouseHistorian) -> Check:
    """Health of the roll-ups; called in a thread."""
    waiting = historian.rollups.waiting()
    words = f"{waiting:,} minutes of signals wait to be rolled up"
    if waiting > _MANY:
        return Check("roll-ups", "warn", words, "long charts are slow until they are; late data keep the hub busy")
    return Check("roll-ups", "pass", words)


def calendar_of(plant: Plant) -> Callable[[str], Calendar | None]:
    """Full path of equipment or a signal -> its shift calendar."""
    made = {config.id: to_calendar(config, plant.plant.timezone) for config in plant.calendars}
    site = f"{plant.plant.enterprise}/{plant.plant.site}"

    def found(path: str) -> Calendar | None:
        config = calendar_for(plant.calendars, path.removeprefix(site).removeprefix("/"))
        return made[config.id] if config is not None else None

    return found


async def keep_record(state: State, keep: float | None, clock: Clock) -> None:
    """Scores are written each hour for the next start, and predictions older than `keep` seconds removed; for ever."""
    while True:
        try:
            await asyncio.to_thread(tidy_record, state, keep, clock.now_us())
        except StoreUnavailable as error:
            _log.error("record.later", error=str(error))
        await clock.sleep_until(clock.monotonic() + _HOURLY)


def tidy_record(state: State, keep: float | None, now: int) -> None:
    """Once. Old predictions go a twentieth of their age at a time, since scores are counted anew when some have gone.

    Raises StoreUnavailable.
    """
    if keep is not None:
        limit = now - round(keep * MICROSECONDS)
        oldest = state.predictions.oldest()
        if oldest is not None and oldest < limit - round(keep * MICROSECONDS / 20):
            gone = state.predictions.delete_before(limit)
            state.scoreboard.forgotten(limit, now)
            _log.info("record: old predictions were removed", predictions=gone)
    state.scoreboard.save(now)


async def forget_old(
    historian: ClickHouseHistorian, state: State, roller: Roller, keep: RetentionConfig, clock: Clock
) -> None:
    """Every few hours, remove what is older than the plant wants to keep, by kind of signal; for ever."""
    while True:
        pause = _EVERY
        try:
            await asyncio.to_thread(remove_old, historian, state, roller, keep, clock.now_us())
        except StoreUnavailable as error:
            _log.error("retention.later", error=str(error))
            pause = _LATER
        await clock.sleep_until(clock.monotonic() + pause)


def remove_old(historian: ClickHouseHistorian, state: State, roller: Roller, keep: RetentionConfig, now: int) -> None:
    """Remove what is too old at `now` (UTC microseconds). Raises StoreUnavailable."""
    by_kind = {kind: keep.of(kind) for kind in SignalKind}
    if len(set(by_kind.values())) == 1:
        _remove(historian, roller, by_kind[SignalKind.MEASURE], now, None)
        return
    ids: dict[SignalKind, list[int]] = {kind: [] for kind in SignalKind}
    for one in state.catalogue.signals():
        ids[one.born.signal.kind].append(one.id)
    for kind, config in by_kind.items():
        _remove(historian, roller, config, now, ids[kind])


def _remove(
    historian: ClickHouseHistorian, roller: Roller, config: KeepConfig, now: int, signals: Sequence[int] | None
) -> None:
    if config.raw is not None:
        limit = now - round(config.raw * MICROSECONDS)
        if historian.rollups.waiting(limit):
            roller.finish()  # what is about to go must have been rolled up
        historian.delete_before(limit, signals)
    for level in _LEVELS:
        age = config.rollups(level)
        if age is not None:
            historian.forget_rollups(level, now - round(age * MICROSECONDS), signals)
