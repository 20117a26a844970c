"""The same plant at other ports, for when the usual ones are taken."""

from __future__ import annotations

from collections.abc import Mapping

from lineshaft.config.models import DeviceConfig, Plant
from lineshaft.simulator.devices import PORT_KEYS, endpoint, simulated, with_port


def relocate(plant: Plant, moves: Mapping[str, int]) -> Plant:
    """`plant` with its simulated devices, and the simulator itself, moved to other first ports.

    moves: key of the simulator section, like 'modbus_port' -> port.
    """
    settings = plant.simulator
    if settings is None or not moves:
        return plant
    devices: list[DeviceConfig] = []
    for device in plant.devices:
        key = PORT_KEYS.get(device.driver, "")
        if key in moves and simulated(plant, device):
            device = with_port(device, endpoint(device)[1] - getattr(settings, key) + moves[key])
        devices.append(device)
    return plant.model_copy(update={"devices": tuple(devices), "simulator": settings.model_copy(update=dict(moves))})
