"""A hub with 100,000 signals in 5,000 assets as a worker: each value anew every five seconds, the page mounted.

Answers once when the page can be opened; ends with its input.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray

from bench.process import options, peak_mib, say, words
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security import passwords
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.hub.traits import CatalogueTraits
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.web.static_files import mount_page

PARTS = 20  # the live values of all signals come in so many parts
PERIOD = 5.0  # seconds until all have a new value
NAMES = (
    *(("power", "kW"), ("current", "A"), ("spindle-speed", "1/min"), ("spindle-load", "%"), ("feed-rate", "mm/min")),
    *(("coolant-temperature", "degC"), ("coolant-pressure", "bar"), ("vibration", "mm/s"), ("torque", "N*m")),
    *(("air-flow", "m3/h"), ("oil-level", "%"), ("cabinet-temperature", "degC"), ("axis-x", "mm"), ("axis-y", "mm")),
    *(("axis-z", "mm"), ("tool-life", "%"), ("noise", "dB"), ("voltage", "V"), ("energy", "kWh")),
)


def _plant(assets: int) -> Iterator[tuple[Equipment, list[BornSignal]]]:
    words = (("RUN", "Running"), ("IDLE", "Idle"), ("FAULT", "Fault"))
    yield Equipment("wide", "Wide works", Level.ENTERPRISE), []
    for number in range(assets):
        area, line = number // (assets // 2), number // 100
        path = f"wide/site/area-{area}/line-{line}/cnc-{number}"
        signals = [Signal(path, "state", SignalKind.STATE, Datatype.STRING, states=words)]
        signals += [Signal(path, name, unit=unit, limits=Limits(high=99.9), decimals=1) for name, unit in NAMES]
        born = [BornSignal(one, "site/gateway", f"cnc-{number}", f"4{at:04}") for at, one in enumerate(signals)]
        yield Equipment(path, f"CNC {number}", Level.ASSET, "cnc", aliases=(f"INV-{10_000 + number}",)), born


def _feed(stream: LiveStream, ids: NDArray[np.uint32], is_state: NDArray[np.bool_], end: threading.Event) -> None:
    noise = np.random.default_rng(1)
    turn = 0
    while not end.wait(PERIOD / PARTS):
        at = np.arange(turn % PARTS, len(ids), PARTS) if turn >= PARTS else np.arange(len(ids))
        states = is_state[at]
        texts = np.where(states, noise.choice(["RUN", "RUN", "RUN", "IDLE", "FAULT"], len(at)), None)
        values = np.where(states, np.nan, 100 * noise.random(len(at)))
        now = np.full(len(at), time.time_ns() // 1000)
        stream.publish(SampleBatch.of(ids[at], now, values, Quality.GOOD, texts.tolist()))
        turn = max(turn, PARTS) + 1


def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    with State(f"sqlite:///{folder}/state.db") as state:
        historian = ClickHouseHistorian(f"chdb://{folder}/history", CatalogueTraits(state.catalogue, 900.0))
        historian.open()
        plant = list(_plant(what["assets"]))
        born = [one for _, signals in plant for one in signals]
        began = time.perf_counter()
        state.register_equipment([node for node, _ in plant])
        ids = state.register(born)
        registered = time.perf_counter() - began
        stream = LiveStream()
        app = create_app(Services(historian, state, stream, PlantInfo("Wide works", "Europe/Berlin")))
        mount_page(app)
        state.accounts.add_user("bench", "admin", passwords.hashed(what["password"]), 0)
        server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
        serving = threading.Thread(target=server.run)
        serving.start()
        end = threading.Event()
        is_state = np.array([one.signal.kind is SignalKind.STATE for one in born])
        feeding = threading.Thread(target=_feed, args=(stream, ids, is_state, end))
        feeding.start()
        while not server.started:
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        say(port=port, signals=len(ids), registered=registered)
        for _ in words():
            say(peak_mib=peak_mib())
        end.set()
        server.should_exit = True
        feeding.join()
        serving.join()
        historian.close()


if __name__ == "__main__":
    _main(options())
