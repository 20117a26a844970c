"""The plant file of a new device: where it hangs in the equipment tree, its connection, its signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lineshaft.config.bundle import Bundle
from lineshaft.config.models import EquipmentConfig, Plant
from lineshaft.config.write import device_file
from lineshaft.errors import ConfigError, Problem

_LEVELS: Final = ("area", "line", "asset", "component")


def draft(
    plant: Plant, files: Bundle, device: Mapping[str, Any], equipment: Mapping[str, Mapping[str, str]], title: str
) -> dict[str, str]:
    """{name: text} of the file that adds `device` to the plant folder.

    device: keys as in a plant file; `asset` may be a path that is new.
    equipment: path below the site -> name, level and type of a node that is new; what is missing gets usual values.
    Raises ConfigError when the id is taken.
    """
    identity = str(device.get("id", ""))
    if any(one.id == identity for one in plant.devices):
        problem = Problem("", 0, "devices.id", identity, "this device id is already used")
        raise ConfigError("the device has another one's id", [problem])
    nodes = _missing(plant.equipment, str(device.get("asset", "")), equipment)
    return {_file(identity, files): device_file(device, nodes, title)}


def _file(identity: str, files: Bundle) -> str:
    """A name that no file of the folder has."""
    names = (f"{identity}{number}.yaml" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if name not in files)


def _missing(tree: Iterable[EquipmentConfig], asset: str, new: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The branch down to `asset`, if any of it is new: nodes that exist by their id alone."""
    known = dict(_paths(tree, ""))
    parts = [part for part in asset.split("/") if part]
    if not parts or asset in known:
        return []
    branch: list[dict[str, Any]] = []
    for depth in range(len(parts), 0, -1):
        path = "/".join(parts[:depth])
        node: dict[str, Any] = {"id": parts[depth - 1]}
        if path not in known:
            level = "asset" if depth == len(parts) else _LEVELS[min(depth, 2) - 1]
            node |= {"level": level, **{key: text for key, text in new.get(path, {}).items() if text}}
        if branch:
            node["children"] = branch
        branch = [node]
    return branch


def _paths(nodes: Iterable[EquipmentConfig], above: str) -> Iterator[tuple[str, EquipmentConfig]]:
    for node in nodes:
        path = f"{above}/{node.id}" if above else node.id
        yield path, node
        yield from _paths(node.children, path)
