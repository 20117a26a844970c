"""The rule operator."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset
from lineshaft.operators.builtin import OPERATORS
from lineshaft.testing import OperatorContract, OperatorSetup, run_whole

PATH = "acme/north/hall/line-1/pump-1"
START = 1_750_000_000_000_000
SECOND = 1_000_000


def asset() -> Asset:
    return Asset(
        Equipment(PATH, "Pump 1", Level.ASSET, "pump"),
        (Signal(PATH, "pressure", unit="bar"), Signal(f"{PATH}/motor", "power", unit="kW")),
    )


def recording() -> SampleBatch:
    seconds = np.arange(600)
    pressure = 7 + 2 * np.sin(seconds / 30)
    power = 5 + 4 * np.sin(seconds / 47)
    return SampleBatch.of(
        np.tile([0, 1], 600), START + np.repeat(seconds, 2) * SECOND, np.stack([pressure, power], axis=1).ravel()
    )


OPTIONS = {
    "id": "high-pressure",
    "inputs": {"pressure": "pressure", "power": "motor/power"},
    "when": "pressure > 8 and power > 3",
    "until": "pressure < 7.5",
    "delay": "5s",
    "message": "The pressure is too high",
}


class TestRule(OperatorContract):
    @pytest.fixture
    def setup(self) -> OperatorSetup:
        return OperatorSetup(OPERATORS["rule"], OPTIONS, asset(), recording())


def test_a_rule_begins_after_its_delay_and_ends() -> None:
    """The condition holds from second 16 on and ends when the pressure has fallen below the limit of `until`."""
    setup = OperatorSetup(OPERATORS["rule"], OPTIONS, asset(), recording())
    first, second = run_whole(setup.operator(), [setup.recording]).events[:2]
    assert (first.kind, first.subject, first.time) == ("rule.high-pressure.raised", PATH, START + 21 * SECOND)
    assert (second.kind, second.time) == ("rule.high-pressure.ended", START + 87 * SECOND)
