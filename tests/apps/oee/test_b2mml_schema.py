"""What we write as B2MML keeps the order, counts and types of the published schemas, as our own statement has them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Literal

import pytest
from lxml import etree

from lineshaft.apps.oee.b2mml import performance
from lineshaft.config.models import ProductConfig

from .b2mml_schema import NAMESPACE, problems
from .plant import HOUR, SIX
from .test_order_files import SCHEDULE

ORDERS: list[dict[str, Any]] = [
    {"id": "4711", "path": "acme/works/line", "product": "P1", "quantity": 500.0, "good": 120.0, "scrap": 3.0,
     "began": SIX, "ended": SIX + HOUR, "state": "finished", "times": {"production": 3000.0, "busy_plan": 3600.0},
     "kpis": {"oee": 0.71, "availability": 0.83, "throughput-rate": 120.0, "mtbf": None}},
    {"id": "4712 <&>", "path": "acme/works/line/press", "product": "P2", "quantity": 1e6, "good": 0.0, "scrap": 0.0,
     "began": SIX, "ended": None, "state": "running"},
    {"id": "4713", "path": "acme/works/line/press", "product": "P2", "quantity": 0.001, "good": 0.0, "scrap": 0.0,
     "began": None, "ended": None, "state": "planned"},
]  # fmt: skip
KINDS: tuple[Literal["production", "operations"], ...] = ("production", "operations")


def document(kind: Literal["production", "operations"], orders: list[dict[str, Any]]) -> str:
    return performance(orders, "Works", SIX + 2 * HOUR, [ProductConfig(id="P1", name="Bracket")], kind)


def mutations(text: str) -> Iterator[tuple[str, str]]:
    """(what, document) with one thing wrong: two neighbours of other names changed over, a required part away, a
    single one twice, text that is no time and no number, a name that is none."""
    whole = etree.fromstring(text.encode())
    every = list(whole.iter())
    for place, node in enumerate(every):
        after = node.getnext()
        name = etree.QName(node).localname
        if after is not None and after.tag != node.tag:
            changed = deepcopy(whole)
            moved = list(changed.iter())[place]
            nxt = moved.getnext()
            assert nxt is not None
            nxt.addnext(moved)
            yield f"{name} after {etree.QName(after).localname}", etree.tostring(changed, encoding="unicode")
        if name.endswith(("Time", "Date", "String")):
            changed = deepcopy(whole)
            list(changed.iter())[place].text = "yesterday"
            yield f"{name} is a word", etree.tostring(changed, encoding="unicode")
        if name in ("ID", "ValueString", "ResponseState", "StartTime"):
            changed = deepcopy(whole)
            one = list(changed.iter())[place]
            one.addnext(deepcopy(one))
            yield f"{name} twice", etree.tostring(changed, encoding="unicode")
        if place % 7 == 0:
            changed = deepcopy(whole)
            list(changed.iter())[place].tag = f"{{{NAMESPACE}}}Nonsense"
            yield f"{name} is called Nonsense", etree.tostring(changed, encoding="unicode")


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_write_is_valid(kind: Literal["production", "operations"]) -> None:
    """Orders that are planned, running and finished, with and without KPIs, and none at all."""
    for orders in (ORDERS, ORDERS[2:], []):
        assert problems(document(kind, orders)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_mistake_is_found(kind: Literal["production", "operations"]) -> None:
    """Every neighbour changed over, every single element twice, every time and number a word: none passes."""
    wrong = list(mutations(document(kind, ORDERS[:1])))
    assert len(wrong) > 40
    assert [what for what, text in wrong if not problems(text)] == []


def test_the_plans_of_our_tests_are_valid() -> None:
    """The ProductionSchedule that the reader is tested with is one that an ERP could send."""
    assert problems(SCHEDULE) == []
    assert problems(SCHEDULE.replace("<ID>4711</ID>", "")) == []  # it is optional; the reader asks for it by itself
    assert problems(SCHEDULE.replace("05:00:00Z", "5 o'clock")) != []
