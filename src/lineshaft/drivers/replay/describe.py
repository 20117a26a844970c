"""Writes plant YAML for a recorded MTConnect device; run as `python -m lineshaft.drivers.replay.describe --help`."""

from __future__ import annotations

import argparse
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from lineshaft.drivers.records import Malformed
from lineshaft.drivers.replay.options import ReplayConnection
from lineshaft.drivers.replay.recording import Recording

_UNITS = {
    "AMPERE": "A", "CELSIUS": "degC", "DEGREE": "deg", "DEGREE/SECOND": "deg/s", "HERTZ": "Hz", "KILOWATT": "kW",
    "MILLIMETER": "mm", "MILLIMETER/SECOND": "mm/s", "NEWTON": "N", "NEWTON_METER": "Nm", "PASCAL": "Pa",
    "PERCENT": "%", "REVOLUTION/MINUTE": "1/min", "SECOND": "s", "VOLT": "V", "WATT": "W",
}  # fmt: skip
_WORDS = {
    "EXECUTION": ("READY", "ACTIVE", "INTERRUPTED", "FEED_HOLD", "STOPPED", "OPTIONAL_STOP", "PROGRAM_STOPPED",
                  "PROGRAM_COMPLETED", "WAIT"),
    "CONTROLLER_MODE": ("AUTOMATIC", "MANUAL", "MANUAL_DATA_INPUT", "SEMI_AUTOMATIC", "EDIT"),
    "EMERGENCY_STOP": ("ARMED", "TRIGGERED"),
    "AVAILABILITY": ("AVAILABLE",),
    "POWER_STATE": ("ON", "OFF"),
}  # fmt: skip
_COUNTERS = {"ACCUMULATED_TIME": "s", "PART_COUNT": "pcs"}
_ALWAYS_TEXT = frozenset({"PROGRAM", "PROGRAM_COMMENT", "TOOL_ASSET_ID", "x:TOOL_SUFFIX"})
_NAMES = {
    "AXIS_FEEDRATE": "feedrate", "PATH_FEEDRATE": "feedrate", "PATH_FEEDRATE_OVERRIDE": "feedrate_override",
    "ROTARY_VELOCITY": "speed", "ROTARY_VELOCITY_OVERRIDE": "speed_override", "CONTROLLER_MODE": "mode",
    "TOOL_ASSET_ID": "tool", "ACTUATOR": "servo",
}  # fmt: skip
"""Types whose own name says less to people than these words."""
_CONDITION_WORDS = {"Normal": "normal", "Warning": "warning", "Fault": "fault"}
_NOT_IN_ID = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class _Item:
    """One data item: where it hangs in the tree and what the device model says about it."""

    component: str  # path of the component below the asset
    name: str
    category: str
    type: str
    units: str
    sub_type: str = ""


def describe(model: str, log: str, device: str, asset: str, speed: float = 1.0) -> dict[str, Any]:
    """Plant sections `equipment` (down to one asset) and `devices` (one replay device) for a recorded MTConnect device.

    `model` is the XML text of an MTConnect Devices document, `log` the path of the recording as the plant shall name
    it, `device` the device's name in the model, `asset` the asset's path below the site and `speed` that of the replay.
    Items that are in the log but not in the model hang on the asset. Raises ValueError when the model has no such
    device.
    """
    numeric = _numeric_items(log)
    root = ET.fromstring(model)  # noqa: S314  # a file that the operator gives, like the plant folder itself
    found = next((e for e in root.iter() if _tag(e) == "Device" and e.get("name") == device), None)
    if found is None:
        raise ValueError(f"no device '{device}' in the model")
    items = {item.name: item for item in _items(found, "")}
    text = next((e for e in found if _tag(e) == "Description"), None)
    *above, own = asset.split("/")
    equipment: dict[str, Any] = {
        "id": own,
        "name": " ".join((text.text or "").split("-")[0].split()) if text is not None else device,
        "level": "asset",
        "type": "cnc",
        "children": _components(found),
    }
    for name, level in reversed(list(zip(above, ("area", "line"), strict=False))):
        equipment = {"id": name, "name": name.capitalize(), "level": level, "children": [equipment]}
    logged = [items.get(name) or _unmodelled(name) for name in numeric]
    names = _signal_names(logged)
    signals = [_signal(item, names[item.name], asset, numeric[item.name]) for item in logged]
    return {
        "equipment": [equipment],
        "devices": [
            {
                "id": _id(device),
                "name": f"Recording of {device}",
                "driver": "replay",
                "connection": {"path": log, "format": "shdr", "speed": speed},
                "asset": asset,
                "signals": signals,
            }
        ],
    }


def _numeric_items(log: str) -> dict[str, bool]:
    """Each item of the log -> whether all of its values are numbers (and there is one)."""
    numbers: dict[str, bool] = {}
    words: set[str] = set()
    for records in Recording(ReplayConnection(path=log)).chunks(Malformed()):
        for item, text, raw in zip(records.items, records.texts, records.raw, strict=True):
            numbers[item] = numbers.get(item, False) or (text is None and raw is not None)
            if text:
                words.add(item)
    return {item: number and item not in words for item, number in numbers.items()}


