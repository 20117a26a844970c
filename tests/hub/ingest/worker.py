"""A process that does nothing but ingest, for tests that kill it: python -m hub.ingest.worker FOLDER PORT."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ingest import BrokerLogin, Ingest, IngestSettings, IntakeSettings

from ..memory import MemoryCatalogue, MemoryEvents, MemoryLedger, MemoryLive


def main(folder: Path, port: int) -> None:
    historian = ClickHouseHistorian(f"chdb://{folder}/history")
    historian.open()
    settings = IngestSettings(
        folder / "ingest",
        BrokerLogin.parse(f"mqtt://127.0.0.1:{port}"),
        IntakeSettings("acme", rebirth_interval=0.3),
    )
    ingest = Ingest(settings, historian, MemoryCatalogue(), MemoryLedger(), MemoryEvents(), MemoryLive())
    ingest.recover()
    ingest.start()
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end.wait()
    ingest.stop()
    historian.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
