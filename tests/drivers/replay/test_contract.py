"""The replay driver keeps the promises of every driver."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lineshaft.drivers.replay import SPEC
from lineshaft.testing import DriverContract, DriverSetup

VALUES = {"load": "12.5", "count": "-7", "execution": "ACTIVE", "program": "O1234.NC"}


class TestReplay(DriverContract):
    """Runs the suite on a recording that was made now."""

    @pytest.fixture
    def setup(self, tmp_path: Path) -> DriverSetup:
        path = tmp_path / "recording.txt"

        async def start() -> None:
            now = datetime.now(UTC).isoformat()
            path.write_text("".join(f"{now}|{item}|{value}\n" for item, value in VALUES.items()))

        async def stop() -> None:
            path.unlink()

        expected = (("load", 12.5), ("count", -7.0), ("execution", "ACTIVE"), ("program", "O1234.NC"))
        return DriverSetup(SPEC, start, stop, lambda: {"path": str(path)}, expected, bad_address="nothing")
