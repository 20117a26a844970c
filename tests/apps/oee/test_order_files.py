"""Orders out of files: CSV as spreadsheets write it, B2MML of both kinds, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lineshaft.apps.oee.order_files import Names, csv_of, read_orders
from lineshaft.errors import DataError

PLACES = {"press": "acme/works/line/press", "line": "acme/works/line", "acme/works/line/press": "acme/works/line/press"}
NAMES = Names(PLACES.get, ZoneInfo("Europe/Berlin"))
SIX = round(datetime(2026, 3, 2, 5, tzinfo=UTC).timestamp() * 1e6)  # 06:00 in Berlin
HOUR = 3_600_000_000

CSV = b"""id,path,product,quantity,start,end,cycle,crew
4711,press,P1,120,2026-03-02T06:00,2026-03-02T07:00,29.5,red
4712,acme/works/line/press,P2,60,2026-03-02T06:00Z,2026-03-02T07:00Z,,
"""
GERMAN = (
    "\ufefforder;machine;material;quantity;planned start;planned end;ideal cycle\r\n"
    "4711;press;P1;120,5;2026-03-02 06:00;2026-03-02 07:00;29,5\r\n"
)

SCHEDULE = """<?xml version="1.0" encoding="UTF-8"?>
<ProductionSchedule xmlns="http://www.mesa.org/xml/B2MML-V0600">
  <ID>week-10</ID>
  <ProductionRequest>
    <ID>4711</ID>
    <ProductProductionRuleID>P1-rule</ProductProductionRuleID>
    <StartTime>2026-03-02T05:00:00Z</StartTime>
    <EndTime>2026-03-02T07:00:00+01:00</EndTime>
    <SegmentRequirement>
      <ID>10</ID>
      <PersonnelRequirement><PersonnelClassID>red</PersonnelClassID></PersonnelRequirement>
      <EquipmentRequirement><EquipmentID>press</EquipmentID></EquipmentRequirement>
      <MaterialProducedRequirement>
        <MaterialDefinitionID>P1</MaterialDefinitionID>
        <Quantity><QuantityString>120</QuantityString><UnitOfMeasure>pcs</UnitOfMeasure></Quantity>
      </MaterialProducedRequirement>
    </SegmentRequirement>
  </ProductionRequest>
  <ProductionRequest><ID>4710</ID><RequestState>Cancelled</RequestState></ProductionRequest>
</ProductionSchedule>"""
OPERATIONS = """<ProcessOperationsSchedule xmlns="http://www.mesa.org/xml/B2MML" releaseID="7.0"><DataArea><Process/>
<OperationsSchedule><ID>w</ID><OperationsRequest><ID>4711</ID>
  <HierarchyScope><EquipmentID>acme</EquipmentID><HierarchyScope><EquipmentID>line</EquipmentID></HierarchyScope></HierarchyScope>
  <SegmentRequirement><ID>10</ID><EarliestStartTime>2026-03-02T05:00:00Z</EarliestStartTime>
    <LatestEndTime>2026-03-02T06:00:00Z</LatestEndTime><ProcessSegmentID>pressing</ProcessSegmentID>
    <EquipmentRequirement><EquipmentID>press</EquipmentID></EquipmentRequirement>
    <MaterialRequirement><MaterialDefinitionID>steel</MaterialDefinitionID><MaterialUse>Consumed</MaterialUse>
      <Quantity><QuantityString>7</QuantityString></Quantity></MaterialRequirement>
    <MaterialRequirement><MaterialDefinitionID>P1</MaterialDefinitionID><MaterialUse>Produced</MaterialUse>
      <Quantity><QuantityString>120</QuantityString></Quantity></MaterialRequirement></SegmentRequirement>
  <SegmentRequirement><ID>20</ID><EarliestStartTime>2026-03-02T06:00:00Z</EarliestStartTime>
    <LatestEndTime>2026-03-02T07:00:00Z</LatestEndTime><ProcessSegmentID>assembly</ProcessSegmentID>
    <MaterialRequirement><MaterialDefinitionID>P1</MaterialDefinitionID>
      <Quantity><QuantityString>118</QuantityString></Quantity></MaterialRequirement></SegmentRequirement>
