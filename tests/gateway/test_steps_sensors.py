"""Sensor checks and state mapping: quality is lowered where it should be, and no row is lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.gateway.test_steps import T0, table

from lineshaft.config.units import factor
from lineshaft.gateway.steps.base import Drift, SignalSteps, SignalTable, Stuck, Swapped
from lineshaft.gateway.steps.mapping import StateMap
from lineshaft.gateway.steps.sensors import (
    DriftingSensor,
    MaxRate,
    SensorCheck,
    SkewedClock,
    Spike,
    StuckSensor,
    SwappedUnit,
)
from lineshaft.model.samples import Quality, SampleBatch

S = 1_000_000
SENSOR = Quality.UNCERTAIN_SENSOR


def with_steps(n: int = 3, **more: Any) -> SignalTable:
    plain = table(n)
    steps = SignalSteps(**more)
    return SignalTable(**{name: getattr(plain, name) for name in plain.__slots__ if name != "more"}, more={0: steps})


def marks(check: SensorCheck, times: Any, values: Any, qualities: Any = 192) -> list[bool]:
    """Which rows of signal 0 were lowered: given in one batch, and the same row by row."""
    batch = SampleBatch.of(np.zeros(len(values)), T0 + (np.asarray(times) * S).astype(np.int64), values, qualities)
    out = check.update(batch)
    assert len(out) == len(batch)
    np.testing.assert_array_equal(out.values, batch.values)
    return (out.qualities == SENSOR).tolist()


def both_ways(make: Any, times: list[float], values: list[float], qualities: Any = 192) -> list[bool]:
    whole, single = make(), make()
    wanted = marks(whole, times, values, qualities)
    quality = np.broadcast_to(qualities, len(values)).tolist()
    by_row = [marks(single, [t], [v], [q])[0] for t, v, q in zip(times, values, quality, strict=True)]
    assert by_row == wanted
    assert whole.count.changed == sum(wanted) == whole.count.changed_of[0]
    assert whole.count.dropped == 0
    return wanted


def test_a_change_that_is_too_fast_is_uncertain() -> None:
    """2 units a second at most: a jump of 5 in a second is marked, of 5 in ten seconds is not."""
    found = both_ways(lambda: MaxRate(with_steps(max_rate=2.0)), [0, 1, 2, 12, 13], [0, 2, 7, 12, 12])
    assert found == [False, False, True, False, False]


def test_rows_without_a_value_are_no_base_for_a_rate() -> None:
    """Bad rows, NaN and repeated times are neither judged nor remembered."""
    values = [0.0, 99.0, math.nan, 50.0, 1.0]
    found = both_ways(lambda: MaxRate(with_steps(max_rate=2.0)), [0, 1, 2, 0, 3], values, [192, 0, 192, 192, 192])
    assert found == [False] * 5


def test_one_spike_is_marked_and_a_step_is_believed() -> None:
    """A single far value is uncertain; a value that stays there is believed after two."""
    values = [1, 1.1, 0.9, 1, 9, 1.1, 1, 1, 1, 5, 5, 5, 5.1]
    found = both_ways(lambda: Spike(with_steps(spike=2.0)), list(range(13)), values)
    assert [i for i, mark in enumerate(found) if mark] == [4, 9, 10]


def test_a_sensor_that_stands_still_is_stuck() -> None:
    """Longer than the limit within the tolerance is uncertain; the first real change is good again."""
    values = [1.0, 1.01, 1.0, 1.0, 1.0, 1.5]
    found = both_ways(lambda: StuckSensor(with_steps(stuck=Stuck(20.0, 0.05))), [0, 10, 20, 30, 40, 50], values)
    assert found == [False, False, False, True, True, False]


def test_a_slow_walk_is_not_stuck() -> None:
    """Changes that are each below the tolerance add up to a movement."""
    values = [0.03 * i for i in range(20)]
    found = both_ways(lambda: StuckSensor(with_steps(stuck=Stuck(30.0, 0.05))), [10.0 * i for i in range(20)], values)
    assert not any(found)


def test_a_sensor_need_not_move_while_its_machine_rests() -> None:
    """The time counts only while the other signal says that it should move."""
    check = StuckSensor(with_steps(stuck=Stuck(20.0, 0.0, running=1, above=100.0)))
    found = []
    for second, speed in [(0, 0), (60, 0), (70, 500), (80, 500), (90, 500), (100, 500), (110, 50)]:
        out = check.update(SampleBatch.of([1, 0], T0 + second * S, [speed, 7.0]))
        found.append(bool(out.qualities[1] == SENSOR))
    assert found == [False, False, False, False, True, True, False]


def test_drift_from_a_reference() -> None:
    """One noisy value is no drift; a difference that stays is."""
    check = DriftingSensor(with_steps(drift=Drift(60.0, reference=1, tolerance=1.0)))
    found = []
    for second in range(600):
        own = 20.0 + (5.0 if second == 200 else 0.0) + (0.02 * (second - 300) if second > 300 else 0.0)
        out = check.update(SampleBatch.of([1, 0], T0 + second * S, [20.0, own]))
        found.append(bool(out.qualities[1] == SENSOR))
    assert not any(found[:350])
    assert 390 <= found.index(True) <= 430  # 1 unit is passed at 350 s, and the average lags by 60 s
    assert all(found[430:])


def test_drift_by_its_own_slope() -> None:
    """A slope above the limit is seen when the smoothing has settled, one below it never."""

    def slope(per_hour: float) -> list[bool]:
        times = [float(i) for i in range(0, 7200, 30)]
        make = DriftingSensor(with_steps(drift=Drift(600.0, trend=10.0)))
        return marks(make, times, [per_hour / 3600 * t for t in times])

    assert not any(slope(9.5))
    assert slope(11.0)[-1]
    assert slope(-11.0)[-1]


def test_a_value_in_another_unit_is_uncertain_and_a_hot_machine_is_not() -> None:
    """21 degC that become 70 are Fahrenheit; a value that climbs to 70 by itself is hot."""
    rule = Swapped(15.0, 30.0, (factor("degF", "degC"), factor("K", "degC")))
    found = both_ways(
        lambda: SwappedUnit(with_steps(swapped=rule)), list(range(6)), [21.0, 69.9, 70.1, 294.2, 21.1, 45.0]
    )
    assert found == [False, True, True, True, False, False]
    climbing = [21.0 + i for i in range(60)]
    assert not any(marks(SwappedUnit(with_steps(swapped=rule)), list(range(60)), climbing))


def test_a_clock_that_is_ahead_or_stays_behind() -> None:
    """Ahead is marked at once, behind when ten rows on end are; a single late row is only late."""
    check = SkewedClock(with_steps(clock_skew=5 * S))
    now = T0 + 10_000 * S

    def one(skew: float) -> bool:
        out = check.update(SampleBatch.of([0, 1], now + int(skew * S), [1.0, 1.0]), now)
        assert out.qualities[1] == Quality.GOOD
        return bool(out.qualities[0] == Quality.UNCERTAIN_CLOCK)

    assert [one(skew) for skew in (0, 4, 6, -4, -60, 0)] == [False, False, True, False, False, False]
    assert [one(-60) for _ in range(12)] == [False] * 9 + [True] * 3
    assert not one(0)
    replayed = SampleBatch.of([0], T0, [1.0])
    assert check.update(replayed, None) is replayed


@pytest.mark.parametrize(
    ("mapping", "wanted"),
    [
        ({"0": "off", "2": "running", "ACTIVE": "running"}, ["off", "running", "running", None, None]),
        ({"0": 10.0, "2": 12.0, "ACTIVE": 12.0}, [10.0, 12.0, 12.0, 7.0, None]),
    ],
)
def test_raw_values_become_those_of_the_plant(mapping: dict[str, Any], wanted: list[Any]) -> None:
    """Numbers and words are looked up; what is not listed stays and is uncertain; no value stays no value."""
    step = StateMap(with_steps(mapping=mapping))
    texts = [None, None, "ACTIVE", None, None]
    batch = SampleBatch.of(np.zeros(5), T0 + np.arange(5), [0, 2, math.nan, 7, math.nan], [192] * 4 + [3], texts)
    out = step.update(batch)
    assert out.texts is not None
    number = [None if math.isnan(v) else v for v in out.values.tolist()]
    got = [v if x is None else x for v, x in zip(number, out.texts.tolist(), strict=True)]
    assert got == [*wanted[:3], 7.0, None]
    assert out.qualities.tolist() == [192, 192, 192, Quality.UNCERTAIN, 3]
    others = SampleBatch.of([1, 2], T0, [0.0, 2.0])
    assert step.update(others) is others
