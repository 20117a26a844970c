"""The state of the hub as one thing: opens the database, fills the repositories, saves counters each second."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import structlog

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import BornSignal, SourceState
from lineshaft.hub.state.accounts import Accounts
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.hub.state.configurations import SqlConfigurations
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.events import SqlEventStore
from lineshaft.hub.state.ledger import SqlLedger
from lineshaft.hub.state.models import SqlModels
from lineshaft.hub.state.operators import OperatorStates
from lineshaft.hub.state.outcomes import SqlOutcomes
from lineshaft.hub.state.predictions import SqlPredictions
from lineshaft.hub.state.scoreboard import Scoreboard
from lineshaft.hub.state.screens import Screens
from lineshaft.hub.state.sources import SqlSources
from lineshaft.hub.state.views import SqlViews
from lineshaft.hub.state.writes import SqlWrites
from lineshaft.model.equipment import Equipment
from lineshaft.model.samples import UInt32Array

log = structlog.get_logger(__name__)

SAVE_INTERVAL = 1.0  # seconds


class State:
    """All repositories over one database. Use it as a context manager; itself it implements ports.Catalogue."""

    def __init__(self, dsn: str) -> None:
        self.database = Database(dsn)
        self.accounts = Accounts(self.database)
        self.screens = Screens(self.database)
        self.catalogue = SqlCatalogue(self.database)
        self.sources = SqlSources(self.database)
        self.events = SqlEventStore(self.database)
        self.views = SqlViews(self.database)
        self.writes = SqlWrites(self.database)
        self.operators = OperatorStates(self.database)
        self.predictions = SqlPredictions(self.database)
        self.outcomes = SqlOutcomes(self.database)
        self.scoreboard = Scoreboard(self.database, self.predictions, self.outcomes)
        self.models = SqlModels(self.database)
        self.ledger = SqlLedger(self.database, self.catalogue)
        self.configurations = SqlConfigurations(self.database)
        self._closing = threading.Event()
        self._saver = threading.Thread(target=self._save_each_second, name="state-saver", daemon=True)

    def __enter__(self) -> State:
        self.database.open()
        self.catalogue.load()
        self.sources.load()
        self.ledger.open()
        self._saver.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._saver.join()
        try:
            self.sources.flush()
            self.ledger.close()
        finally:
            self.database.close()

    def register(self, born: Sequence[BornSignal]) -> UInt32Array:
        """See ports.Catalogue."""
        return self.catalogue.register(born)

    def register_equipment(self, nodes: Sequence[Equipment]) -> None:
        """See ports.Catalogue."""
        self.catalogue.register_equipment(nodes)

    def source(
        self, node: str, device: str, state: SourceState, time: int, details: Mapping[str, Any] | None = None
    ) -> None:
        """See ports.Catalogue."""
        self.sources.put(node, device, state, time, details)

    def _save_each_second(self) -> None:
        failing = False
        while not self._closing.wait(SAVE_INTERVAL):
            try:
                self.sources.flush()
                self.ledger.flush()
            except StoreUnavailable as error:
                if not failing:
                    log.error("state.not_saved", error=str(error))
                failing = True
            else:
                if failing:
                    log.info("state.saved_again")
                failing = False