</OperationsRequest></OperationsSchedule></DataArea></ProcessOperationsSchedule>"""


def test_a_csv_file() -> None:
    """Local times of the plant or with an offset; the optional columns may be empty."""
    found = read_orders(CSV, NAMES)
    assert not found.errors
    first, second = (one for _, one in found.orders)
    assert (first.id, first.path, first.quantity, first.start, first.end) == (
        "4711", "acme/works/line/press", 120, SIX, SIX + HOUR,
    )  # fmt: skip
    assert (first.cycle, first.crew, second.cycle, second.start) == (29.5, "red", None, SIX + HOUR)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_file_of_a_german_spreadsheet(encoding: str) -> None:
    """Semicolons, decimal commas, a byte order mark and other names of columns; UTF-16 is refused in words."""
    if encoding != "utf-8":
        with pytest.raises(DataError, match="UTF-8"):
            read_orders(GERMAN.encode(encoding), NAMES)
        return
    ((row, order),) = read_orders(GERMAN.encode(encoding), NAMES).orders
    assert (row, order.quantity, order.cycle, order.start) == (2, 120.5, 29.5, SIX)


def test_every_mistake_is_named() -> None:
    """Row and field of each one; the rows that are right are still read for the preview."""
    rows = [
        "4711,press,P1,120,2026-03-02T06:00,2026-03-02T07:00,,",
        "4711,press,P1,120,2026-03-02T06:00,2026-03-02T07:00,,",
        "4713,saw,P1,many,2026-03-02T06:00,soon,-3,",
        ",press,,nan,2026-03-02T09:00,2026-03-02T07:00,,",
    ]
    found = read_orders(("id,path,product,quantity,start,end,cycle,crew\n" + "\n".join(rows)).encode(), NAMES)
    assert [order.id for _, order in found.orders] == ["4711"]
    assert [(one.row, one.field) for one in found.errors] == [
        (3, "id"), (4, "path"), (4, "quantity"), (4, "cycle"), (4, "end"), (5, "id"), (5, "product"), (5, "quantity"),
        (5, "end"),
    ]  # fmt: skip
    assert "row 2 already" in found.errors[0].message


def test_a_production_schedule() -> None:
    """B2MML: times, equipment, material produced and crew; a cancelled request takes its order back."""
    found = read_orders(SCHEDULE.encode(), NAMES)
    ((row, order),) = found.orders
    assert (row, order.id, order.path, order.product, order.quantity) == (9, "4711", "acme/works/line/press", "P1", 120)
    assert (order.start, order.end, order.crew) == (SIX, SIX + HOUR, "red")
    assert [one for _, one in found.cancelled] == ["4710"]


def test_an_operations_schedule_in_a_message() -> None:
    """One order for each segment; what is consumed is no product; the scope is where no equipment is named."""
    found = read_orders(OPERATIONS.encode(), NAMES)
    assert not found.errors
    assert [(one.id, one.path, one.product, one.quantity) for _, one in found.orders] == [
        ("4711/10", "acme/works/line/press", "P1", 120), ("4711/20", "acme/works/line", "P1", 118),
    ]  # fmt: skip


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><ProductionSchedule>&b;</ProductionSchedule>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd"><ProductionSchedule/>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"), (b"  \n", "empty"), (BOMB.encode(), "document type"), (OUTSIDE.encode(), "document type"),
        (b"<ProductionSchedule>", "not XML"), (b"<html/>", "no ProductionRequest"), (b"a,b\n1,2", "names no column"),
        (b"<a>" * 70, "nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(data: bytes, words: str) -> None:
    """Empty files, bombs of entities, other documents: one clear error, nothing read."""
    with pytest.raises(DataError, match=words):
        read_orders(data, NAMES)


def test_a_csv_that_is_written_holds_no_formula() -> None:
    """A text that begins like a formula is a text in a spreadsheet too; numbers below 0 stay numbers."""
    assert csv_of(("a", "b"), [("=1+1", -2.5), ("x,y", None)]) == 'a,b\r\n\'=1+1,-2.5\r\n"x,y",\r\n'
