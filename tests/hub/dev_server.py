"""The real app over an in-memory historian that is fed by formula, for working on the page:

.venv/bin/python tests/hub/dev_server.py --port 8799 --password 'three or four words'
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvicorn
from memory_historian import MemoryHistorian  # run as a script: this folder is on the path

from lineshaft.apps.maintenance.app import MAINTENANCE
from lineshaft.clock import SystemClock
from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.broker.desk import BrokerDesk, Given
from lineshaft.hub.operators.backtest import Backtests
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.operators.worker import Limits as Share
from lineshaft.hub.ports import BornSignal, Drop
from lineshaft.hub.security import passwords
from lineshaft.hub.security.identity import setup_link
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Limits, Signal, SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform
from lineshaft.web.static_files import mount_page

SITE = "northwind/lakeside"
RULE = OperatorConfig(
    id="much-power",
    operator="rule",
    assets=("machining/**",),
    options={"id": "much-power", "inputs": {"power": "power"}, "when": "power > 9", "message": "It draws much power"},
)
BAD = [
    OperatorConfig(id=f"watch-{name}", operator=f"operators.bad:{name.upper()}", assets=(f"utilities/**/{asset}",))
    for name, asset in (("raises", "pump-1"), ("hangs", "pump-2"), ("eats", "pump-3"), ("forgets", "pump-1"))
]
NODE = "lakeside/gateway-1"
STATES = ("IDLE", "ACTIVE", "ACTIVE", "ACTIVE", "FEED_HOLD", "ACTIVE", "STOPPED")
SECOND = 1_000_000


@dataclass(frozen=True)
class Shape:
    """value = mean + swing * sin(2 pi t / period) + noise."""

    signal: Signal
    device: str
    mean: float = 0.0
    swing: float = 0.0
    period: float = 600.0
    noise: float = 0.0


def measure(asset: str, name: str, unit: str, mean: float, swing: float, period: float, noise: float) -> Shape:
    limits = Limits(high=mean + 1.2 * swing, high_high=mean + 1.5 * swing)
    low, high = mean - 3 * swing, mean + 3 * swing
    signal = Signal(asset, name, unit=unit, low=low, high=high, limits=limits, decimals=2, description=f"{name} of it")
    return Shape(signal, asset.split("/")[4], mean, swing, period, noise)


def plant() -> tuple[list[Equipment], list[Shape]]:
    nodes = [
        Equipment("northwind", "Northwind Motion", Level.ENTERPRISE),
        Equipment(SITE, "Lakeside works", Level.SITE),
        Equipment(f"{SITE}/machining", "Machining", Level.AREA),
        Equipment(f"{SITE}/machining/line-1", "Line 1", Level.LINE),
        Equipment(f"{SITE}/utilities", "Utilities", Level.AREA),
        Equipment(f"{SITE}/utilities/cooling", "Cooling water", Level.LINE),
    ]
    shapes: list[Shape] = []
    for number in range(1, 5):
        asset = f"{SITE}/machining/line-1/cnc-{number}"
        nodes.append(Equipment(asset, f"CNC {number}", Level.ASSET, "cnc"))
        nodes.append(Equipment(f"{asset}/spindle", "Spindle", Level.COMPONENT, "spindle"))
        device = f"cnc-{number}"
        words = tuple((word, word.replace("_", " ").capitalize()) for word in sorted(set(STATES)))
        state = Signal(asset, "execution", SignalKind.STATE, Datatype.STRING, states=words)
        program = Signal(asset, "running", SignalKind.STATE, Datatype.BOOLEAN, states=(("0", "Off"), ("1", "On")))
        parts = Signal(asset, "parts", SignalKind.COUNTER, Datatype.UINT32, unit="1", decimals=0)
        shapes += [
            Shape(state, device, period=900 + 70 * number),
            Shape(program, device, period=1300 + 90 * number),
            Shape(parts, device, period=80 + number),
            measure(asset, "power", "kW", 6 + number, 3, 240 + 20 * number, 0.15),
            measure(f"{asset}/spindle", "speed", "1/min", 6000, 1800, 180 + 10 * number, 12),
            measure(f"{asset}/spindle", "temperature", "degC", 48, 6, 3600, 0.05),
            measure(f"{asset}/spindle", "vibration", "mm/s", 1.6, 0.5, 200, 0.08),
        ]
    for number in range(1, 4):
        asset = f"{SITE}/utilities/cooling/pump-{number}"
        sheet = (Attribute("burst_bearing", "Timken 307K"),) if number == 1 else ()  # BPFO 3.006
        words = "Circulates the cooling water"
        nodes.append(Equipment(asset, f"Pump {number}", Level.ASSET, "pump", words, attributes=sheet))
        shapes += [
            measure(asset, "flow", "m^3/h", 42, 6, 1800 + 100 * number, 0.3),
            measure(asset, "pressure", "bar", 4.1, 0.4, 1800 + 100 * number, 0.02),
            measure(asset, "bearing-temperature", "degC", 52, 5, 5400, 0.05),
            measure(asset, "power", "kW", 11, 1.5, 1800, 0.1),
        ]
    return nodes, shapes


def found(words: str, below: str) -> BornSignal:
    """A signal of a foreign edge node, which says nothing of its place."""
    asset, _, name = f"northwind/lakeside/edge-7/{below}".rpartition("/")
    return BornSignal(Signal(asset, name, description=words), "lakeside/Edge-7", "Cooling PLC", "", "", True)


def rows(ids: np.ndarray, shapes: Sequence[Shape], times: np.ndarray, noise: np.random.Generator) -> SampleBatch:
    """A row of each signal at each time (UTC microseconds)."""
    parts = []
    seconds = times / SECOND
    for number, shape in zip(ids.tolist(), shapes, strict=True):
        turn = seconds / shape.period
        texts = None
        if shape.signal.datatype is Datatype.STRING:
            texts = [STATES[int(one * 7) % len(STATES)] for one in turn]
            values = np.full(len(times), np.nan)
        elif shape.signal.kind is SignalKind.COUNTER:
            values = np.floor(turn) % 1_000_000
        elif shape.signal.kind is SignalKind.STATE:
            values = (np.sin(2 * np.pi * turn) > -0.6).astype(float)
        else:
            wave = np.sin(2 * np.pi * turn) + 0.3 * np.sin(2 * np.pi * turn * 3.7)
            values = shape.mean + shape.swing * wave + shape.noise * noise.standard_normal(len(times))
        parts.append(SampleBatch.of(np.full(len(times), number, np.uint32), times, values, Quality.GOOD, texts))
    return SampleBatch.concat(parts)


async def feed(
    services: Services, live: Operators | None, ids: np.ndarray, shapes: Sequence[Shape], interval: float
) -> None:
    """New rows of every signal each interval; device cnc-4 goes away and comes back each minute."""
    noise = np.random.default_rng(2)
    gone_ids = ids[[shape.device == "cnc-4" for shape in shapes]]
    was_gone = False
    for turn in range(1 << 60):
        now = time.time_ns() // 1000
        batch = rows(ids, shapes, np.array([now]), noise)
        gone = int(now / SECOND) % 60 > 45
        if gone:
            batch = batch.take(~np.isin(batch.signals, gone_ids))
        if gone != was_gone:
            was_gone = gone
            words = (
                {"error": "no answer within 3 s", "hint": "is it switched on?"} if gone else {"error": "", "hint": ""}
            )
            services.state.source(NODE, "cnc-4", "offline" if gone else "online", now, words)
            kind = "device.offline" if gone else "device.recovered"
            event = Event(now, kind, f"{SITE}/machining/line-1/cnc-4", f"cnc-4 is {'gone' if gone else 'back'}",
                          Severity.MEDIUM if gone else Severity.INFO)  # fmt: skip
            services.state.events.add([event])
            if gone:
                services.stream.stale(gone_ids, now)
        services.historian.append(batch, f"live-{turn}")
        if live is not None:
            live.feed.told(batch)
        services.stream.publish(batch)
        counted = np.ones(len(batch), np.int64)
        services.state.ledger.arrived(batch.signals, counted, 0 * counted)
        await asyncio.sleep(interval)  # this server is a signal generator: its clock is its only event


def fill(services: Services, ids: np.ndarray, shapes: Sequence[Shape], days: float) -> None:
    """Past values, one each five seconds, and something in every table."""
    now = time.time_ns() // 1000
    times = np.arange(now - int(days * 86_400 * SECOND), now, 5 * SECOND)
    past = rows(ids, shapes, times, np.random.default_rng(1))
    services.historian.append(past, "past")
    services.stream.seed(services.historian.latest())
    stored = services.historian.counts()
    services.state.ledger.recount(stored.signals, stored.rows)
    state = services.state
    buffer = {"rows": 0, "bytes": 0, "oldest": None, "dropped_rows": 12}
    state.source(NODE, "", "online", now - 3600 * SECOND, {"name": "Gateway 1", "version": "0.1", "buffer": buffer})
    for device in dict.fromkeys(shape.device for shape in shapes):
        details = {"driver": "modbus-tcp", "polls": 1200, "late": 3, "error": "", "hint": ""}
        state.source(NODE, device, "online", now - 3600 * SECOND, details)
    path = shapes[3].signal.path
    reason = "buffer size"
    state.ledger.dropped(NODE, "00", [Drop(path, 12, now - 7200 * SECOND, now - 7100 * SECOND, reason)])
    state.ledger.expected(NODE, "00", {shape.signal.path: 12 for shape in shapes[:10]}, 1)
    state.events.add(
        [
            Event(now - 7100 * SECOND, "buffer.dropped", path, "12 samples were dropped", Severity.HIGH, {"rows": 12}),
            Event(now - 3600 * SECOND, "gateway.online", NODE, "Gateway 1 is online"),
        ]
    )


def fill_waveforms(services: Services) -> None:
    """Bursts of two pumps: the bearing of the first knocks 90 times a second at 1800/min, the sensor of the second is
    driven too hard."""
    now = time.time_ns() // 1000
    moments = [now - minutes * 60 * SECOND for minutes in (2400, 1200, 300, 55, 45, 35, 25, 15, 5)]
    seconds = np.arange(8192) / 12_800
    for number, limit in ((1, 1e9), (2, 4.0)):
        asset = f"{SITE}/utilities/cooling/pump-{number}"
        signal = Signal(asset, "burst", SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2", description="Driven end")
        (handle,) = services.state.register([BornSignal(signal, NODE, f"pump-{number}")]).tolist()
        for at, moment in enumerate(moments):
            values = 3 * np.sin(2 * np.pi * 30 * seconds) + np.random.default_rng(at).normal(0, 0.2, len(seconds))
            for knock in np.arange(0, seconds[-1], 1 / 90):
                late = np.maximum(seconds - knock, 0)
                values += 2 * (1 + at) * np.exp(-800 * late) * np.sin(2 * np.pi * 3000 * late)
            wave = Waveform.of(np.rint(100 * np.clip(values, -limit, limit)).astype(int), 12_800.0, 1800.0, scale=0.01)
            services.historian.append(SampleBatch.of_waves([handle], [moment], [wave]), f"burst-{number}-{at}")
    broken(services, signal, handle, moments[-1] + 60 * SECOND)


def broken(services: Services, signal: Signal, handle: int, moment: int) -> None:
    """Two bursts of the second pump that were none."""
    reason = "half a waveform: 4096 of 8192 samples"
    bad = SampleBatch.of([handle] * 2, [moment, moment + SECOND], np.nan, Quality.BAD_DEVICE)
    services.historian.append(bad, "broken")
    facts = {"signal": signal.path, "reason": reason, "address": "input:100:int16", "mend": "look at samples"}
    words = f"pump-2 gave a waveform that is of no use: {reason}"
    services.state.events.add([Event(moment, "waveform.malformed", f"{NODE}/pump-2", words, Severity.MEDIUM, facts)])
    told = {"driver": "modbus-tcp", "broken_bursts": 2, "burst_error": reason, "error": "", "hint": ""}
    services.state.source(NODE, "pump-2", "online", moment, told)


async def serve(options: argparse.Namespace, folder: Path) -> None:
    with State(f"sqlite:///{folder}/state.db") as state:
        historian = MemoryHistorian()
        plan = tuple(planned(config, SITE) for config in (RULE, *(BAD if options.bad_operators else ())))
        limits = Share(memory=512 << 20, folders=(str(Path(__file__).parent),))
        live = Operators(plan, historian, state, SystemClock(), limits) if options.bad_operators else None
        desk = OperatorDesk(plan, SITE, state.catalogue, Backtests(historian), live)
        plant_info = PlantInfo("Lakeside works", "Europe/Berlin")
        scada = BrokerAccountConfig(user="scada", receive=("press-7/#",), description="Control room")
        broker = BrokerDesk(Path(folder), lambda: Given("127.0.0.1:18830", (scada,)))
        services = Services(historian, state, LiveStream(), plant_info, operators=desk, broker=broker)
        base = f"http://127.0.0.1:{options.port}"
        if options.password:
            state.accounts.add_user("admin", "admin", passwords.hashed(options.password), 0)
        else:
            print("first user:", setup_link(state, base))  # noqa: T201
        app = create_app(services, MAINTENANCE.routers)
        mount_page(app)
        nodes, shapes = plant()
        state.register_equipment(nodes)
        ids = state.register([BornSignal(shape.signal, NODE, shape.device, "40001") for shape in shapes])
        fill(services, ids, shapes, options.days)
        state.register([found("Pump2/Speed (rpm)", "p2/speed-rpm"), found("tag_47", "tag-47")])
        fill_waveforms(services)
        server = uvicorn.Server(server_config(app, "127.0.0.1", options.port))
        print(f"{base} is ready, user admin", flush=True)  # noqa: T201
        if live is not None:
            live.open()
            live.start()
        feeding = asyncio.create_task(feed(services, live, ids, shapes, options.interval))
        await server.serve()
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        if live is not None:
            await asyncio.to_thread(live.stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument(
        "--password", default="", help="password of the user admin; without it a one-time link is printed"
    )
    parser.add_argument("--days", type=float, default=2.0, help="how much past there is")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between live values")
    parser.add_argument("--bad-operators", action="store_true", help="one raises, one hangs, one eats memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(serve(options, Path(folder)))


if __name__ == "__main__":
    main()
