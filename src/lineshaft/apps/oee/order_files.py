"""Orders out of CSV and B2MML (ISA-95) files: every row checked, every mistake named with its row and field."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from lineshaft.apps.oee.orders import Order
from lineshaft.apps.oee.xmltree import Node, read_xml
from lineshaft.errors import DataError

LONGEST_FILE: Final = 8 * 2**20
MOST_ROWS: Final = 20_000
COLUMNS: Final = ("id", "path", "product", "quantity", "start", "end", "cycle", "crew")
_NEEDED: Final = COLUMNS[:6]
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "order": "id", "order id": "id", "order_id": "id", "machine": "path", "line": "path", "material": "product",
    "amount": "quantity", "qty": "quantity", "planned start": "start", "planned_start": "start", "planned end": "end",
    "planned_end": "end", "ideal cycle": "cycle", "ideal_cycle": "cycle",
}  # fmt: skip
_GONE: Final = ("cancelled", "aborted")
_PRODUCED: Final = ("", "produced", "material produced", "yield produced")


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in which row. row: line of a CSV file (the header is 1), or of an XML file."""

    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: orders with their rows, ids that it takes back, and its mistakes."""

    orders: tuple[tuple[int, Order], ...]
    cancelled: tuple[tuple[int, str], ...]
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """How a file's words are understood: `place` finds a machine or line, `zone` is for times without an offset."""

    place: Callable[[str], str | None]
    zone: ZoneInfo


def read_orders(data: bytes, names: Names) -> Read:
    """Orders of a CSV or B2MML file; which of the two it is shows its first character. Raises DataError."""
    head = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not head:
        raise DataError("the file is empty")
    found = list(_b2mml(data) if head == b"<" else _csv(data))
    if len(found) > MOST_ROWS:
        raise DataError(f"the file has {len(found)} orders; at most {MOST_ROWS} are taken at once")
    orders, cancelled, errors = [], [], []
    seen: dict[str, int] = {}
    for row, values in found:
        if values.get("state", "").casefold() in _GONE:
            cancelled.append((row, values["id"]))
            continue
        order, wrong = _order(row, values, names)
        if order is not None and order.id in seen:
            wrong = [RowError(row, "id", f"order {order.id} is in row {seen[order.id]} already")]
        errors += wrong
        if order is not None and not wrong:
            seen[order.id] = row
            orders.append((row, order))
    return Read(tuple(orders), tuple(cancelled), tuple(errors))


