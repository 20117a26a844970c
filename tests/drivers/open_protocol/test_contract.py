"""The driver contract over Open Protocol."""

from __future__ import annotations

import time

import pytest

from lineshaft.drivers.open_protocol import SPEC
from lineshaft.simulator.servers.open_protocol import TorqueController
from lineshaft.simulator.servers.tightening import Limits, Tightening
from lineshaft.testing import DriverSetup, NetworkDriverContract

EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("torque", 8.47),
    ("angle", 415.0),
    ("status", 1),
    ("torque-status", 1),
    ("angle-status", 1),
    ("tightening-id", 4_000_000_007.0),
    ("vin", "00012345"),
    ("parameter-set", 12),
    ("batch-counter", 3),
    ("tool-serial", "C0761275"),
    ("errors", 0),
    ("controller", "screw-302"),
    ("controller-serial", "0000000042"),
)


class TestOpenProtocol(NetworkDriverContract):
    @pytest.fixture
    def setup(self) -> DriverSetup:
        controller = TorqueController(newest={65: 6}, first_id=4_000_000_007, clients=2)
        one = Tightening(
            time.time_ns() // 1000, 8.47, 415.0, Limits(number=12), vin="00012345", batch_counter=3, batch_size=4
        )
        controller.add([one])
        return DriverSetup(
            spec=SPEC,
            start=controller.start,
            stop=controller.stop,
            connection=lambda: {"host": "127.0.0.1", "port": controller.port, "timezone": "UTC", "timeout": "1s"},
            expected=EXPECTED,
            bad_address="station-name",
        )
