"""A real broker, a real historian, and the hub's other parts in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ingest import BrokerLogin, CommitLimits, Ingest, IngestFigures, IngestSettings, IntakeSettings

from ..memory import BrittleHistorian, MemoryCatalogue, MemoryEvents, MemoryLedger, MemoryLive
from ..mqtt import Mosquitto
from .edge import SITE, until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@dataclass
class Hub:
    """Ingest with everything around it."""

    folder: Path
    port: int
    historian: BrittleHistorian
    intake: IntakeSettings = field(
        default_factory=lambda: IntakeSettings("acme", reorder_timeout=1.5, rebirth_interval=1.0)
    )
    limits: CommitLimits = field(default_factory=CommitLimits)
    inbox_bytes: int = 64_000_000
    user: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        self.ledger = MemoryLedger()
        self.events = MemoryEvents()
        self.live = MemoryLive()

    def make(self) -> Ingest:
        settings = IngestSettings(
            self.folder,
            BrokerLogin.parse(f"mqtt://127.0.0.1:{self.port}", self.user, self.password),
            self.intake,
            inbox_bytes=self.inbox_bytes,
            limits=self.limits,
        )
        return Ingest(settings, self.historian, self.catalogue, self.ledger, self.events, self.live)

    def start(self) -> Hub:
        self.ingest = self.make()
        self.ingest.recover()
        self.ingest.start()
        until(lambda: self.figures.connected)
        return self

    def stop(self) -> None:
        self.ingest.stop()

    @property
    def figures(self) -> IngestFigures:
        return self.ingest.figures()

    def id(self, name: str) -> int:
        """Historian id of a signal by its path below the site."""
        return self.catalogue.ids[f"{SITE}/{name}"]

    def stored(self) -> int:
        return int(self.historian.counts().rows.sum())

    def wait_rows(self, rows: int, timeout: float = 10.0) -> None:
        until(lambda: self.figures.rows >= rows, timeout)
        assert self.figures.rows == rows


@pytest.fixture
def hub(tmp_path: Path, broker: Mosquitto) -> Iterator[Hub]:
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    store.open()
    hub = Hub(tmp_path / "ingest", broker.port, BrittleHistorian(store))
    hub.start()
    yield hub
    hub.historian.down = False
    hub.stop()
    store.close()
