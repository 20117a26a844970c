"""From a checked plant to the gateway's tables."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel
from tests.gateway.helpers import plan_of, plant

from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.plan import NEVER, address_words, buffer_key, make_plan, with_retired
from lineshaft.gateway.steps.base import Drift, SignalTable, Stuck, Swapped
from lineshaft.gateway.steps.computed import Aggregate, CounterRate
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.wire import names
from lineshaft.wire.sparkplug import SparkplugType


def test_handles_aliases_and_groups() -> None:
    """Handles count through the devices, aliases are unique over the node and begin where rows have one length."""
    plan = plan_of({"press": ["force", {"name": "heat", "poll": "10s"}], "pump": ["flow"]}, poll="1s")
    assert [item.signal.path for item in plan.signals] == [
        "acme/north/hall/press/force",
        "acme/north/hall/press/heat",
        "acme/north/hall/pump/flow",
    ]
    assert [device.first for device in plan.devices] == [0, 2]
    assert [point.handle for device in plan.devices for point in device.points] == [0, 1, 2]
    assert [(seconds, len(points)) for seconds, points in plan.devices[0].groups] == [(1.0, 1), (10.0, 1)]
    aliases = [plan.batch_alias, *(d.batch_alias for d in plan.devices), *(s.alias for s in plan.signals)]
    assert len(set(aliases)) == len(aliases) == 6
    assert min(aliases) == names.FIRST_ALIAS
    assert plan.signals[0].metric == "hall/press/force"
    assert [node.path for node in plan.equipment][-1] == "acme/north/hall/pump"


def test_a_signals_own_keys_win_over_the_pipeline() -> None:
    """Deadbands come from the signal, else from the pipeline for measures only; percent is of the range."""
    signals = [
        "plain",
        {"name": "own", "deadband": 0.5, "heartbeat": "5s"},
        {"name": "percent", "deadband_percent": 1.0, "range": [0, 200]},
        {"name": "count", "kind": "counter"},
        {"name": "fired", "kind": "event"},
    ]
    table = plan_of({"press": signals}, pipeline={"deadband": 0.1}).table
    np.testing.assert_allclose(table.deadband, [0.1, 0.5, 2.0, 0.0, 0.0])
    assert table.heartbeat.tolist() == [60_000_000, 5_000_000, 60_000_000, 60_000_000, 60_000_000]
    assert table.report_all.tolist() == [False, False, False, False, True]
    silent = plan_of({"press": ["plain"]}, pipeline={"heartbeat": None}).table
    assert silent.heartbeat.tolist() == [NEVER]


def test_types_on_the_wire() -> None:
    """Narrow integers travel as 32 bit, a scaled integer as Double, digits only where 64 bit need them."""
    signals = [
        {"name": "a", "datatype": "Int16"},
        {"name": "b", "datatype": "UInt16", "scale": 0.1},
        {"name": "c", "datatype": "UInt64"},
        {"name": "d", "datatype": "String"},
        {"name": "e"},
    ]
    plan = plan_of({"press": signals})
    types = [item.wire_type for item in plan.signals]
    assert types == [
        SparkplugType.INT32, SparkplugType.DOUBLE, SparkplugType.UINT64, SparkplugType.STRING, SparkplugType.DOUBLE
    ]  # fmt: skip
    assert plan.table.texts.tolist() == [0, 0, SignalTable.DIGITS, SignalTable.TEXT, 0]


def test_retired_signals_come_behind_all_others() -> None:
    """Known signals keep their handles; a lost signal and a lost device are announced again without being read."""
    plan = plan_of({"press": ["force"]})
    known = buffer_key(plan.signals[0])
    lost = SignalKey("press", "acme/north/hall/press", "stroke", "measure", "Double", "mm")
    gone = SignalKey("old", "acme/north/hall/old", "speed", "counter", "Int64")
    more = with_retired(plan, [known, lost, gone])
    assert [item.signal.name for item in more.signals] == ["force", "stroke", "speed"]
    assert more.signals[0] == plan.signals[0]
    assert (more.devices[-1].id, more.devices[-1].enabled, more.devices[-1].points) == ("old", False, ())
    aliases = [more.batch_alias, *(d.batch_alias for d in more.devices), *(s.alias for s in more.signals)]
    assert len(set(aliases)) == len(aliases)
    assert len(more.table) == 3
    assert with_retired(plan, [known]).signals == plan.signals


def test_signals_may_be_resolved_by_the_caller() -> None:
    """A function may bring the signals of a profile."""
    checked = plant({"press": ["force", "stroke"]})
    plan = make_plan(checked, lambda device: device.signals[1:])
    assert [item.signal.name for item in plan.signals] == ["stroke"]


def test_an_address_is_told_in_words() -> None:
    """One option stands alone, several with their names, and an address's own words win."""

    class Register(BaseModel):
        number: int
        unit: int = 1

    assert address_words(Register(number=5)) == "5"
    assert address_words(Register(number=5, unit=3)) == "number 5, unit 3"
    assert address_words("ns=2;s=a") == "ns=2;s=a"


