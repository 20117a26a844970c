"""A hub over a filled folder as a worker: asked while rows come in and roll-ups are kept.

Answers once when the API listens and rows come in, then `figures`; ends with its input.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvicorn
from numpy.typing import NDArray

from bench.dataset import START_US, machine_values
from bench.history.fill import BLOCK_ROWS, DAY, batch_of, opened, register, register_state
from bench.process import options, peak_mib, say, words
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream

_LIVE_ROWS: Final = 4_000  # rows of a block while the API is asked


class _Live:
    """Rows at a steady rate, as ingest commits them, in a thread."""

    def __init__(self, historian: ClickHouseHistorian, stream: LiveStream, ids: NDArray[np.uint32], rate: int) -> None:
        self._historian, self._stream = historian, stream
        self._ids, self._rate = ids, rate
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.rows, self.began = 0, 0.0

    def start(self) -> None:
        """Go on after the newest row of the past."""
        self.began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        steps = _LIVE_ROWS // len(self._ids)
        values = machine_values(len(self._ids), steps)
        number = 0
        while not self._stopped.wait(max(0.0, self.began + self.rows / self._rate - time.monotonic())):
            start = 40 * DAY + number * steps
            batch = batch_of(values, self._ids, start)
            self._historian.append(batch, f"live-{number}")
            self._stream.publish(batch.take(slice(-len(self._ids), None)))
            self.rows += len(batch)
            number += 1


def _burst(historian: ClickHouseHistorian, ids: NDArray[np.uint32], rows: int) -> float:
    """Rows a second that go in at full speed while the thread of roll-ups runs beside it."""
    block = BLOCK_ROWS // len(ids)
    values = machine_values(len(ids), block)
    began, done, number = time.perf_counter(), 0, 0
    while done < rows:
        historian.append(batch_of(values, ids, 60 * DAY + number * block), f"burst-{number}")
        done, number = done + values.size, number + 1
    return done / (time.perf_counter() - began)


def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    began = time.perf_counter()
    with State(f"sqlite:///{folder}/state.db") as state:
        historian = opened(folder, state)
        stream = LiveStream()
        stream.seed(historian.latest())
        counted = time.perf_counter()
        state.ledger.recount(*historian.totals())
        ready = time.perf_counter()
        _serve(what, state, historian, stream, {"open": counted - began, "recount": ready - counted})
        historian.close()


def _serve(
    what: Mapping[str, Any],
    state: State,
    historian: ClickHouseHistorian,
    stream: LiveStream,
    seconds: Mapping[str, float],
) -> None:
    ids, lane = register(state, what["signals"]), register_state(state)
    roller = Roller(historian.rollups, historian, historian.traits, RollerSettings(interval=5.0))
    rolling = threading.Thread(target=roller.run)
    rolling.start()
    burst = _burst(historian, ids, what["burst"])
    app = create_app(Services(historian, state, stream, PlantInfo("bench", "Europe/Berlin")))
    state.accounts.add_user("bench", "admin", "-", 0)
    token = app.state.identity.make_token(
        Principal("bench", Role.ADMIN, "session", "", None), "bench", Role.ADMIN, None
    )[1]
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.05)
    live = _Live(historian, stream, ids, what["rate"])
    live.start()
    port = server.servers[0].sockets[0].getsockname()[1]
    say(port=port, token=token, ids=ids.tolist(), state=lane, start=START_US, burst_per_s=burst, seconds=seconds)
    for _ in words():
        passed = time.monotonic() - live.began
        say(
            rate=live.rows / passed,
            waiting=historian.rollups.waiting(),
            peak_mib=peak_mib(),
            error=roller.figures.error,
        )
    live.stop()
    roller.stop()
    rolling.join()
    server.should_exit = True
    serving.join()


if __name__ == "__main__":
    _main(options())
