"""One story per seed, however it is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.helpers import DAY, HOUR, MONDAY, Run, demo, grid, run

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, DataError
from lineshaft.simulator.channels import channels_of
from lineshaft.simulator.factory import Factory

PLANT = demo()
START, END = MONDAY + 3 * HOUR, MONDAY + 7 * HOUR
WHOLE = run(Factory(PLANT, START), END)


def same(one: Any, other: Any, but_for: float = 0.0) -> bool:
    """Equal texts, or numbers equal up to `but_for` and rounding."""
    if one.dtype == object:
        return bool(np.array_equal(one, other))
    return bool(np.allclose(one, other, rtol=1e-9, atol=but_for + 1e-9))


def check_same(one: Run, other: Run) -> None:
    for channel in channels_of(PLANT):
        digit = channel.signal.scale if channel.integer_range else 10.0 ** -(channel.signal.decimals or 0)
        slack = 1.01 * digit if channel.signal.decimals else 0.0  # a last digit may round the other way
        assert same(one[channel.path], other[channel.path], slack), channel.path


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 1439), min_size=1, max_size=6, unique=True))
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    """However a period is cut into calls, the sensors show the same."""
    factory = Factory(PLANT, START)
    parts = np.split(grid(START, END), sorted(cuts))
    check_same(WHOLE, Run(factory.advance(part) for part in parts if len(part)))


def test_same_seed_same_story() -> None:
    """Two factories of the same plant, seed and begin are equal to the last digit."""
    again = run(Factory(PLANT, START), END)
    for channel in channels_of(PLANT):
        assert np.array_equal(WHOLE[channel.path], again[channel.path]), channel.path


def test_other_seed_other_story() -> None:
    """Another seed gives another factory."""
    assert PLANT.simulator is not None
    other = PLANT.model_copy(update={"simulator": PLANT.simulator.model_copy(update={"seed": 8})})
    path = "machining/line-1/cnc-101/power"
    assert not np.allclose(run(Factory(other, START), END)[path], WHOLE[path])


def test_goes_on_from_a_snapshot() -> None:
    """A factory that was saved as JSON and loaded again goes on as the one that was not."""
    middle = START + 2 * HOUR
    factory = Factory(PLANT, START)
    run(factory, middle)
    factory.faults.inject("cavitation", "utilities/cooling-water/pump-1", middle)
    saved = json.loads(json.dumps(factory.snapshot()))
    loaded = Factory.from_snapshot(PLANT, saved)
    one, other = run(factory, END), run(loaded, END)
    assert [fault.kind for fault in loaded.faults] == ["cavitation"]
    for channel in channels_of(PLANT):
        assert np.array_equal(one[channel.path], other[channel.path]), channel.path


def test_refuses_a_foreign_snapshot() -> None:
    """The state of another seed is refused, not mixed in."""
    with pytest.raises(DataError, match="another version or seed"):
        Factory.from_snapshot(PLANT, {"version": 1, "seed": 99})


def test_advance_to_fills_a_pause() -> None:
    """After a pause the models cover the whole time, every ten seconds and at its end."""
    factory = Factory(PLANT, START)
    frame = factory.advance_to(START + 65_500_000)
    assert len(frame.times) == 7
    assert frame.times[-1] == START + 65_500_000
    assert len(factory.advance_to(START + 66_500_000).times) == 1


def test_time_does_not_go_back() -> None:
    """Instants before the factory's own time are refused."""
    factory = Factory(PLANT, START)
    with pytest.raises(ValueError, match="ascend"):
        factory.advance(np.array([START], np.int64))


def test_unknown_signal_is_named(plant: Plant) -> None:
    """A plant that wants a signal which the factory has not is told which one."""
    device = plant.devices[0]
    odd = device.model_copy(update={"signals": (device.signals[0].model_copy(update={"name": "colour"}),)})
    factory = Factory(plant.model_copy(update={"devices": (odd,)}), START)
    with pytest.raises(ConfigError, match="colour"):
        factory.advance_to(START + 1_000_000)


def test_ports_that_do_not_fit_are_told(plant: Plant) -> None:
    """A plant whose devices are at none of the simulator's ports is refused with both numbers, before any start."""
    assert plant.simulator is not None
    odd = plant.simulator.model_copy(update={"modbus_port": 16_000})
    meters = tuple(device for device in plant.devices if device.id == "main-meter")
    with pytest.raises(ConfigError, match="nothing to serve") as told:
        Factory(plant.model_copy(update={"simulator": odd, "devices": meters}), START)
    assert "main-meter at port 15020 (simulator.modbus_port is 16000)" in told.value.hint


def test_a_part_of_the_plant_is_enough(plant: Plant) -> None:
    """A plant with one of the demo's devices runs, and that device shows what it shows in the whole plant."""
    small = plant.model_copy(update={"devices": tuple(d for d in plant.devices if d.id == "main-meter")})
    series = run(Factory(small, START), END)
    assert np.array_equal(series["utilities/metering/main-meter/power"], WHOLE["utilities/metering/main-meter/power"])
    assert len(small.devices) == 1
    assert series.times[-1] < MONDAY + DAY


def test_node_types_are_used(plant: Plant) -> None:
    """The demo's OPC UA nodes are of many types, so that drivers meet them."""
    assert {str(s.datatype) for d in plant.devices if d.driver == "opcua" for s in d.signals} >= {
        "Boolean", "Int32", "UInt16", "UInt32", "UInt64", "Float", "Double", "String",
    }  # fmt: skip
