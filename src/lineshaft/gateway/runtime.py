"""The gateway as a whole: devices, pipeline, disk buffer and uplinks, put together for one process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from operator import methodcaller
from typing import Any, Final, Literal

import numpy as np
import structlog

from lineshaft import __version__
from lineshaft.config.check_steps import COMPUTED
from lineshaft.config.models import SparkplugUplink, UplinkConfig
from lineshaft.drivers.base import DriverSpec
from lineshaft.errors import StoreUnavailable
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.faults import Faults
from lineshaft.gateway.held import HeldBursts
from lineshaft.gateway.options import GatewayOptions, broker_access, check_uplinks
from lineshaft.gateway.plan import Plan, PlannedDevice, buffer_key, with_retired
from lineshaft.gateway.requests import Requests
from lineshaft.gateway.steps.pipeline import Pipeline, step_status
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.timing import event_or
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import NodeContext, TellsPipeline, Uplink
from lineshaft.gateway.uplinks.builtin import UPLINKS
from lineshaft.gateway.uplinks.forward import Forwarder
from lineshaft.gateway.uplinks.sparkplug import SparkplugUplink as Sparkplug
from lineshaft.gateway.writes.desk import WriteDesk
from lineshaft.gateway.writes.journal import WriteJournal
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import (
    EventNote,
    LedgerNote,
    PipelineNote,
    SignalPipeline,
    StatusNote,
    WriteNote,
)
from lineshaft.wire.requests import Request

log = structlog.get_logger(__name__)

STATUS_INTERVAL: Final = 5.0
PIPELINE_INTERVAL: Final = 30.0
"""Seconds between two reports of what the steps did to each signal."""
DRAIN_SECONDS: Final = 7.0
"""How long a stopping gateway goes on sending, so that it is gone within ten seconds."""
_PER_LEDGER_NOTE: Final = 1_000
_RECENT: Final = 50
_PER_STATUS_NOTE: Final = 300
"""Entries of one note, so that it stays below the size of a message."""


class Gateway:
    """One edge gateway; `run` is its whole life."""

    def __init__(
        self,
        plan: Plan,
        drivers: Mapping[str, DriverSpec],
        options: GatewayOptions,
        uplinks: Mapping[Any, Callable[[Any, NodeContext, Files], Uplink]] = UPLINKS,
    ) -> None:
        self._uplinks = uplinks
        self._options = options
        self._clock = options.clock
        self._drivers = drivers
        self._accesses = {
            uplink.id: broker_access(uplink, options)
            for uplink in options.config.uplinks
            if isinstance(uplink, SparkplugUplink)
        }
        check_uplinks(plan, options)
        bounds = options.config.buffer
        self._buffer = Buffer(
            options.data_dir / "buffer",
            self._clock,
            [uplink.id for uplink in options.config.uplinks],
            BufferOptions(bounds.max_size, bounds.max_age, subject=plan.node_path),
        )
        self._plan = plan
        self._faults = Faults(self._clock, self.event)
        self._told: Int64Array = np.zeros(0, np.int64)
        self._mistyped: set[int] = set()
        self._sync_failed = False
        self.recent: deque[Event] = deque(maxlen=_RECENT)
        self.last_status: StatusNote | None = None
        self._welcome = asyncio.Event()  # an uplink has come online
        self.started = asyncio.Event()
        """Set when the buffer is open and `status` can be asked."""

    def _prepare(self) -> None:
        """Open the buffer and make what depends on what is in it."""
        try:
            self._buffer.open()
            self._ids = self._buffer.register([buffer_key(item) for item in self._plan.signals])
        except OSError as error:
            raise StoreUnavailable(f"the disk buffer cannot be opened: {error}", hint="Is the disk full?") from error
        keys = self._buffer.keys
        waiting = self._buffer.undelivered_keys() - set(self._ids.tolist())
        self._plan = with_retired(self._plan, [keys[number] for number in sorted(waiting)])
        by_path = {(item.device, item.signal.path): i for i, item in enumerate(self._plan.signals)}
        handles: Int64Array = np.array([by_path.get((key.device, key.path), -1) for key in keys], np.int64)
        plan = self._plan
        self._pipeline = Pipeline(plan.table, plan.computations, plan.rules, plan.bursts, plan.watches)
        self._held = HeldBursts(self._options.data_dir / "bursts")
        self._pipeline.remember(self._held.restore(self._pipeline.holdings()))
        self._handles = {item.signal.path: handle for handle, item in enumerate(self._plan.signals)}
        self._computed = next((device for device in self._plan.devices if device.id == COMPUTED), None)
        self._engine = Engine(
            self._plan.devices, self._drivers, self, self._clock, self._plan.device_path, self._options.data_dir
        )
        self._requests = Requests({"ping": self._ping, **self._options.handlers}, self._clock)
        journal = WriteJournal(self._options.data_dir / "writes.json")
        journal.open()
        foreign = self._options.config.foreign_commands
        self._desk = WriteDesk(self._plan, self._engine, journal, self._tell_write, self._clock, foreign=foreign)
        epoch, last = self._buffer.epoch, lambda: self._buffer.last
        node = NodeContext(
            self._plan, self, self._clock, epoch, handles, last, self._requests, self._desk.submit
        )  # fmt: skip
        self._forwarders = tuple(self._forwarder(uplink, node) for uplink in self._options.config.uplinks)
        self._buffer.on_append = self._wake
        self.started.set()

    def _files(self, config: UplinkConfig) -> Files:
        return Files(config.id, self._options.data_dir)

    def _forwarder(self, config: UplinkConfig, node: NodeContext) -> Forwarder:
        uplink: Uplink
        if isinstance(config, SparkplugUplink):
            file = self._options.data_dir / f"bdseq-{config.id}"
            uplink = Sparkplug(config, node, self._accesses[config.id], file)
        else:
            uplink = self._uplinks[type(config)](config, node, self._files(config))
        forwarder = Forwarder(uplink, self._buffer, self._clock, config.drain_rate)
        uplink.deliveries = forwarder
        forwarder.on_online = self._welcome.set
        forwarder.on_fault = partial(self._faults.tell, f"the uplink {uplink.id}", self._plan.node_path)
        return forwarder

    def _wake(self) -> None:
        for forwarder in self._forwarders:
            forwarder.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Read, keep and send until `stop` is set; then send what is left for some seconds, and end.

        Raises StoreUnavailable or ConfigError when the disk buffer cannot be opened.
        """
        self._prepare()
        log.info("gateway.started", node=self._plan.node_path, signals=len(self._plan.signals))
        try:
            async with asyncio.TaskGroup() as uplinks:
                senders = [uplinks.create_task(f.run(), name=f"uplink {f.uplink.id}") for f in self._forwarders]
                try:
                    await self._until_stopped(stop)
                    await self._drain()
                finally:
                    for sender in senders:
                        sender.cancel()
        finally:
            self._buffer.close()
        log.info("gateway.stopped", node=self._plan.node_path)

    async def _until_stopped(self, stop: asyncio.Event) -> None:
        config = self._options.config
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._engine.run(), name="engine"),
                *(
                    group.create_task(self.keep(name, work), name=name)
                    for name, work in (
                        ("requests", self._requests.run),
                        ("writes", self._desk.run),
                        ("tidy", partial(self._every, 1.0, self._tidy)),
                        ("sync", partial(self._every, config.buffer.fsync, self._sync)),
                        ("ledger", partial(self._every, config.ledger_interval, self._ledger)),
                        ("status", partial(self._every, STATUS_INTERVAL, self._tell_status)),
                        ("pipeline", self._tell_pipelines),
                    )
                ),
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()
        for device in self._plan.devices:
            self._keep(device, self._pipeline.flush(self._handles_of(device)), None)
        await self._ledger()

    async def keep(self, part: str, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do `work` to its end; a fault in it is told and ends nothing else, and it begins anew. See Faults.keep."""
        await self._faults.keep(part, self._plan.node_path, work)

    async def _drain(self) -> None:
        deadline = self._clock.monotonic() + DRAIN_SECONDS
        while self._clock.monotonic() < deadline and any(f.online and not f.done for f in self._forwarders):
            await self._clock.sleep_until(self._clock.monotonic() + 0.05)

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        due = self._clock.monotonic()
        while True:
            due = max(due + seconds, self._clock.monotonic())
            await self._clock.sleep_until(due)
            await action()

    # -- housekeeping

    async def _tidy(self) -> None:
        self._buffer.tidy()
        for handle in self._pipeline.types.mistyped - self._mistyped:
            self._mistyped.add(handle)
            signal = self._plan.signals[handle].signal
            text = f"The device gives text, but {signal.path} is announced as {signal.datatype}."
            details = {"mend": "Set datatype: String for this signal."}
            self.event(Event(self._clock.now_us(), "signal.type", signal.path, text, Severity.LOW, details))

    async def _sync(self) -> None:
        try:
            await asyncio.to_thread(self._buffer.syncing())
            await asyncio.to_thread(self._held.sync)
        except OSError as error:
            if not self._sync_failed:
                log.error("buffer.sync_failed", error=str(error))
            self._sync_failed = True
            return
        if self._sync_failed:
            log.info("buffer.sync_recovered")
        self._sync_failed = False

    async def _ledger(self) -> None:
        frame, totals = self._buffer.totals()
        if self._buffer.ledger_lost:
            self._buffer.ledger_lost = False
            self._told = np.zeros(0, np.int64)
        told = np.zeros(len(totals), np.int64)
        told[: len(self._told)] = self._told
        sums: dict[str, int] = {}
        changed = {self._buffer.keys[number].path for number in np.flatnonzero(totals != told).tolist()}
        for key, total in zip(self._buffer.keys, totals.tolist(), strict=True):
            if key.path in changed:
                sums[key.path] = sums.get(key.path, 0) + total
        self._told = totals
        items = list(sums.items())
        for at in range(0, len(items), _PER_LEDGER_NOTE):
            part = dict(items[at : at + _PER_LEDGER_NOTE])
            self._buffer.append_note(LedgerNote(self._buffer.epoch.hex(), frame, part))

    async def _tell_status(self) -> None:
        self.tell()

    def tell(self) -> None:
        """Tell every uplink the status now."""
        status = self.last_status = self.status()
        for at in range(0, max(1, len(status.devices)), _PER_STATUS_NOTE):
            part = replace(status, devices=status.devices[at : at + _PER_STATUS_NOTE])
            for forwarder in self._forwarders:
                forwarder.pass_on(methodcaller("tell", part))

    async def _tell_pipelines(self) -> None:
        """In turns, and at once when a hub is there again that may have started anew and know nothing."""
        while True:
            self._welcome.clear()
            await event_or(self._clock, self._welcome, self._clock.monotonic() + PIPELINE_INTERVAL)
            self._tell_pipeline()

    def _tell_pipeline(self) -> None:
        paths = [item.signal.path for item in self._plan.signals]
        for at in range(0, len(paths), _PER_STATUS_NOTE):
            signals = {path: self.pipeline_of(path) for path in paths[at : at + _PER_STATUS_NOTE]}
            part = PipelineNote(self._clock.now_us(), {path: one for path, one in signals.items() if one.rows_in})
            for forwarder in self._forwarders:
                if isinstance(forwarder.uplink, TellsPipeline):
                    forwarder.pass_on(methodcaller("tell_pipeline", part))

    async def _ping(self, request: Request) -> Mapping[str, Any]:
        return {"version": __version__, "time": self._clock.now_us(), "node": self._plan.node_path}

    def status(self) -> StatusNote:
        """How the gateway does now; device rates are since the last call."""
        kinds = [item.signal.kind.value for item in self._plan.signals]
        return StatusNote(
            self._clock.now_us(),
            self._engine.status(),
            self._buffer.status(),
            tuple(forwarder.status() for forwarder in self._forwarders),
            __version__,
            step_status(self._pipeline, kinds),
            self._options.config_status(),
        )

    def online(self) -> frozenset[str]:
        """Ids of the devices that are online."""
        return frozenset(device.id for device in self._plan.devices if self.device_state(device.id) == "online")

    def connected(self) -> bool:
        """True while a hub that acknowledges can be reached."""
        ours = {u.id for u in self._options.config.uplinks if isinstance(u, SparkplugUplink) and u.acknowledge}
        return any(forwarder.online for forwarder in self._forwarders if forwarder.uplink.id in ours)

    def pipeline_of(self, path: str) -> SignalPipeline:
        """What the steps did to a signal since the start; KeyError for a path that the gateway does not know."""
        return self._pipeline.of(self._handles[path])

    # -- what the engine tells (engine.Output)

    def accept(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        """See Output."""
        kept = self._pipeline.update(batch, self._clock.now_us())
        rows = self._keep(device, kept, position)
        for event in self._pipeline.take_events():
            self.event(event)
        if self._pipeline.held_changed:  # last: what a kill cuts off here is told twice, but never lost
            self._held.update(self._pipeline.holdings())
        return rows

    def late(self, device: PlannedDevice, batch: SampleBatch) -> int:
        """See Output."""
        kept = self._pipeline.past(batch)
        self._append(device, kept, None, late=True)
        return len(kept)

    def lost(self, device: PlannedDevice) -> None:
        """See Output."""
        self._keep(device, self._pipeline.lost(self._handles_of(device), self._clock.now_us()), None)

    def _handles_of(self, device: PlannedDevice) -> UInt32Array:
        return np.arange(device.first, device.first + device.size, dtype=np.uint32)

    def _keep(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        """Put rows into the buffer, each under its device or as computed; how many of the device."""
        if self._computed is not None and device is not self._computed:
            made = (batch.signals >= self._computed.first) & (
                batch.signals < self._computed.first + len(self._plan.computations)
            )
            if made.any():
                self._append(self._computed, batch.take(made), None)
                batch = batch.take(~made)
        self._append(device, batch, position)
        return len(batch)

    def _append(self, device: PlannedDevice, batch: SampleBatch, position: str | None, *, late: bool = False) -> None:
        ids = self._ids[batch.signals]
        self._buffer.append(device.id, replace(batch, signals=ids), position, late=late)

    def position(self, device: PlannedDevice) -> str | None:
        """See Output."""
        return self._buffer.position(device.id)

    def event(self, event: Event) -> None:
        """See Output."""
        self.recent.append(event)
        self._buffer.append_note(EventNote(event))

    def _tell_write(self, note: WriteNote, event: Event) -> None:
        self._buffer.append_note(note)
        self.event(event)

    def changed(self, device: PlannedDevice) -> None:
        """See Output."""
        for forwarder in self._forwarders:
            forwarder.pass_on(methodcaller("device_changed", device.id))
        self._wake()

    # -- what an uplink may ask (uplinks.base.GatewayView)

    def last(self, handles: UInt32Array) -> SampleBatch:
        """See GatewayView."""
        return self._pipeline.last(handles)

    def device_state(self, device: str) -> Literal["starting", "online", "offline"]:
        """See GatewayView."""
        if self._computed is not None and device == self._computed.id and self._computed.enabled:
            return "online"
        state = self._engine.state(device)
        if state in ("online", "degraded"):
            return "online"
        return "starting" if state == "starting" else "offline"
