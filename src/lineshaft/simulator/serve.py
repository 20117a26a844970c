"""The simulator process: the past on the first start, the gap after a later one, then live until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import structlog

from lineshaft.clock import MICROSECONDS, Clock, SystemClock
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.simulator import storage
from lineshaft.simulator.api import FaultApi, make_token
from lineshaft.simulator.devices import left_alone
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.history import Progress, generate_history, order_news
from lineshaft.simulator.servers.fleet import Fleet

HistorySink = Callable[[Iterator[pa.RecordBatch]], None]
SAVE_EVERY_US = 60 * MICROSECONDS
"""How often the state is kept; after a hard end at most this much was served beyond it."""
_LOG = structlog.get_logger("simulator")


def _whole_second(clock: Clock) -> int:
    return clock.now_us() // MICROSECONDS * MICROSECONDS


class _Past:
    """Where the past goes: to a sink, or to Arrow files in the data folder."""

    def __init__(
        self, factory: Factory, data_dir: Path, sink: HistorySink | None, progress: Progress | None, stop: asyncio.Event
    ) -> None:
        self._factory, self._data_dir, self._sink, self._progress = factory, data_dir, sink, progress
        self._stop = stop
        self.rows = 0

    async def fill(self, name: str, until_us: int) -> None:
        """Generate what is missing until `until_us`, in a thread."""
        if until_us > self._factory.now_us:
            await asyncio.to_thread(self._fill, name, until_us)

    def _fill(self, name: str, until_us: int) -> None:
        self._give(name, self._counted(generate_history(self._factory, until_us, progress=self._progress)))

    def tell_orders(self) -> None:
        """Orders that were planned, began or ended since the last call."""
        self._give(f"live-{self._factory.now_us // MICROSECONDS}", order_news(self._factory))

    def _give(self, name: str, batches: Iterator[pa.RecordBatch]) -> None:
        if self._sink is None:
            storage.write_batches(self._data_dir, name, batches)
        else:
            self._sink(batches)

    def _counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if self._stop.is_set():
                return
            self.rows += batch.num_rows
            yield batch


def open_factory(plant: Plant, data_dir: Path, now_us: int) -> tuple[Factory, bool]:
    """The factory as it was left, or a new one whose past begins `simulator.history` ago; and whether it is new.

    Raises ConfigError when the plant has no simulator section, DataError when the kept state is of no use.
    """
    if plant.simulator is None:
        raise ConfigError("the plant has no simulator section", hint="plants/demo has one")
    kept = storage.load_state(data_dir)
    if kept is None or not storage.is_complete(data_dir):
        storage.forget_partial(data_dir)
        return Factory(plant, now_us - round(plant.simulator.history * MICROSECONDS)), True
    state, clean = kept
    factory = Factory.from_snapshot(plant, state)
    if not clean:  # what was served after the state was kept is not told a second time
        served = min(factory.now_us + SAVE_EVERY_US, now_us)
        if served > factory.now_us:
            factory.advance_to(served)
    return factory, False


async def serve(
    plant: Plant,
    data_dir: Path,
    *,
    stop: asyncio.Event,
    history_sink: HistorySink | None = None,
    progress: Progress | None = None,
    ready: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Run the simulated factory of `plant` until `stop` is set.

    On the first start the past goes to `history_sink` (called in a thread), or as Arrow files to data_dir/import,
    followed by the file `complete`. After a later start the gap since the last one goes the same way as
    import/catchup-*.arrow, and what becomes of orders from then on as import/live-*.arrow.
    progress: called from a thread with the share of the past that is done, 0..1.
    ready: called once the past is written and all servers answer.

    Raises ConfigError, DataError (kept state of no use) or ConnectionFailed (a port is taken).
    """
    clock = clock or SystemClock()
    storage.prepare(data_dir)
    factory, new = open_factory(plant, data_dir, _whole_second(clock))
    token = make_token(data_dir)
    past = _Past(factory, data_dir, history_sink, progress, stop)
    name = "history" if new else f"catchup-{factory.now_us // MICROSECONDS}"
    await past.fill(name, _whole_second(clock))
    if stop.is_set():
        return
    for words in left_alone(plant):
        _LOG.warning("device is at none of the simulator's ports, so it is not simulated", device=words)
    fleet = Fleet(factory)
    await fleet.show(factory.latest or factory.advance_to(factory.now_us + MICROSECONDS))  # no server begins with zeros
    port = plant.simulator.api_port if plant.simulator else 0
    async with fleet, FaultApi(factory, token, port):
        await past.fill(f"{name}-end", _whole_second(clock))  # starting took its time
        if new:
            storage.save_state(data_dir, factory.snapshot(), clean=False)
            storage.mark_complete(data_dir, past.rows)
        ready()
        _LOG.info("live", rows_of_past=past.rows, devices=sum(len(server.devices) for server in fleet.servers))
        try:
            await _live(factory, fleet, past, data_dir, stop, clock)
        finally:
            storage.save_state(data_dir, factory.snapshot(), clean=True)


async def _live(factory: Factory, fleet: Fleet, past: _Past, data_dir: Path, stop: asyncio.Event, clock: Clock) -> None:
    """One step each second on an absolute schedule; late steps are skipped, the models cover their time."""
    saved_us = 0
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            if factory.now_us - saved_us >= SAVE_EVERY_US:
                await asyncio.to_thread(past.tell_orders)
                await asyncio.to_thread(storage.save_state, data_dir, factory.snapshot(), clean=False)
                saved_us = factory.now_us
            wait = (MICROSECONDS - clock.now_us() % MICROSECONDS) / MICROSECONDS
            tick = asyncio.ensure_future(clock.sleep_until(clock.monotonic() + wait))
            await asyncio.wait({tick, stopping}, return_when=asyncio.FIRST_COMPLETED)
            tick.cancel()
            now_us = _whole_second(clock)
            if not stop.is_set() and now_us > factory.now_us:  # a clock set back waits for its time
                await fleet.show(factory.advance_to(now_us))
    finally:
        stopping.cancel()
