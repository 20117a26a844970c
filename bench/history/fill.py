"""A month of history as a worker: written and rolled up by the virtual clock, then copied under other names.

The first signals go the real way: appended block by block, rolled up by the thread that the hub has. The others are the
same rows under other ids, copied by the engine, since 2.6 billion rows would take more than an hour through one
process; each signal is compressed by itself, so that a copy takes the space of an original. Answers once.
"""

# ruff: noqa: S608 - only integers and fixed names are put into the text

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.dataset import START_US, machine_values
from bench.process import options, say
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.hub.traits import CatalogueTraits
from lineshaft.model.equipment import Datatype, Signal, SignalKind
from lineshaft.model.samples import Quality, SampleBatch

SECOND: Final = 1_000_000
DAY: Final = 86_400
BLOCK_ROWS: Final = 400_000
GAP: Final = 900.0
_TABLES: Final = ("samples", "rollup_minute", "rollup_hour", "rollup_day")


def batch_of(values: NDArray[np.float64], ids: NDArray[np.uint32], start: int) -> SampleBatch:
    """float64[seconds, signals] from the second `start` of the month on."""
    seconds, signals = values.shape
    times = START_US + (start + np.arange(seconds, dtype=np.int64)) * SECOND
    return SampleBatch(
        np.tile(ids[:signals], seconds),
        np.repeat(times, signals),
        values.ravel(),
        np.full(values.size, Quality.GOOD, np.uint8),
    )


def opened(folder: Path, state: State) -> ClickHouseHistorian:
    """The historian in the folder."""
    historian = ClickHouseHistorian(f"chdb://{folder}/history", CatalogueTraits(state.catalogue, GAP))
    historian.open()
    return historian


def register(state: State, signals: int) -> NDArray[np.uint32]:
    """Ids of so many signals, every tenth a counter."""
    kinds = [SignalKind.COUNTER if number % 10 == 0 else SignalKind.MEASURE for number in range(signals)]
    born = [BornSignal(Signal(f"b/s/a/l/m-{n // 10}", f"v{n}", kind), "s/g", "d") for n, kind in enumerate(kinds)]
    ids: NDArray[np.uint32] = state.register(born)
    return ids


def register_state(state: State) -> int:
    """Id of a machine's state, which is told each second."""
    return int(
        state.register(
            [BornSignal(Signal("b/s/a/l/m-0", "state", SignalKind.STATE, datatype=Datatype.STRING), "s/g", "d")]
        )[0]
    )


def append_states(historian: ClickHouseHistorian, number: int, days: int) -> None:
    """A state each second, another one every three minutes."""
    random = np.random.default_rng(4)
    names = np.array(["RUN", "IDLE", "STOP", "SETUP"], object)
    for day in range(days):
        times = START_US + (day * DAY + np.arange(DAY, dtype=np.int64)) * SECOND
        texts = names[np.cumsum(random.random(DAY) < 1 / 180) % len(names)]
        historian.append(SampleBatch.of(np.full(DAY, number), times, np.nan, Quality.GOOD, texts.tolist()), f"s{day}")


def append(historian: ClickHouseHistorian, ids: NDArray[np.uint32], seconds: int, name: str) -> tuple[int, float]:
    """All of `ids` each second; gives rows and the seconds that appending took."""
    block = max(1, BLOCK_ROWS // len(ids))
    known = [machine_values(len(ids), block, seed=seed) for seed in range(4)]
    spent, rows = 0.0, 0
    for number, start in enumerate(range(0, seconds, block)):
        batch = batch_of(known[number % 4][: seconds - start], ids, start)
        began = time.perf_counter()
        historian.append(batch, f"{name}-{start}")
        spent += time.perf_counter() - began
        rows += len(batch)
    return rows, spent


def copy(historian: ClickHouseHistorian, ids: NDArray[np.uint32], originals: int) -> int:
    """Rows and roll-ups of the first `originals` under all other ids; gives the rows."""
    engine, rows = historian._engine, 0
    for table in _TABLES:  # tables of their own have no views that would note each copied row
        engine.command(f"CREATE TABLE {table}_copy AS {table}")
        columns = engine.command(
            "SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns"
            f" WHERE database = currentDatabase() AND table = '{table}' AND name != 'signal'"
        )
        for start in range(originals, len(ids), originals):
            shift = int(ids[start]) - int(ids[0])
            final = "" if table == "samples" else " FINAL"
            engine.command(
                f"INSERT INTO {table}_copy (signal, {columns}) SELECT signal + {shift}, {columns} FROM {table}{final}"
                f" WHERE signal <= {int(ids[min(len(ids) - start, originals) - 1])}"
                " SETTINGS max_threads = 2, max_insert_threads = 1, min_insert_block_size_rows = 8000000,"
                " min_insert_block_size_bytes = 0, max_insert_block_size = 8000000"
            )
    for table in _TABLES:
        if table == "samples":
            rows = int(engine.command("SELECT count() FROM samples_copy"))
        months = engine.arrow(f"SELECT DISTINCT partition FROM system.parts WHERE table = '{table}_copy' AND active")
        for month in months.column("partition").to_pylist():
            engine.command(f"ALTER TABLE {table} ATTACH PARTITION {month} FROM {table}_copy")
        engine.command(f"DROP TABLE {table}_copy SYNC")
    engine.command(
        "INSERT INTO latest SELECT signal, time, value, quality, text, is_text FROM samples"
        " ORDER BY signal DESC, time DESC LIMIT 1 BY signal SETTINGS optimize_read_in_order = 1"
    )
    return rows


def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    with State(f"sqlite:///{folder}/state.db") as state:
        historian = opened(folder, state)
        ids, originals = register(state, what["signals"]), what["originals"]
        rows, spent = append(historian, ids[:originals], what["days"] * DAY, "long")
        roller = Roller(historian.rollups, historian, historian.traits, RollerSettings())
        began = time.perf_counter()
        roller.finish()
        rolled = time.perf_counter() - began
        began = time.perf_counter()
        copied = copy(historian, ids[: what["long"]], originals) if what["long"] > originals else 0
        copying = time.perf_counter() - began
        others, more = 0, 0.0
        if what["long"] < len(ids):
            others, more = append(historian, ids[what["long"] :], what["others_seconds"], "others")
            roller.finish()
        raw_bytes, rollup_bytes = historian.size_bytes(), historian.rollups.size_bytes()
        append_states(historian, register_state(state), what["days"])
        roller.finish()
        say(
            rows=rows + copied + others,
            append_per_s=(rows + others) / (spent + more),
            roll_per_s=rows / rolled,
            copied=copied,
            copy_seconds=copying,
            raw_bytes=raw_bytes / (rows + copied + others),
            rollup_bytes=rollup_bytes / (rows + copied + others),
        )
        historian.close()


if __name__ == "__main__":
    _main(options())
