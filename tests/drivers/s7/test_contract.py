"""The driver contract over S7."""

from __future__ import annotations

import pytest

from lineshaft.drivers.s7 import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract, WritingDriverContract, WritingSetup

from .plc import EXPECTED, WRITING, server


class TestS7(NetworkDriverContract, WritingDriverContract):
    @pytest.fixture
    def writing(self) -> WritingSetup:
        return WRITING

    @pytest.fixture
    def setup(self) -> DriverSetup:
        plc = server()
        return DriverSetup(
            spec=SPEC,
            start=plc.start,
            stop=plc.stop,
            connection=lambda: {"host": "127.0.0.1", "port": plc.port, "timeout": "2s"},
            expected=EXPECTED,
            bad_address="DB99.DBD0:real",
        )
