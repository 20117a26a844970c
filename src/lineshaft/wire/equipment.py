"""The equipment tree as JSON, for the String metric `Lineshaft/Equipment` of a gateway's birth."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lineshaft.errors import DataError
from lineshaft.model.equipment import Attribute, Equipment, Level


def encode_equipment(nodes: Iterable[Equipment]) -> str:
    """A JSON list of objects with path, name, level, type, description, aliases and attributes; what is empty is
    left out."""
    items = []
    for node in nodes:
        item: dict[str, Any] = {"path": node.path, "name": node.name, "level": node.level.value}
        if node.type:
            item["type"] = node.type
        if node.description:
            item["description"] = node.description
        if node.aliases:
            item["aliases"] = list(node.aliases)
        if node.attributes:
            item["attributes"] = attributes_to_json(node.attributes)
        items.append(item)
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)


def decode_equipment(text: str) -> tuple[Equipment, ...]:
    """The reverse. Raises DataError."""
    try:
        return tuple(
            Equipment(
                str(item["path"]),
                str(item["name"]),
                Level(item["level"]),
                str(item.get("type", "")),
                str(item.get("description", "")),
                tuple(map(str, item.get("aliases", ()))),
                attributes_from_json(item.get("attributes", ())),
            )
            for item in json.loads(text)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"malformed equipment tree: {error!r}") from error


def attributes_to_json(attributes: Iterable[Attribute]) -> list[list[float | str]]:
    """[name, value, unit, description] of each."""
    return [[one.name, one.value, one.unit, one.description] for one in attributes]


def attributes_from_json(items: Iterable[Any]) -> tuple[Attribute, ...]:
    """The reverse. Raises ValueError or TypeError for anything else."""
    return tuple(
        Attribute(str(name), value if isinstance(value, int | float) else str(value), str(unit), str(description))
        for name, value, unit, description in items
    )
