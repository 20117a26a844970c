"""The TCP ports that a plant listens on, and moving it to others where they are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.server import ports
from lineshaft.server.folder import DataFolder
from lineshaft.simulator.devices import HERE, PORT_KEYS, endpoint, simulated, with_port
from lineshaft.simulator.ports import relocate

Moves = Mapping[str, int]
"""Key of the plant, like 'hub.port' -> another port."""

_SIMULATOR_KEYS = (*dict.fromkeys(PORT_KEYS.values()), "api_port")


def own_ports(plant: Plant, *, with_simulator: bool) -> dict[str, tuple[int, ...]]:
    """Key -> the ports that are taken from it on when this plant runs here."""
    found: dict[str, tuple[int, ...]] = {"hub.port": (plant.hub.port,)}
    if not plant.hub.broker:
        found["hub.broker_port"] = (plant.hub.broker_port,)
    if with_simulator and plant.simulator is not None:
        wanted: dict[str, set[int]] = {name: {getattr(plant.simulator, name)} for name in _SIMULATOR_KEYS}
        for device in plant.devices:
            if device.driver in PORT_KEYS and simulated(plant, device):
                wanted[PORT_KEYS[device.driver]].add(endpoint(device)[1])
        found |= {f"simulator.{name}": tuple(sorted(numbers)) for name, numbers in wanted.items()}
    return {key: tuple(port for port in wanted_ports if port) for key, wanted_ports in found.items()}


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
    plant = _with_broker(plant, hub["broker_port"]) if "broker_port" in hub and not plant.hub.broker else plant
    plant = plant.model_copy(update={"hub": plant.hub.model_copy(update=hub)})
    return relocate(plant, {key: moves[f"simulator.{key}"] for key in _SIMULATOR_KEYS if f"simulator.{key}" in moves})


def _with_broker(plant: Plant, port: int) -> Plant:
    """Devices that talk through the embedded broker follow it to another port."""
    devices = tuple(
        with_port(device, port)
        if device.driver == "mqtt" and endpoint(device)[0] in HERE and endpoint(device)[1] == plant.hub.broker_port
        else device
        for device in plant.devices
    )
    return plant.model_copy(update={"devices": devices})


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
