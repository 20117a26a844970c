"""The hub's way of a value as a worker: real ingest, journal, historian, state and live view, without page and API.

Answers `figures` (rows, CPU, memory), `merge` (rows and bytes on disk after all merges), and ends with its input.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.chain.publisher import ENTERPRISE
from bench.process import options, peak_mib, say, thread_seconds, words
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.engine import Engine
from lineshaft.hub.ingest import BrokerLogin, Ingest, IngestSettings, IntakeSettings, intake
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream

STAGES: Final = ("decode", "journal", "insert", "ledger", "live")
THREADS: Final = {"ingest-mqtt": "receive", "ingest-intake": "take apart", "ingest-commit": "commit"}


class Stopwatch:
    """Wall and CPU seconds of the calling thread, by stage."""

    def __init__(self) -> None:
        self._wall: defaultdict[str, float] = defaultdict(float)
        self._cpu: defaultdict[str, float] = defaultdict(float)

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._wall[stage] += time.perf_counter() - wall
                self._cpu[stage] += time.thread_time() - cpu

        return timed

    def totals(self) -> Mapping[str, Mapping[str, float]]:
        """Seconds so far."""
        return {"wall": dict(self._wall), "cpu": dict(self._cpu)}


def _measured(watch: Stopwatch, ingest: Ingest, historian: ClickHouseHistorian, state: State, live: LiveStream) -> None:
    """Put the stopwatch around the stages. A stage is thousands of rows at a time, so that costs nothing."""
    intake.decode_rows = watch.wrap("decode", intake.decode_rows)  # type: ignore[attr-defined]
    journal: Any = ingest._journal
    for name, stage in (("append", "journal"), ("done", "journal")):
        setattr(journal, name, watch.wrap(stage, getattr(journal, name)))
    historian.append = watch.wrap("insert", historian.append)  # type: ignore[method-assign]
    state.ledger.arrived = watch.wrap("ledger", state.ledger.arrived)  # type: ignore[method-assign]
    live.publish = watch.wrap("live", live.publish)  # type: ignore[method-assign]


def _figures(ingest: Ingest, watch: Stopwatch) -> dict[str, Any]:
    found = ingest.figures()
    threads = {
        THREADS[thread.name]: thread_seconds(thread.ident) for thread in threading.enumerate() if thread.name in THREADS
    }
    return {
        "connected": found.connected,
        "rows": found.rows,
        "blocks": found.blocks,
        "lost": found.dropped_messages + found.dropped_foreign_rows + sum(found.rejected.values()),
        "gaps": found.sequence_gaps,
        "latency_p50": found.latency_p50,
        "latency_max": found.latency_max,
        "cpu": time.process_time(),
        "threads": threads,
        "stages": watch.totals(),
        "peak_mib": peak_mib(),
    }


def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    folder.mkdir(parents=True)
    dsn = f"chdb://{folder}/history"
    historian, live, watch = ClickHouseHistorian(dsn), LiveStream(), Stopwatch()
    historian.open()
    with State(f"sqlite:///{folder}/state.db") as state:
        settings = IngestSettings(
            folder / "journal",
            BrokerLogin("127.0.0.1", what["port"], what["user"], what["password"]),
            IntakeSettings(ENTERPRISE),
        )
        ingest = Ingest(settings, historian, state, state.ledger, state.events, live)
        ingest.recover()
        _measured(watch, ingest, historian, state, live)
        ingest.start()
        say()
        for line in words():
            match line.strip():
                case "figures":
                    say(**_figures(ingest, watch))
                case "merge":
                    engine = Engine(dsn)
                    engine.command("OPTIMIZE TABLE samples FINAL")
                    rows = int(engine.command("SELECT count() FROM samples"))
                    engine.close()
                    say(rows=rows, bytes=historian.size_bytes())
        ingest.stop()
    historian.close()


if __name__ == "__main__":
    _main(options())
