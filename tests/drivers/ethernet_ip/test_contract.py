"""The driver contract over EtherNet/IP."""

from __future__ import annotations

import pytest

from lineshaft.drivers.ethernet_ip import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract

from .plc import EXPECTED, server


class TestEthernetIp(NetworkDriverContract):
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
