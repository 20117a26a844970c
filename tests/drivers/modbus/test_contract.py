"""The driver contract over Modbus TCP and over RTU frames on TCP."""

from __future__ import annotations

import pytest

from lineshaft.drivers.modbus import TCP
from lineshaft.testing import DriverSetup, NetworkDriverContract, WritingDriverContract, WritingSetup

from .bank import EXPECTED, WRITING, tables
from .device import FieldDevice


def _setup(framing: str) -> DriverSetup:
    device = FieldDevice(framing=framing, units={1: tables()})
    return DriverSetup(
        spec=TCP,
        start=device.start,
        stop=device.stop,
        connection=lambda: {"host": "127.0.0.1", "port": device.port, "framing": framing, "timeout": "2s"},
        expected=EXPECTED,
        bad_address="holding:900:float32",
    )


class TestModbusTcp(NetworkDriverContract, WritingDriverContract):
    @pytest.fixture
    def writing(self) -> WritingSetup:
        return WRITING

    @pytest.fixture
    def setup(self) -> DriverSetup:
        return _setup("tcp")


class TestRtuOverTcp(NetworkDriverContract, WritingDriverContract):
    @pytest.fixture
    def writing(self) -> WritingSetup:
        return WRITING

    @pytest.fixture
    def setup(self) -> DriverSetup:
        return _setup("rtu")
