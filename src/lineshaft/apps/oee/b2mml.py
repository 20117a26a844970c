"""Results for other systems as B2MML (ISA-95): a ProductionPerformance with a response for each order.

The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International. Version 6.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from lineshaft.analytics.oee.kpis import BY_ID
from lineshaft.apps.oee.order_files import iso
from lineshaft.config.models import ProductConfig

NAMESPACE: Final = "http://www.mesa.org/xml/B2MML-V0600"
Schema = Literal["production", "operations"]
_STATES: Final = {"planned": "Ready", "running": "Running", "finished": "Completed"}


def performance(
    orders: Sequence[Mapping[str, Any]], plant: str, now: int, products: Sequence[ProductConfig] = (),
    schema: Schema = "production",
) -> str:  # fmt: skip
    """A document about orders: rows of `order_view` with `kpis` and `times` (seconds), in the order of the schema."""
    wide = schema == "operations"
    root = ET.Element("OperationsPerformance" if wide else "ProductionPerformance", {"xmlns": NAMESPACE})
    _add(root, "ID", f"{plant} {iso(now)}")
    if wide:
        _add(root, "OperationsType", "Production")
    if not wide:
        _add(root, "PublishedDate", iso(now))
    begun = [one for one in orders if one["began"] is not None]
    if begun:
        _add(root, "StartTime", iso(min(one["began"] for one in begun)))
        _add(root, "EndTime", iso(max(one["ended"] or now for one in begun)))
    if wide:
        _add(root, "PublishedDate", iso(now))
    names = {one.id: one.name for one in products}
    for one in orders:
        (_operations if wide else _production)(root, one, names)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _production(root: ET.Element, order: Mapping[str, Any], names: Mapping[str, str]) -> None:
    response = ET.SubElement(root, "ProductionResponse")
    _add(response, "ID", f"{order['id']}-response")
    _add(response, "ProductionRequestID", order["id"])
    _times(response, order, "StartTime", "EndTime")
    segment = ET.SubElement(response, "SegmentResponse")
    _add(segment, "ID", f"{order['id']}-segment")
    _times(segment, order, "ActualStartTime", "ActualEndTime")
    for name, value, unit in _data(order):
        item = ET.SubElement(segment, "ProductionData")
        _add(item, "ID", name)
        _value(item, "Value", "ValueString", value, unit)
    _add(ET.SubElement(segment, "EquipmentActual"), "EquipmentID", order["path"])
    material = ET.SubElement(segment, "MaterialProducedActual")
    _material(material, order, names)
    _value(material, "Quantity", "QuantityString", order["good"], "")
    _add(segment, "SegmentState", _STATES[order["state"]])
    _add(response, "ResponseState", _STATES[order["state"]])


def _operations(root: ET.Element, order: Mapping[str, Any], names: Mapping[str, str]) -> None:
    response = ET.SubElement(root, "OperationsResponse")
    _add(response, "ID", f"{order['id']}-response")
    _add(response, "OperationsType", "Production")
    _add(response, "OperationsRequestID", order["id"])
    _times(response, order, "StartTime", "EndTime")
    _add(response, "ResponseState", _STATES[order["state"]])
    segment = ET.SubElement(response, "SegmentResponse")
    _add(segment, "ID", f"{order['id']}-segment")
    _add(segment, "OperationsType", "Production")
    _times(segment, order, "ActualStartTime", "ActualEndTime")
    _add(segment, "SegmentState", _STATES[order["state"]])
    for name, value, unit in _data(order):
        item = ET.SubElement(segment, "SegmentData")
        _add(item, "ID", name)
        _value(item, "Value", "ValueString", value, unit)
    _add(ET.SubElement(segment, "EquipmentActual"), "EquipmentID", order["path"])
    material = ET.SubElement(segment, "MaterialActual")
    _material(material, order, names)
    _add(material, "MaterialUse", "Produced")
    _value(material, "Quantity", "QuantityString", order["good"], "")


def _material(material: ET.Element, order: Mapping[str, Any], names: Mapping[str, str]) -> None:
    _add(material, "MaterialDefinitionID", order["product"])
    if names.get(order["product"]):
        _add(material, "Description", names[order["product"]])


def _data(order: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """(name, value, unit): planned and bad parts, times in seconds, and every KPI that is known."""
    rows: list[tuple[str, float, str]] = [("PlannedQuantity", order["quantity"], "")]
    rows.append(("ScrapQuantity", order["scrap"], ""))
    rows += [(f"time-{name}", value, "s") for name, value in order.get("times", {}).items()]
    rows += [
        (f"kpi-{name}", value, BY_ID[name].unit if BY_ID[name].unit != "percent" else "1")
        for name, value in order.get("kpis", {}).items()
        if value is not None
    ]
    return rows


def _times(node: ET.Element, order: Mapping[str, Any], start: str, end: str) -> None:
    if order["began"] is not None:
        _add(node, start, iso(order["began"]))
    if order["ended"] is not None:
        _add(node, end, iso(order["ended"]))


def _value(node: ET.Element, tag: str, text: str, value: float, unit: str) -> None:
    found = ET.SubElement(node, tag)
    _add(found, text, f"{value:.12g}")
    _add(found, "DataType", "double")
    if unit:
        _add(found, "UnitOfMeasure", unit)


def _add(node: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(node, tag).text = "".join(char for char in text if char.isprintable())
