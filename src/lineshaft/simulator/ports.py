"""The same plant at other ports, for when the usual ones are taken."""

from __future__ import annotations

from typing import Any

from lineshaft.config.models import DeviceConfig, Plant
from lineshaft.simulator.channels import option, simulated


def relocate(plant: Plant, modbus_port: int, opcua_port: int, api_port: int) -> Plant:
    """`plant` with its simulated devices, and the simulator itself, moved to these first ports."""
    settings = plant.simulator
    if settings is None:
        return plant
    devices = []
    for device in plant.devices:
        if not simulated(plant, device):
            devices.append(device)
        elif device.driver == "opcua":
            url = str(option(device, "url")).replace(f":{settings.opcua_port}", f":{opcua_port}", 1)
            devices.append(_with(device, url=url))
        else:
            devices.append(_with(device, port=int(option(device, "port")) - settings.modbus_port + modbus_port))
    ports = {"modbus_port": modbus_port, "opcua_port": opcua_port, "api_port": api_port}
    return plant.model_copy(update={"devices": tuple(devices), "simulator": settings.model_copy(update=ports)})


def _with(device: DeviceConfig, **options: Any) -> DeviceConfig:
    connection: Any = device.connection
    moved = {**connection, **options} if isinstance(connection, dict) else connection.model_copy(update=options)
    return device.model_copy(update={"connection": moved})
