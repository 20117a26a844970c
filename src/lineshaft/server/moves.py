"""The TCP ports that a plant listens on, and moving it to others where they are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from lineshaft.config.models import DeviceConfig, Plant
from lineshaft.errors import ConfigError
from lineshaft.server import ports
from lineshaft.server.folder import DataFolder

Moves = Mapping[str, int]
"""Key of the plant, like 'hub.port' -> another port."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SIMULATOR_KEYS = ("modbus_port", "opcua_port", "api_port")


def own_ports(plant: Plant, *, simulated: bool) -> dict[str, tuple[int, ...]]:
    """Key -> the ports that are taken from it on when this plant runs here; with the simulator's when `simulated`."""
    found: dict[str, tuple[int, ...]] = {"hub.port": (plant.hub.port,)}
    if not plant.hub.broker:
        found["hub.broker_port"] = (plant.hub.broker_port,)
    if simulated and plant.simulator is not None:
        modbus, opcua = _loopback_ports(plant.devices, "port"), _loopback_ports(plant.devices, "url")
        found["simulator.modbus_port"] = tuple(sorted({plant.simulator.modbus_port, *modbus}))
        found["simulator.opcua_port"] = tuple(sorted({plant.simulator.opcua_port, *opcua}))
        found["simulator.api_port"] = (plant.simulator.api_port,)
    return {key: tuple(port for port in wanted if port) for key, wanted in found.items()}


def busy(wanted: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Key -> words about the first of its ports that is taken and who holds it."""
    found = {}
    for key, numbers in wanted.items():
        taken = next((port for port in numbers if not ports.is_free(port)), None)
        if taken is not None:
            owner = ports.owner(taken)
            found[key] = f"port {taken} ({key}) is in use" + (f" by {owner}" if owner else "")
    return found


def refuse_busy(wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ConfigError when a port is taken."""
    found = busy(wanted)
    if found:
        raise ConfigError(
            "; ".join(found.values()), hint=f"end that program, or change {', '.join(found)} in the plant"
        )


def choose_moves(wanted: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Key -> the next place where all its ports are free, for each key with a taken one."""
    moves: dict[str, int] = {}
    reserved = {port for numbers in wanted.values() for port in numbers}
    for key in busy(wanted):
        offsets = [port - wanted[key][0] for port in wanted[key]]
        first = wanted[key][0] + 1
        while True:
            first = ports.next_free(first, reserved)
            block = [first + offset for offset in offsets]
            if not reserved.intersection(block) and all(ports.is_free(port) for port in block):
                break
            first += 1
        moves[key] = first
        reserved.update(block)
    return moves


def move(plant: Plant, moves: Moves) -> Plant:
    """The same plant on other ports. Raises ConfigError for a key that names no port."""
    unknown = set(moves) - {"hub.port", "hub.broker_port", *(f"simulator.{key}" for key in _SIMULATOR_KEYS)}
    if unknown:
        raise ConfigError(f"{', '.join(sorted(unknown))} is no port that can be moved")
    hub = {key: moves[f"hub.{key}"] for key in ("port", "broker_port") if f"hub.{key}" in moves}
    plant = plant.model_copy(update={"hub": plant.hub.model_copy(update=hub)})
    if plant.simulator is None or not any(key.startswith("simulator.") for key in moves):
        return plant
    now = {key: moves.get(f"simulator.{key}", getattr(plant.simulator, key)) for key in _SIMULATOR_KEYS}
    relocate: Any = import_module("lineshaft.simulator.ports").relocate  # only where a simulator is installed
    moved: Plant = relocate(plant, **now)
    return moved


def parse_moves(texts: Iterable[str]) -> dict[str, int]:
    """['hub.port=8721'] -> {'hub.port': 8721}. Raises ConfigError."""
    moves = {}
    for text in texts:
        key, _, port = text.partition("=")
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"'{text}' is not key=port")
        moves[key] = int(port)
    return moves


def moves_of(data: DataFolder) -> dict[str, int]:
    """The moves of the parts that run on this data folder."""
    try:
        return parse_moves(data.moves.read_text(encoding="ascii").split())
    except OSError:
        return {}


@contextmanager
def written_down(data: DataFolder, moves: Moves) -> Iterator[None]:
    """Tell other commands about the moves for as long as the parts run."""
    data.moves.write_text("".join(f"{key}={port}\n" for key, port in moves.items()), encoding="ascii")
    try:
        yield
    finally:
        data.moves.unlink(missing_ok=True)


def _loopback_ports(devices: Iterable[DeviceConfig], option: str) -> set[int]:
    """Ports of devices that are said to be on this computer."""
    found = set()
    for device in devices:
        value = getattr(device.connection, option, None)
        if isinstance(value, int) and getattr(device.connection, "host", "") in _LOOPBACK:
            found.add(value)
        elif isinstance(value, str):
            parts = urlsplit(value)
            if parts.hostname in _LOOPBACK and parts.port:
                found.add(parts.port)
    return found
