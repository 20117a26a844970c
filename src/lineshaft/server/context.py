"""What every part gets, and where its broker and its passwords are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lineshaft.config.models import Plant
from lineshaft.config.reload import PlantWatcher
from lineshaft.server.folder import DataFolder

SIMULATOR_TOKEN = "simulator-token"  # noqa: S105 - the name of a file
"""File in the data folder with the token of the fault API."""
_HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class PartContext:
    """What every part gets: the plant, where it was read from, and the data folder."""

    plant: Plant
    folder: Path
    load: Callable[[Path], Plant]  # raises ConfigError
    data: DataFolder
    stop: asyncio.Event
    asked: asyncio.Event  # set when somebody wants the folder read again
    again: asyncio.Event = field(default_factory=asyncio.Event)  # set before `stop`: start the process anew after it

    def watcher(self, plant: Plant | None = None) -> PlantWatcher:
        """Gives each valid change of the plant folder, from `plant` on."""
        return PlantWatcher(self.folder, self.load, plant or self.plant, asked=self.asked)


def hub_user(plant: Plant) -> str:
    """The hub's user at the embedded broker."""
    return plant.hub.broker_user or f"host-{plant.hub.host_id}"


def broker_url(plant: Plant) -> str:
    """Where the broker of this plant is for processes on this computer."""
    if plant.hub.broker:
        return plant.hub.broker
    host = "127.0.0.1" if plant.hub.broker_host in ("0.0.0.0", "::") else plant.hub.broker_host  # noqa: S104
    return f"mqtt://{host}:{plant.hub.broker_port}"


def local_topics(plant: Plant) -> tuple[str, ...]:
    """Topics of devices that talk to the gateway through the embedded broker; empty with another one."""
    found: list[str] = []
    for device in plant.devices if not plant.hub.broker else ():
        if device.driver == "mqtt" and device.connection.host_port in {(h, plant.hub.broker_port) for h in _HERE}:
            found += [signal.address.topic for signal in device.signals]
    return tuple(dict.fromkeys(found))


def read_password(path: Path) -> str:
    """The first line of a password file; '' when there is none."""
    try:
        return path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except OSError:
        return ""
