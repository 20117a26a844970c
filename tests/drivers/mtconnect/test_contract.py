"""The driver contract over MTConnect."""

from __future__ import annotations

import pytest

from lineshaft.drivers.mtconnect import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract

from .machine import Cnc

EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("avail", "AVAILABLE"),
    ("Xpos", -12.625),
    ("Xload", 41.5),
    ("Sspeed", 8000.0),
    ("Svib", 1.0),
    ("Scond", "NORMAL"),
    ("system", "FAULT|E\\|7|2|LOW|Öl <low> | 5"),
    ("execution", "ACTIVE"),
    ("pcount", "9007199254740993"),
    ("Fovr", 100.0),
    ("message", "M7|Change tool 7"),
    ("vars", '{"#500": "1.5", "#501": "a<b"}'),
)


class TestMtconnect(NetworkDriverContract):
    @pytest.fixture
    def setup(self) -> DriverSetup:
        cnc = Cnc()
        return DriverSetup(
            spec=SPEC,
            start=cnc.start,
            stop=cnc.stop,
            connection=lambda: {"url": cnc.agent.url, "timeout": "2s"},
            expected=EXPECTED,
            bad_address="nothing-here",
        )
