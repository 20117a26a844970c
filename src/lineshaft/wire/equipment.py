"""The equipment tree as JSON, for the String metric `Lineshaft/Equipment` of a gateway's birth."""

from __future__ import annotations

import json
from collections.abc import Iterable

from lineshaft.errors import DataError
from lineshaft.model.equipment import Equipment, Level


def encode_equipment(nodes: Iterable[Equipment]) -> str:
    """A JSON list of objects with path, name, level, type and description; empty words are left out."""
    items = []
    for node in nodes:
        item = {"path": node.path, "name": node.name, "level": node.level.value}
        if node.type:
            item["type"] = node.type
        if node.description:
            item["description"] = node.description
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
            )
            for item in json.loads(text)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"malformed equipment tree: {error!r}") from error
