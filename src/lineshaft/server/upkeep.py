"""What the hub does on the side: takes in waiting files, and gives memory back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from lineshaft.apps.oee.orders import Order
from lineshaft.errors import DataError, StoreUnavailable
from lineshaft.hub.api.importing import import_rows
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.state.state import State
from lineshaft.model.events import Event, Severity
from lineshaft.server.memory import trim
from lineshaft.server.messages import Message, tell
from lineshaft.server.past import PastRules

_LOOK_EVERY: Final = 1.0  # seconds between two looks for files to import
_STORE_PAUSE: Final = 10.0  # seconds before a file is tried again when the store takes nothing
_GIVE_BACK_EVERY: Final = 60.0  # seconds
_log = structlog.get_logger(__name__)


TakeOrders = Callable[[Sequence[Order]], None]


async def import_files(
    folder: Path, historian: Historian, state: State, rules: PastRules, orders: TakeOrders = lambda found: None
) -> None:
    """Take in every Arrow file that appears in `folder`, by their names, and remove it.

    `rules` judges the rows, so that the past has the events that it would have had; `orders` takes production orders.
    """
    done = 0
    async for path, waiting in _files(folder):
        try:
            await asyncio.to_thread(_import_file, path, historian, state, rules, orders)
        except StoreUnavailable as error:
            _log.error("import.later", file=path.name, error=str(error))
            await asyncio.sleep(_STORE_PAUSE)
            continue
        except DataError as error:
            _log.error("import.refused", file=path.name, error=str(error))
            path.rename(path.with_suffix(".refused"))
            continue
        path.unlink()
        done += 1
        tell(Message("progress", "storing the past", done / (done + waiting)))


async def _files(folder: Path) -> AsyncIterator[tuple[Path, int]]:
    """(file, how many more wait behind it), for ever."""
    while True:
        waiting = await asyncio.to_thread(lambda: sorted(folder.glob("*.arrow")))
        if waiting:
            yield waiting[0], len(waiting) - 1
        else:
            await asyncio.sleep(_LOOK_EVERY)  # no event tells of files that another process writes


def _import_file(path: Path, historian: Historian, state: State, rules: PastRules, orders: TakeOrders) -> None:
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            numbers = range(reader.num_record_batches)
            if "kind" in reader.schema.names:
                state.events.add([event for number in numbers for event in _events(reader.get_batch(number))])
                return
            if "began" in reader.schema.names:
                orders([order for number in numbers for order in _orders(reader.get_batch(number))])
                return
            import_rows((reader.get_batch(number) for number in numbers), historian, state)
            if "samples" in reader.schema.names:
                import_rows(iter(rules.features(reader.get_batch(number) for number in numbers)), historian, state)
            else:
                state.events.add(rules.events(reader.get_batch(number) for number in numbers))
    except pa.ArrowInvalid as error:
        raise DataError(f"{path.name} is no Arrow file: {error}") from error


def _events(batch: pa.RecordBatch) -> Iterator[Event]:
    """Rows of simulator.history.EVENTS, or of anybody else in that form. Raises DataError."""
    try:
        for row in batch.to_pylist():
            details = json.loads(row["details"] or "{}")
            yield Event(
                int(row["time"]), row["kind"], row["subject"], row["message"], Severity(row["severity"]), details
            )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"an event of the past is no event: {error}") from error


def _orders(batch: pa.RecordBatch) -> Iterator[Order]:
    """Rows of simulator.history.ORDERS, or of anybody else in that form. Raises DataError."""
    try:
        for row in batch.to_pylist():
            yield Order(**row)
    except TypeError as error:
        raise DataError(f"an order of the past is no order: {error}") from error


async def give_back_memory() -> None:
    """Again and again, give what Python and Arrow have freed, but hold for later, back to the operating system.

    A burst, like the import of a month, would be held for ever otherwise.
    """
    while True:
        await asyncio.sleep(_GIVE_BACK_EVERY)  # nothing tells when memory is free
        pa.default_memory_pool().release_unused()
        await asyncio.to_thread(trim)
