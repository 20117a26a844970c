"""A hub with history as a worker: filled by the virtual clock, rolled up, then asked while rows come in.

Answers once when everything is stored, once when the API listens and rows come in, then `figures`; ends with its input.
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
from bench.process import options, peak_mib, say, words
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.hub.traits import CatalogueTraits
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.model.samples import Quality, SampleBatch

SECOND: Final = 1_000_000
_DAY: Final = 86_400
_BLOCK_ROWS: Final = 400_000
_LIVE_ROWS: Final = 4_000  # rows of a block while the API is asked


def _batch(values: NDArray[np.float64], ids: NDArray[np.uint32], start: int) -> SampleBatch:
    seconds, signals = values.shape
    times = START_US + (start + np.arange(seconds, dtype=np.int64)) * SECOND
    return SampleBatch(
        np.tile(ids[:signals], seconds),
        np.repeat(times, signals),
        values.ravel(),
        np.full(values.size, Quality.GOOD, np.uint8),
    )


def _fill(historian: ClickHouseHistorian, ids: NDArray[np.uint32], seconds: int, name: str) -> tuple[int, float]:
    """All of `ids` each second; gives rows and the seconds that appending took."""
    block = max(1, _BLOCK_ROWS // len(ids))
    known = [machine_values(len(ids), block, seed=seed) for seed in range(4)]
    spent, rows = 0.0, 0
    for number, start in enumerate(range(0, seconds, block)):
        batch = _batch(known[number % 4][: seconds - start], ids, start)
        began = time.perf_counter()
        historian.append(batch, f"{name}-{start}")
        spent += time.perf_counter() - began
        rows += len(batch)
    return rows, spent


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
            start = 40 * _DAY + number * steps
            batch = _batch(values, self._ids, start)
            self._historian.append(batch, f"live-{number}")
            self._stream.publish(batch.take(slice(-len(self._ids), None)))
            self.rows += len(batch)
            number += 1


def _burst(historian: ClickHouseHistorian, ids: NDArray[np.uint32], rows: int) -> float:
    """Rows a second that go in at full speed while the thread of roll-ups runs beside it."""
    block = _BLOCK_ROWS // len(ids)
    values = machine_values(len(ids), block)
    began, done, number = time.perf_counter(), 0, 0
    while done < rows:
        historian.append(_batch(values, ids, 60 * _DAY + number * block), f"burst-{number}")
        done, number = done + values.size, number + 1
    return done / (time.perf_counter() - began)


def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    with State(f"sqlite:///{folder}/state.db") as state:
        historian = ClickHouseHistorian(f"chdb://{folder}/history", CatalogueTraits(state.catalogue, 900.0))
        historian.open()
        _serve(what, state, historian)
        historian.close()


def _serve(what: Mapping[str, Any], state: State, historian: ClickHouseHistorian) -> None:
    kinds = [SignalKind.COUNTER if number % 10 == 0 else SignalKind.MEASURE for number in range(what["signals"])]
    born = [BornSignal(Signal(f"b/s/a/l/m-{n // 10}", f"v{n}", kind), "s/g", "d") for n, kind in enumerate(kinds)]
    ids = state.register(born)
    long = ids[: what["long"]]
    rows, spent = _fill(historian, long, what["days"] * _DAY, "long")
    others, more = (
        _fill(historian, ids[what["long"] :], what["others_seconds"], "others") if len(ids) > len(long) else (0, 0)
    )
    roller = Roller(historian.rollups, historian, historian.traits, RollerSettings(interval=5.0))
    began = time.perf_counter()
    roller.finish()
    rolled = time.perf_counter() - began
    raw, aggregates = historian.size_bytes(), historian.rollups.size_bytes()
    say(
        rows=rows + others,
        append_per_s=(rows + others) / (spent + more),
        roll_per_s=(rows + others) / rolled,
        raw_bytes=raw / (rows + others),
        rollup_bytes=aggregates / (rows + others),
        peak_mib=peak_mib(),
    )
    rolling = threading.Thread(target=roller.run)
    rolling.start()
    burst = _burst(historian, ids, what["burst"])
    stream = LiveStream()
    stream.seed(historian.latest())
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
    say(port=port, token=token, ids=ids.tolist(), start=START_US, burst_per_s=burst)
    for _ in words():
        seconds = time.monotonic() - live.began
        say(
            rate=live.rows / seconds,
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
