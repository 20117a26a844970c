"""What a device has: components and data items, with the types and units that the rest of Lineshaft uses."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.base import Browsed
from lineshaft.drivers.mtconnect.documents import Component, DataItem, Probe
from lineshaft.errors import AddressInvalid
from lineshaft.model.equipment import Datatype

UNITS = {
    "AMPERE": "A",
    "CELSIUS": "degC",
    "COUNT": "",
    "COULOMB": "C",
    "CUBIC_MILLIMETER": "mm3",
    "CUBIC_MILLIMETER/SECOND": "mm3/s",
    "DECIBEL": "dB",
    "DEGREE": "deg",
    "DEGREE/SECOND": "deg/s",
    "DEGREE/SECOND^2": "deg/s2",
    "GRAM": "g",
    "HERTZ": "Hz",
    "HOUR": "h",
    "JOULE": "J",
    "KILOGRAM": "kg",
    "KILOWATT": "kW",
    "KILOWATT_HOUR": "kWh",
    "LITER": "L",
    "LITER/MINUTE": "L/min",
    "LITER/SECOND": "L/s",
    "METER": "m",
    "MICROMETER": "um",
    "MILLIMETER": "mm",
    "MILLIMETER/MINUTE": "mm/min",
    "MILLIMETER/SECOND": "mm/s",
    "MILLIMETER/SECOND^2": "mm/s2",
    "MINUTE": "min",
    "NEWTON": "N",
    "NEWTON_METER": "Nm",
    "OHM": "ohm",
    "PASCAL": "Pa",
    "PASCAL_SECOND": "Pa*s",
    "PERCENT": "%",
    "PH": "pH",
    "REVOLUTION/MINUTE": "1/min",
    "REVOLUTION/SECOND": "1/s",
    "SECOND": "s",
    "SIEMENS/METER": "S/m",
    "SQUARE_MILLIMETER": "mm2",
    "TESLA": "T",
    "VOLT": "V",
    "VOLT_AMPERE": "VA",
    "VOLT_AMPERE_REACTIVE": "var",
    "WATT": "W",
    "WATT_SECOND": "W*s",
}
"""Units of the standard -> ours; values in others, as of vectors, come without a unit."""

_COUNTS = frozenset(
    {
        "ACTIVATION_COUNT",
        "BLOCK_COUNT",
        "CYCLE_COUNT",
        "DEACTIVATION_COUNT",
        "LINE",
        "LINE_NUMBER",
        "LOAD_COUNT",
        "PART_COUNT",
        "TOOL_GROUP",
        "TOOL_NUMBER",
        "TRANSFER_COUNT",
        "UNLOAD_COUNT",
    }
)
"""Types of events that are numbers although they have no unit."""


def browse(probe: Probe, parent: str) -> Sequence[Browsed]:
    """Components and data items right below the component `parent`. Raises AddressInvalid when there is none."""
    if parent and all(component.id != parent for component in probe.components):
        raise AddressInvalid(f"the device has no component '{parent}'")
    filled = {component.parent for component in probe.components} | {item.component for item in probe.items}
    components = tuple(
        _component(component, component.id in filled) for component in probe.components if component.parent == parent
    )
    return (*components, *(_item(item) for item in probe.items if item.component == parent))


def datatype_of(item: DataItem) -> Datatype:
    """What the driver delivers for a data item."""
    if item.category == "CONDITION" or item.representation in ("DATA_SET", "TABLE"):
        return Datatype.STRING
    if item.units.endswith("_3D"):
        return Datatype.STRING
    numeric = item.category == "SAMPLE" or bool(item.units) or item.type in _COUNTS
    return Datatype.DOUBLE if numeric else Datatype.STRING


def _component(component: Component, filled: bool) -> Browsed:
    name = component.name or component.id
    label = name if name.lower() == component.kind.lower() else f"{component.kind} {name}"
    return Browsed(component.id, label, has_children=filled, description=component.description)


def _item(item: DataItem) -> Browsed:
    words = [item.category, item.type, item.sub_type, "" if item.representation == "VALUE" else item.representation]
    said = " ".join(word.lower().replace("_", " ") for word in words if word)
    return Browsed(item.id, item.name or item.id, datatype_of(item), UNITS.get(item.units, ""), description=said)
