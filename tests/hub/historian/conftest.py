"""A real in-process historian in a fresh folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian


@pytest.fixture
def historian(tmp_path: Path) -> Iterator[ClickHouseHistorian]:
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    store.open()
    yield store
    store.close()