def _items(element: ET.Element, path: str) -> Iterator[_Item]:
    for child in element:
        tag = _tag(child)
        if tag == "DataItems":
            for entry in child:
                get = entry.attrib.get
                name = get("name") or get("id") or ""
                yield _Item(path, name, get("category", "EVENT"), get("type", ""), get("units", ""), get("subType", ""))
        elif tag == "Components":
            for component in child:
                below = _component_id(component)
                yield from _items(component, f"{path}/{below}" if path else below)


def _components(element: ET.Element) -> list[dict[str, Any]]:
    children = []
    for group in element:
        if _tag(group) == "Components":
            for component in group:
                entry: dict[str, Any] = {
                    "id": _component_id(component),
                    "name": _component_name(component),
                    "level": "component",
                }
                if below := _components(component):
                    entry["children"] = below
                children.append(entry)
    return children


def _component_id(element: ET.Element) -> str:
    """Groups are named by what they are, axes by their letter, a turning axis that has a speed is a spindle."""
    tag, name = _tag(element), element.get("name", "")
    if tag in ("Linear", "Rotary"):
        return _id(f"spindle-{name}") if _is_spindle(element) else _id(name)
    return _id(tag if element.find("./{*}Components") is not None else name or tag)


def _component_name(element: ET.Element) -> str:
    tag, name = _tag(element), element.get("name", "")
    if tag in ("Linear", "Rotary"):
        return f"Spindle {name}" if _is_spindle(element) else f"Axis {name}"
    return tag


def _is_spindle(element: ET.Element) -> bool:
    return any(entry.get("type") == "ROTARY_VELOCITY" for entry in element.iterfind("./{*}DataItems/{*}DataItem"))


def _unmodelled(name: str) -> _Item:
    """An item that is not in the model; agents make two of each device themselves."""
    made = {"_asset_chg": "ASSET_CHANGED", "_asset_rem": "ASSET_REMOVED"}
    return _Item("", name, "EVENT", next((type_ for end, type_ in made.items() if name.endswith(end)), ""), "")


def _signal_names(items: Sequence[_Item]) -> dict[str, str]:
    """Item -> name of its signal: what it measures, told apart by sub-type or its own name in the log."""
    groups: dict[tuple[str, str], list[_Item]] = {}
    for item in items:
        groups.setdefault((item.component, _type_name(item)), []).append(item)
    names: dict[str, str] = {}
    for (_, name), alike in groups.items():
        sub_types = {item.sub_type.lower() for item in alike}
        told_apart = len(sub_types) == len(alike) and not any(sub == "" or sub.startswith("x:") for sub in sub_types)
        for item in alike:
            if name and len(alike) == 1:
                names[item.name] = name
            else:
                names[item.name] = f"{name}_{item.sub_type.lower()}" if name and told_apart else _own_name(item)
    return names


def _own_name(item: _Item) -> str:
    """The item's own name, with what is cut short written out."""
    name = _id(item.name)
    for short, whole in (("cmt", "comment"), ("cond", "condition")):
        name = re.sub(rf"(?<=_){short}(?=\d*$)", whole, name)
    return name


def _type_name(item: _Item) -> str:
    name = _NAMES.get(item.type, item.type.removeprefix("x:").lower())
    return _id(f"{name}_condition" if name and item.category == "CONDITION" else name) if name else ""


def _signal(item: _Item, name: str, asset: str, numeric: bool) -> dict[str, Any]:
    """One `signals:` entry."""
    entry: dict[str, Any] = {"name": name, "address": item.name}
    if item.component:
        entry["asset"] = f"{asset}/{item.component}"
    if item.category == "CONDITION":
        return entry | {"kind": "state", "datatype": "String", "states": dict(_CONDITION_WORDS)} | _about(item)
    if item.type in _COUNTERS:
        return entry | {"kind": "counter", "datatype": "Double", "unit": _COUNTERS[item.type]} | _about(item)
    if (item.category == "SAMPLE" or item.units) and not item.units.endswith("_3D"):
        unit = {"unit": _UNITS[item.units]} if item.units in _UNITS else {}
        return entry | {"kind": "measure", "datatype": "Double"} | unit | _about(item)
    text = item.type in _ALWAYS_TEXT or not numeric
    entry |= {"kind": "state", "datatype": "String" if text else "Double"}
    words: Mapping[str, str] = {word: word.lower().replace("_", " ") for word in _WORDS.get(item.type, ())}
    return entry | ({"states": dict(words)} if words else {}) | _about(item)


def _about(item: _Item) -> dict[str, str]:
    words = item.type.removeprefix("x:").replace("_", " ").lower()
    return {"description": f"MTConnect {item.category.lower()} {words}."} if words else {}


def _id(text: str) -> str:
    return _NOT_IN_ID.sub("-", text.lower()).strip("-._") or "item"


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def main() -> None:
    """Print the YAML of one recorded device."""
    parser = argparse.ArgumentParser(description="Plant YAML for a recorded MTConnect device.")
    parser.add_argument("model", help="MTConnect Devices document (XML)")
    parser.add_argument("log", help="recording, as the plant shall name it; ${NAME} is an environment variable")
    parser.add_argument("device", help="name of the device in the document")
    parser.add_argument("asset", help="path of the asset below the site")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than recorded")
    given = parser.parse_args()
    with open(given.model, encoding="utf-8") as file:
        sections = describe(file.read(), given.log, given.device, given.asset, given.speed)
    sys.stdout.write(yaml.safe_dump(sections, sort_keys=False, width=118, allow_unicode=True))


if __name__ == "__main__":
    main()