def test_units_are_converted_by_one_factor() -> None:
    """`source_unit` and `scale` become one scale and one offset; range and deadband are in the signal's unit."""
    signals = [
        {"name": "heat", "datatype": "Int16", "scale": 0.1, "source_unit": "degF", "unit": "degC", "range": [0, 100]},
        {"name": "flow", "source_unit": "L/min", "unit": "m3/h"},
    ]
    plan = plan_of({"press": signals})
    pipeline = Pipeline(plan.table)
    out = pipeline.update(SampleBatch.of([0, 1], 10**15, [770.0, 100.0]))
    np.testing.assert_allclose(out.values, [25.0, 6.0])
    assert plan.signals[0].signal.datatype is Datatype.DOUBLE


def test_steps_of_signals_come_from_the_plant() -> None:
    """Every key of a step reaches the table; a signal's own key wins; paths become handles."""
    signals = [
        {"name": "a", "deadband": 0.5, "max_rate": 3.0, "spike": 4.0, "clock_skew": "2s"},
        {"name": "b", "stuck": {"after": "5min", "running": "hall/press/a", "above": 7.0}},
        {"name": "c", "drift": {"over": "2h", "reference": "hall/press/a", "tolerance": 1.5, "trend": 2.0}},
        {
            "name": "d",
            "unit": "degC",
            "swapped": {"normal": [10, 30], "units": ["K"]},
            "compress": "deadband",
            "deadband": 1,
        },
        {"name": "e", "map": {"0": "off", "1": "on"}, "kind": "state"},
        {"name": "f", "map": {"RUN": 1, "0": 0}, "kind": "state"},
    ]
    plan = plan_of({"press": signals}, pipeline={"compress": "swinging-door", "clock_skew": "1min"})
    more = plan.table.more
    assert (more[0].max_rate, more[0].spike, more[0].clock_skew, more[0].door) == (3.0, 4.0, 2_000_000, True)
    assert more[1].stuck == Stuck(300.0, 0.0, 0, 7.0)
    assert (more[1].door, more[1].clock_skew) == (False, 60_000_000)
    assert more[2].drift == Drift(7200.0, 0, 1.5, 2.0)
    assert more[3].swapped == Swapped(10.0, 30.0, ((1.0, -273.15),))
    assert more[3].door is False
    assert [item.signal.datatype for item in plan.signals[4:]] == [Datatype.STRING, Datatype.DOUBLE]
    assert [point.datatype for point in plan.devices[0].points[4:]] == [Datatype.DOUBLE, Datatype.STRING]
    assert plan_of({"press": ["plain"]}).table.more == {}


def test_computed_signals_have_a_device_of_their_own() -> None:
    """Rates and intervals find their signals; a retired signal comes behind the computed ones, which stay enabled."""
    derived = [
        {"name": "rate", "asset": "hall/press", "rate": {"of": "hall/press/count", "per": "h", "rollover": 65536}},
        {
            "name": "mean",
            "asset": "hall/press",
            "aggregate": {"of": "hall/press/rate", "interval": "1min", "grace": "5s"},
        },
    ]
    plan = plan_of({"press": ["count"]}, derived=derived)
    assert plan.computations == (
        CounterRate(1, 0, 3600.0, 65536, 0),
        Aggregate(2, 1, "mean", 60_000_000, 5_000_000),
    )
    more = with_retired(plan, [SignalKey("computed", "acme/north/hall/press", "old", "measure", "Double")])
    assert [item.signal.name for item in more.signals] == ["count", "rate", "mean", "old"]
    assert [(device.id, device.enabled) for device in more.devices] == [("press", True), ("computed", True)]
