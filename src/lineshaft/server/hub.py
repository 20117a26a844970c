"""The hub as one process: historian, state, ingest, live stream, API and page; and the import of waiting files."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import uvicorn

from lineshaft.apps.base import AppContext
from lineshaft.apps.builtin import APPS
from lineshaft.apps.oee.parts import Oee
from lineshaft.apps.oee.told_orders import take_orders
from lineshaft.clock import SystemClock
from lineshaft.config.models import Plant, RetentionConfig
from lineshaft.errors import ConnectionFailed, StoreUnavailable
from lineshaft.gateway.plan import make_plan
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import Check, PlantInfo, Restart, Services
from lineshaft.hub.broker.desk import BrokerDesk
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.space import Space
from lineshaft.hub.ingest import BrokerLogin, Ingest, IngestSettings, IntakeSettings
from lineshaft.hub.security.identity import Identity
from lineshaft.hub.shift_calendars import ShiftCalendars
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.hub.usage import Uses, uses_of_plant
from lineshaft.model.events import Event
from lineshaft.server import upkeep
from lineshaft.server.broker import given_of
from lineshaft.server.changes import PlantChanges, tried
from lineshaft.server.context import SIMULATOR_TOKEN, PartContext, broker_url, hub_user, read_password
from lineshaft.server.folder import DataFolder
from lineshaft.server.history import (
    calendar_of,
    forget_old,
    keep_record,
    open_historian,
    rolling,
    rollup_check,
    space_check,
    space_of,
)
from lineshaft.server.messages import Message, tell
from lineshaft.server.operators import Working, operator_check, working
from lineshaft.server.past import PastRules
from lineshaft.web.static_files import mount_page

_LOOK_EVERY: Final = 1.0  # seconds between two looks at the threads of ingest
_BUSY_ROWS: Final = 200_000  # rows that may wait before roll-ups wait for them
_MOST_WAITING: Final = 1_000_000  # rows that may wait for the historian before health warns


async def run_hub(context: PartContext) -> None:
    """Serve until `context.stop`; what is queued is committed before it ends."""
    plant, data, began = context.plant, context.data, time.monotonic()
    stream, dsn = LiveStream(), data.historian_dsn(plant)
    space = space_of(data.root, dsn, plant)
    with _listen(plant.hub.host, plant.hub.port) as listener, State(data.database_dsn(plant)) as state:
        async with (
            open_historian(dsn, plant, state, space) as historian,
            working(plant, historian, state, stream) as work,
        ):
            await _serve(context, listener, Hub(historian, state, stream, work, space), began)


@dataclass(frozen=True, slots=True)
class Hub:
    """What is open before rows come."""

    historian: ClickHouseHistorian
    state: State
    stream: LiveStream
    work: Working
    space: Space


async def _serve(context: PartContext, listener: socket.socket, hub: Hub, began: float) -> None:
    plant, data = context.plant, context.data
    historian, state, stream = hub.historian, hub.state, hub.stream
    stream.seed(await asyncio.to_thread(historian.latest))
    ingest = Ingest(
        _ingest_settings(plant, data),
        historian,
        state,
        state.ledger,
        state.events,
        stream,
        writes=state.writes,
        ready=hub.space.require,
    )
    await asyncio.to_thread(ingest.recover)
    await asyncio.to_thread(lambda: state.ledger.recount(*historian.totals()))
    changes = PlantChanges(plant, context.folder, context.load, ShiftCalendars(calendar_of(plant)), hub.work)
    services = _services(context, hub, ingest, changes)
    app = create_app(services, [router for one in APPS for router in one.routers])
    mount_page(app)
    server = _Server(server_config(app, plant.hub.host, plant.hub.port))
    try:
        async with contextlib.AsyncExitStack() as apps, asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]), name="api")
            if await server.listening():
                for one in APPS:
                    running = one.start(AppContext(plant, services, historian.listen, data.root, changes.add_file))
                    app.state.apps[one.name] = await apps.enter_async_context(running)
                changes.apps = [(one, app.state.apps[one.name]) for one in APPS]
                hub.work.live.start()
                ingest.start()
                address = _address(plant, listener)
                data.links.write_text(address + "\n", encoding="utf-8")
                tell(Message("link", await asyncio.to_thread(_link, app.state.identity, address)))
                changes.start_took = time.monotonic() - began
                tell(Message("ready", address))
                await _while_running(context, ingest, hub, changes, app.state.apps["oee"])
                server.should_exit = True
    finally:
        data.links.unlink(missing_ok=True)
        await asyncio.to_thread(ingest.stop)


def _broker_desk(changes: PlantChanges, data: DataFolder) -> BrokerDesk | str:
    other = changes.now.hub.broker
    return other or BrokerDesk(data.root, lambda: given_of(changes.now))


async def _while_running(context: PartContext, ingest: Ingest, hub: Hub, changes: PlantChanges, oee: Oee) -> None:
    """Do what is to be done on the side until the stop."""
    keep, historian, state = context.plant.hub.retention, hub.historian, hub.state
    rules = PastRules(make_plan(context.plant))
    busy = partial(_is_busy, ingest)
    async with rolling(historian, busy) as roller, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                upkeep.import_files(context.data.imports, historian, state, rules, partial(take_orders, oee, "import")),
                name="import",
            ),
            group.create_task(_watch_plant(context, changes), name="plant"),
            group.create_task(hub.work.train_wanted(context.plant.models, historian, state), name="models"),
            group.create_task(upkeep.give_back_memory(), name="memory"),
        ]
        keeping = keep_record(state, keep.prediction, SystemClock())
        tasks.append(group.create_task(keeping, name="record"))
        if keep.model_copy(update={"prediction": RetentionConfig().prediction}) != RetentionConfig():
            forgetting = forget_old(historian, state, roller, keep, SystemClock())
            tasks.append(group.create_task(forgetting, name="retention"))
        await _until_stopped(context.stop, ingest, hub.space)
        for task in tasks:
            task.cancel()


def _is_busy(ingest: Ingest) -> bool:
    """Whether rows wait in such numbers that everything else should."""
    return ingest.figures().pending_rows > _BUSY_ROWS


def _ingest_settings(plant: Plant, data: DataFolder) -> IngestSettings:
    hub = plant.hub
    file = hub.broker_password_file or f"{hub_user(plant)}.password"
    login = BrokerLogin.parse(broker_url(plant), hub_user(plant), read_password(data.root / file))
    intake = IntakeSettings(plant.plant.enterprise, reorder_timeout=hub.reorder_timeout)
    return IngestSettings(data.root / "journal", login, intake, hub.host_id)


def _services(context: PartContext, hub: Hub, ingest: Ingest, changes: PlantChanges) -> Services:
    plant, data = context.plant, context.data

    def figures() -> Mapping[str, Any]:
        return {"ingest": asdict(ingest.figures())}

    return Services(
        historian=hub.historian,
        state=hub.state,
        stream=hub.stream,
        plant=PlantInfo(plant.plant.name, plant.plant.timezone, plant.plant.currency, changes.calendars),
        requests=ingest.requests,
        checks=(
            lambda: _ingest_checks(plant, ingest),
            lambda: (space_check(hub.space),),
            lambda: (rollup_check(hub.historian),),
            lambda: operator_check(hub.work.live),
            changes.check,
        ),
        operators=hub.work.desk,
        models=hub.work.models,
        figures=figures,
        rate_limit=plant.hub.rate_limit,
        command=ingest.write,
        pipelines=ingest.pipelines,
        uses=Uses(uses_of_plant(plant)),
        restart=_restart(context, hub, changes),
        broker=_broker_desk(changes, data),
        fault_token=read_password(data.root / SIMULATOR_TOKEN),
        fault_url=f"http://127.0.0.1:{plant.simulator.api_port}" if plant.simulator is not None else "",
    )


def _ingest_checks(plant: Plant, ingest: Ingest) -> Sequence[Check]:
    found, url = ingest.figures(), broker_url(plant)
    mend = (
        "see the log broker.log in the data folder" if not plant.hub.broker else "is it running, is the password right?"
    )
    broker = Check("broker", "pass", f"connected to {url}")
    if not found.connected:
        broker = Check("broker", "fail", f"no connection to {url}", mend)
    store = Check("ingest", "pass", f"{found.rows:,} rows committed, {found.pending_rows:,} waiting")
    if not ingest.alive():
        store = Check("ingest", "fail", "ingest has ended", "start the hub again; its log hub.log says why")
    elif found.store_error:
        store = Check("ingest", "fail", f"rows cannot be stored: {found.store_error}", "is the disk full?")
    elif found.pending_rows > _MOST_WAITING:
        store = Check("ingest", "warn", f"{found.pending_rows:,} rows wait", "the historian is slower than the plant")
    return broker, store


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own, which says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._startup_over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, see server.lifetime."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Part of uvicorn's contract."""
        try:
            await super().startup(sockets)
        finally:
            self._startup_over.set()

    async def listening(self) -> bool:
        """Wait for the end of the start-up; False when it failed."""
        await self._startup_over.wait()
        return self.started


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, before anything else is opened. Raises ConnectionFailed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        hint = "another program uses hub.port; `lineshaft doctor` says which"
        raise ConnectionFailed(f"the hub cannot listen on {host}:{port}: {error.strerror}", hint=hint) from error
    with listener:
        listener.setblocking(False)
        # asyncio sets it only on sockets that it makes itself; without it every small answer waits 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _address(plant: Plant, listener: socket.socket) -> str:
    host, port = plant.hub.host, listener.getsockname()[1]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what people can open
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _link(identity: Identity, address: str) -> str:
    """Where to go: the set-up page while there is no user."""
    return f"{address}/setup?link={identity.make_setup_link()}" if identity.setup_needed() else address


async def _until_stopped(stop: asyncio.Event, ingest: Ingest, space: Space) -> None:
    """Wait for the stop. Raises StoreUnavailable when the hub must be started anew, which its supervisor does."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY):
                await stop.wait()
        if not stop.is_set() and space.damaged:
            raise StoreUnavailable(space.damaged)
        if not stop.is_set() and not ingest.alive():
            raise StoreUnavailable("ingest has ended by itself")


async def _watch_plant(context: PartContext, changes: PlantChanges) -> None:
    """Changes of the plant folder count as soon as they are seen."""
    async for plant in context.watcher().changes():
        await tried(changes, plant)


def _restart(context: PartContext, hub: Hub, changes: PlantChanges) -> Restart:
    loop, root = asyncio.get_running_loop(), f"{context.plant.plant.enterprise}/{context.plant.plant.site}"

    def ask(by: str) -> None:
        hub.state.events.add([Event(SystemClock().now_us(), "hub.restart", root, f"{by} started the hub anew")])
        context.again.set()
        loop.call_soon_threadsafe(context.stop.set)

    return Restart(changes.waiting, lambda: changes.start_took, ask)
