"""A machining centre behind an MTConnect agent: its data items, and what it observes of the factory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lineshaft.errors import ConfigError
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentItem, AgentObservation

_CONTROLLER: Final = ("Controller:controller",)
_PATH: Final = ("Controller:controller", "Path:path")
_X: Final = ("Axes:base", "Linear:X")
_Z: Final = ("Axes:base", "Linear:Z")
_SPINDLE: Final = ("Axes:base", "Rotary:C")
_COOLANT: Final = ("Systems:systems", "Coolant:coolant")
_ELECTRIC: Final = ("Systems:systems", "Electric:electric")
_AVAILABLE: Final = "avail"


def _event(type_: str, component: tuple[str, ...], sub_type: str = "") -> AgentItem:
    return AgentItem("", "EVENT", type_, component, sub_type=sub_type)


def _sample(type_: str, component: tuple[str, ...], units: str, sub_type: str = "") -> AgentItem:
    return AgentItem("", "SAMPLE", type_, component, sub_type=sub_type, units=units)


ITEMS: Final[Mapping[str, AgentItem]] = {
    "state": _event("EXECUTION", _PATH),
    "stop-reason": _event("MESSAGE", _PATH),
    "product": _event("PART_NUMBER", _PATH),
    "serial": _event("SERIAL_NUMBER", _PATH),
    "parts-good": _event("PART_COUNT", _PATH, "GOOD"),
    "parts-bad": _event("PART_COUNT", _PATH, "BAD"),
    "cycle-time": _sample("PROCESS_TIMER", _PATH, "SECOND", "PROCESS"),
    "program": _event("PROGRAM", _PATH),
    "door": _event("DOOR_STATE", ("Door:door",)),
    "tool-life": _event("VARIABLE", _CONTROLLER),
    "tool": _event("TOOL_NUMBER", _PATH),
    "feed-rate": _sample("PATH_FEEDRATE", _PATH, "MILLIMETER/SECOND", "ACTUAL"),
    "x-load": _sample("LOAD", _X, "PERCENT"),
    "z-load": _sample("LOAD", _Z, "PERCENT"),
    "power": _sample("WATTAGE", _ELECTRIC, "WATT"),
    "energy": _sample("ELECTRICAL_ENERGY", _ELECTRIC, "WATT_SECOND"),
    "spindle/speed": _sample("ROTARY_VELOCITY", _SPINDLE, "REVOLUTION/MINUTE", "ACTUAL"),
    "spindle/load": _sample("LOAD", _SPINDLE, "PERCENT"),
    "spindle/temperature": _sample("TEMPERATURE", _SPINDLE, "CELSIUS"),
    "spindle/vibration": _sample("VELOCITY", _SPINDLE, "MILLIMETER/SECOND"),
    "spindle/acceleration": _sample("ACCELERATION", _SPINDLE, "MILLIMETER/SECOND^2"),
    "coolant-pump/pressure": _sample("PRESSURE", _COOLANT, "PASCAL"),
    "coolant-pump/flow": _sample("FLOW", _COOLANT, "LITER/SECOND"),
    "coolant-pump/temperature": _sample("TEMPERATURE", _COOLANT, "CELSIUS"),
    "coolant-pump/level": _sample("FILL_LEVEL", _COOLANT, "PERCENT"),
}
"""Signal below the machine -> its data item; ids are those that the plant's addresses name."""


def cnc_machine(channels: Sequence[Channel]) -> OneMachine:
    """An agent with one machine. Raises ConfigError for a signal that no machining centre has."""
    device = channels[0].device
    items = [AgentItem(_AVAILABLE, "EVENT", "AVAILABILITY"), *(_item(channel) for channel in channels)]
    described = AgentDevice(device.id, f"lineshaft-{device.id}", tuple(items), "Lineshaft", "Simulated")
    agent = MtconnectAgent(*endpoint(device), described)
    seen: dict[str, tuple[float | str, int]] = {}
    instance = 0

    def observations(shown: Shown) -> Iterator[AgentObservation]:
        nonlocal instance
        if agent.instance != instance:  # it began anew, with an empty buffer
            instance = agent.instance
            seen.clear()
            yield AgentObservation(_AVAILABLE, int(shown.frame.times[-1]), "AVAILABLE")
        for channel in channels:
            now = shown.raw[channel.path], shown.times[channel.path]
            before = seen.get(channel.path)
            if before is None or before[0] != now[0]:
                seen[channel.path] = now
                yield AgentObservation(channel.address.item, now[1], _text(channel, now[0]))

    return OneMachine(channels, agent, lambda shown: agent.observe(observations(shown)))


def _item(channel: Channel) -> AgentItem:
    known = ITEMS.get(channel.path.removeprefix(f"{channel.device.asset}/"))
    if known is None:
        raise ConfigError(
            f"the simulated agent has no data item for {channel.path}", hint=f"a machine has: {', '.join(ITEMS)}"
        )
    return AgentItem(
        channel.address.item, known.category, known.type, known.component, channel.signal.name, known.sub_type,
        known.units,
    )  # fmt: skip


def _text(channel: Channel, raw: float | str) -> float | str:
    """An integer has no decimal point in a document."""
    return str(int(raw)) if isinstance(raw, float) and channel.integer_range is not None else raw
