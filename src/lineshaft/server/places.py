"""Places that a plant file can name in a device's connection: ${data} and ${plant}."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lineshaft.config.models import DeviceConfig, Plant


def put_in_place(plant: Plant, folder: Path, data: Path) -> Plant:
    """`plant` with ${plant} replaced by its folder, and ${data} by the data folder, in every device's connection."""
    known = {"${plant}": str(folder.absolute()), "${data}": str(data)}
    return plant.model_copy(update={"devices": tuple(_placed(device, known) for device in plant.devices)})


def _placed(device: DeviceConfig, known: dict[str, str]) -> DeviceConfig:
    connection: Any = device.connection
    changed = {}
    for name in type(connection).model_fields:
        value = getattr(connection, name)
        if isinstance(value, str) and any(word in value for word in known):
            for word, place in known.items():
                value = value.replace(word, place)
            changed[name] = value
    if not changed:
        return device
    return device.model_copy(update={"connection": connection.model_copy(update=changed)})
