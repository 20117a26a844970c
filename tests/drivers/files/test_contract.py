"""The driver contract over a folder of files."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.drivers.files import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract

EXPECTED: tuple[tuple[object, float | str], ...] = (
    ("power", 1234.5),
    ("state", "RUNNING"),
    ("energy", "9007199254740993"),
    ({"item": "power", "file": "meter-*.csv"}, 1234.5),
    ("torque", 12.25),
)


class TestFiles(NetworkDriverContract):
    @pytest.fixture
    def setup(self, tmp_path: Path) -> DriverSetup:
        folder = tmp_path / "drop"

        async def start() -> None:
            folder.mkdir()
            now = time.time()
            (folder / "meter-1.csv").write_text(
                f"time,power,state,energy\n{now - 1},1,IDLE,7\n{now},1234.5,RUNNING,9007199254740993\n"
            )
            table = pa.table({"time": [now], "signal": ["torque"], "value": [12.25]})
            pq.write_table(table, folder / "bench.parquet")

        async def stop() -> None:
            shutil.rmtree(folder)

        return DriverSetup(
            spec=SPEC,
            start=start,
            stop=stop,
            connection=lambda: {"folder": str(folder)},
            expected=EXPECTED,
            bad_address="nothing",
        )
