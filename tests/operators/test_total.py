"""Figures over the hierarchy."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.operators.base import Asset
from lineshaft.operators.builtin import OPERATORS
from lineshaft.testing import OperatorContract, OperatorSetup, run_whole

LINE = "acme/north/hall/line-1"
SECOND = 1_000_000
START = 1_750_000_020 * SECOND  # a whole minute


def line() -> Asset:
    signals = [Signal(f"{LINE}/m-{number}", name) for number in (1, 2, 3) for name in ("power", "parts")]
    return Asset(Equipment(LINE, "Line 1", Level.LINE), tuple(signals))


def recording() -> SampleBatch:
    random = np.random.default_rng(1)
    times = np.sort(random.integers(0, 7200, 900)) * SECOND
    return SampleBatch.of(random.integers(0, 3, 900), START + times, np.round(random.uniform(1, 9, 900), 2))


class TestTotal(OperatorContract):
    @pytest.fixture
    def setup(self) -> OperatorSetup:
        options = {"name": "power-total", "signal": "power", "gap": "5min"}
        return OperatorSetup(OPERATORS["total"], options, line(), recording())


def results(options: dict[str, str], rows: list[tuple[int, float, float]], qualities: int = 192) -> SampleBatch:
    setup = OperatorSetup(OPERATORS["total"], options, line(), SampleBatch.empty())
    signals, seconds, values = zip(*rows, strict=True)
    batch = SampleBatch.of(signals, START + np.array(seconds) * SECOND, values, qualities)
    return run_whole(setup.operator(), [batch]).samples


def test_a_sum_counts_what_was_known_before_each_tick() -> None:
    """A value at the tick itself belongs to the next one; a machine that was never heard makes the sum uncertain."""
    found = results({"name": "x", "signal": "power"}, [(0, 10, 1.0), (1, 20, 2.0), (2, 60, 4.0), (0, 130, 0.0)])
    assert found.times.tolist() == [START + 60 * SECOND, START + 120 * SECOND]
    assert found.values.tolist() == [3.0, 7.0]
    assert found.qualities.tolist() == [Quality.UNCERTAIN_ESTIMATED, Quality.GOOD]


def test_a_ratio_to_production() -> None:
    """Power by parts; without any part there is no number."""
    options = {"name": "x", "signal": "power", "per": "parts"}
    found = results(
        options, [(0, 1, 6.0), (1, 2, 4.0), (2, 3, 2.0), (3, 4, 1.0), (4, 5, 2.0), (5, 6, 3.0), (0, 70, 0.0)]
    )
    assert found.values.tolist() == [2.0]
    assert np.isnan(results(options, [(0, 1, 6.0), (3, 2, 0.0), (0, 70, 0.0)]).values).all()


def test_silence_is_told_once() -> None:
    """After the gap one bad value is made, and nothing more until a row comes."""
    found = results({"name": "x", "signal": "power", "gap": "1min"}, [(0, 10, 1.0), (0, 3610, 2.0), (0, 3670, 2.0)])
    assert np.isnan(found.values).tolist() == [False, True, True, False]
    assert found.times[2] == START + 3600 * SECOND
