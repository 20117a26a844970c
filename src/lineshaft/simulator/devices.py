"""Which devices of a plant the simulator answers for, and where it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import urlsplit

from lineshaft.config.models import DeviceConfig, Plant

PORTS: Final = 100
"""So many ports from a first one on belong to the simulator; of `opcua_port` only itself."""
FOLDER: Final = "simulated"
"""Serial lines and folders of simulated devices are in a folder of this name."""
HERE: Final = ("127.0.0.1", "localhost")
PORT_KEYS: Final[Mapping[str, str]] = {
    "modbus-tcp": "modbus_port",
    "opcua": "opcua_port",
    "s7": "machine_port",
    "ethernet-ip": "machine_port",
    "open-protocol": "machine_port",
    "mtconnect": "machine_port",
    "http": "machine_port",
    "webhook": "machine_port",
}
"""Driver -> key of the simulator section from which its ports are counted."""
_PATHS: Final[Mapping[str, str]] = {"modbus-rtu": "port", "files": "folder"}


def option(device: DeviceConfig, name: str) -> Any:
    """A connection option of a device, whether the plant was loaded by `load_plant` or validated alone."""
    connection: Any = device.connection
    return connection.get(name) if isinstance(connection, dict) else getattr(connection, name, None)


def with_options(device: DeviceConfig, **options: Any) -> DeviceConfig:
    """The device with other connection options."""
    connection: Any = device.connection
    changed = {**connection, **options} if isinstance(connection, dict) else connection.model_copy(update=options)
    return device.model_copy(update={"connection": changed})


def endpoint(device: DeviceConfig) -> tuple[str, int]:
    """Host and TCP port of a device; ('', 0) for one that has none."""
    url = option(device, "url")
    if isinstance(url, str):
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or 0
    port = option(device, "port")
    if device.driver == "modbus-tcp" and port is None:
        port = 502
    number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdecimal()) else 0
    return str(option(device, "host") or ("127.0.0.1" if device.driver == "webhook" else "")), number


def with_port(device: DeviceConfig, port: int) -> DeviceConfig:
    """The device at another TCP port of the same host."""
    url = option(device, "url")
    if isinstance(url, str):
        return with_options(device, url=url.replace(f":{endpoint(device)[1]}", f":{port}", 1))
    return with_options(device, port=port)


def simulated(plant: Plant, device: DeviceConfig) -> bool:
    """True when the simulator is what is at the other end of this device's connection."""
    settings = plant.simulator
    if settings is None or not device.enabled:
        return False
    if device.driver in _PATHS:
        return FOLDER in PurePath(str(option(device, _PATHS[device.driver]) or "")).parts
    host, port = endpoint(device)
    if device.driver == "mqtt":
        return not plant.hub.broker and host in HERE and port == plant.hub.broker_port
    key = PORT_KEYS.get(device.driver)
    if key is None or host not in HERE:
        return False
    first: int = getattr(settings, key)
    return 0 <= port - first < (1 if key == "opcua_port" else PORTS)


def left_alone(plant: Plant) -> tuple[str, ...]:
    """What to say of devices on this computer that the simulator could serve, but for their ports."""
    settings, said = plant.simulator, []
    for device in plant.devices if settings is not None else ():
        key, (host, port) = PORT_KEYS.get(device.driver), endpoint(device)
        if key is not None and host in HERE and device.enabled and not simulated(plant, device):
            said.append(f"{device.id} at port {port} (simulator.{key} is {getattr(settings, key)})")
    return tuple(said)
