"""Fault orders against the published multipliers of the public test rigs."""

from __future__ import annotations

import pytest

from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry, bearing_library, fault_orders, find_bearing
from lineshaft.config.reference import bearings

PUBLISHED = {
    "SKF 6205-2RS": (3.5848, 5.4152, 2.3567, 0.39828),
    "SKF 6203-2RS": (3.0530, 4.9469, 1.9938, 0.3817),
    "Rexnord ZA-2115": (7.0921, 8.9079, 4.1975, 0.4433),
    "LDK UER204": (3.0831, 4.9169, 2.0666, 0.3854),
    "NSK 6804DD": (5.6113, 7.3887, 3.5888, 0.4316),
    "MB ER-16K": (3.572, 5.428, 2.32, 0.3969),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_orders_of_the_test_rigs_are_the_published_ones(name: str) -> None:
    """CWRU, IMS, XJTU, PRONOSTIA and Curtin print these multipliers."""
    orders = bearings()[name].orders
    assert (orders.outer, orders.inner, orders.ball, orders.cage) == pytest.approx(PUBLISHED[name], rel=2e-3)


def test_a_published_example_at_25_hz() -> None:
    """8 elements of 2 cm on 12 cm at 15 degrees: 83.90, 116.10, 73.06 and 10.49 Hz (MathWorks, bearingFaultBands)."""
    orders = fault_orders(Geometry(8, 2, 12, 15))
    found = [25 * order for order in (orders.outer, orders.inner, orders.ball, orders.cage)]
    assert found == pytest.approx([83.90, 116.10, 73.06, 10.49], abs=0.006)


def test_the_library_has_many_bearings_that_obey_kinematics() -> None:
    """At least 30, each with a source; BPFO and BPFI add up to the elements, BPFO is that many times the cage."""
    assert len(bearings()) >= 30
    for bearing in bearings().values():
        orders = bearing.orders
        assert bearing.source
        assert orders.outer + orders.inner == pytest.approx(orders.elements, abs=0.002)
        assert orders.outer == pytest.approx(orders.elements * orders.cage, abs=0.01)


def test_a_bearing_is_found_by_a_part_of_its_name() -> None:
    """6205 is enough; what several have, or none, is refused with the names."""
    assert find_bearing(bearings(), "6205").name == "SKF 6205-2RS"
    assert find_bearing(bearings(), "er16k").name == "MB ER-16K"
    with pytest.raises(ValueError, match="several"):
        find_bearing(bearings(), "timken")
    with pytest.raises(ValueError, match="geometry"):
        find_bearing(bearings(), "7999")


@pytest.mark.parametrize("values", [(2, 1, 5, 0), (9, 6, 5, 0), (9, 1, 5, 90)])
def test_an_impossible_geometry_is_refused(values: tuple[int, float, float, float]) -> None:
    """Too few elements, elements larger than the pitch, an angle of 90 degrees."""
    with pytest.raises(ValueError, match="bearing has"):
        Geometry(*values)


def test_a_wrong_entry_is_named() -> None:
    """A library of one's own with a mistake says which bearing."""
    with pytest.raises(ValueError, match="bearing X1"):
        bearing_library({"sources": {"a": "a"}, "bearings": [{"name": "X1", "source": "a", "orders": [5, 3, 2, 0.4]}]})
    with pytest.raises(ValueError, match="cage"):
        FaultOrders(3, 5, 2, 1.2)