def _csv(data: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what spreadsheets save where nobody chose UTF-8
    header = text.partition("\n")[0]
    separator = max(";\t,", key=header.count)
    if "\0" in text:
        raise DataError("the file is no text in UTF-8", hint="save it as CSV UTF-8")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [_OTHER_NAMES.get(one, one) for one in (name.strip().casefold() for name in next(rows))]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise DataError(
            f"the first row names no column {', '.join(missing)}",
            hint=f"columns: {', '.join(COLUMNS)}; the last two may lack",
        )
    for row in rows:
        if any(cell.strip() for cell in row):
            values = dict(zip(names, (cell.strip() for cell in row), strict=False))
            if separator == ";":  # where ; separates, a comma is the decimal sign
                for name in ("quantity", "cycle"):
                    values[name] = values.get(name, "").replace(",", ".")
            yield rows.line_num, values


def _b2mml(data: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Requests of a ProductionSchedule or an OperationsSchedule, alone or in a message; one order for each segment."""
    root = read_xml(data, LONGEST_FILE)
    top = Node("", "", 0, [root])
    requests = [*top.below("ProductionRequest"), *top.below("OperationsRequest")]
    if not requests:
        raise DataError(
            f"there is no ProductionRequest and no OperationsRequest in {root.tag}",
            hint="B2MML files with a ProductionSchedule or an OperationsSchedule are taken",
        )
    for request in requests:
        segments = request.all("SegmentRequirement")
        for place, segment in enumerate(segments or [request]):
            order = request.value("ID")
            if len(segments) > 1:
                order = f"{order}/{segment.value('ID') or place + 1}"
            yield segment.line, _segment(request, segment, order)


def _segment(request: Node, segment: Node, order: str) -> Mapping[str, str]:
    """An order out of a segment; what the segment does not say, the request says."""
    made = next(
        (
            one
            for one in (*segment.all("MaterialProducedRequirement"), *segment.all("MaterialRequirement"))
            if one.value("MaterialUse").casefold() in _PRODUCED
        ),
        Node("", "", segment.line),
    )
    scopes = [_deepest(one) for one in (segment.first("HierarchyScope"), request.first("HierarchyScope"))]
    crews = segment.first("PersonnelRequirement")
    return {
        "id": order,
        "path": _first(segment.value("EquipmentRequirement", "EquipmentID"), *scopes),
        "product": _first(
            made.value("MaterialDefinitionID"), made.value("MaterialClassID"), request.value("ProductProductionRuleID"),
            request.value("OperationsDefinitionID"),
        ),
        "quantity": made.value("Quantity", "QuantityString"),
        "start": _first(segment.value("EarliestStartTime"), request.value("StartTime")),
        "end": _first(segment.value("LatestEndTime"), request.value("EndTime")),
        "crew": _first(crews.value("PersonID"), crews.value("PersonnelClassID")) if crews is not None else "",
        "state": _first(segment.value("SegmentState"), request.value("RequestState")),
    }  # fmt: skip


def _deepest(scope: Node | None) -> str:
    found = ""
    while scope is not None:
        found = scope.value("EquipmentID") or found
        scope = scope.first("HierarchyScope")
    return found


def _first(*texts: str) -> str:
    return next((text for text in texts if text), "")


def _order(row: int, values: Mapping[str, str], names: Names) -> tuple[Order | None, list[RowError]]:
    wrong: list[RowError] = []

    def note(field: str, message: str) -> None:
        wrong.append(RowError(row, field, message))

    for name in _NEEDED:
        if not values.get(name):
            note(name, "is missing")
    path = names.place(values["path"]) if values.get("path") else None
    if values.get("path") and path is None:
        note("path", f"{values['path']!r} is no machine and no line of OEE, or names several")
    quantity = _number(values.get("quantity", ""), "quantity", note)
    cycle = _number(values["cycle"], "cycle", note) if values.get("cycle") else None
    start, end = (_time(values.get(name, ""), name, names.zone, note) for name in ("start", "end"))
    if start is not None and end is not None and start >= end:
        note("end", "is not after the start")
    for name in ("id", "product", "crew"):
        if len(values.get(name, "")) > 128:
            note(name, "is longer than 128 characters")
    if wrong or path is None or quantity is None or start is None or end is None:
        return None, wrong
    order = Order(values["id"], path, values["product"], quantity, start, end, cycle, values.get("crew", ""))
    return order, wrong


def _number(text: str, field: str, note: Callable[[str, str], None]) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        note(field, f"{text!r} is no number")
        return None
    if not 0 < found < 1e12:  # NaN and infinity fail as well
        note(field, f"{text} is not above 0")
        return None
    return found


def _time(text: str, field: str, zone: ZoneInfo, note: Callable[[str, str], None]) -> int | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        local = found if found.tzinfo else found.replace(tzinfo=zone)
        return round(local.astimezone(UTC).timestamp() * 1e6)
    except (ValueError, OverflowError):
        note(field, f"{text!r} is no time; like 2026-03-02T06:00 or 2026-03-02T05:00Z")
        return None


def csv_of(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV file. A text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return made.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def iso(time: int | None) -> str:
    """UTC microseconds as ISO 8601, to the millisecond; '' for None."""
    if time is None:
        return ""
    return datetime.fromtimestamp(time / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
