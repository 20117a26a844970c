"""The driver contract over EtherNet/IP."""

from __future__ import annotations

import pytest

from lineshaft.drivers.ethernet_ip import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract, WritingDriverContract, WritingSetup

from .plc import EXPECTED, WRITING, server


class TestEthernetIp(NetworkDriverContract, WritingDriverContract):
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
            bad_address="Nothing.Here",
        )
