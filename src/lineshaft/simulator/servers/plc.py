"""Siemens and Logix controllers whose memory and tags hold what the factory shows."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.errors import ConfigError
from lineshaft.model.equipment import Datatype
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.ethernet_ip import EthernetIpServer
from lineshaft.simulator.servers.s7 import S7Server

_TAG_TYPES = {
    Datatype.BOOLEAN: "BOOL", Datatype.INT8: "SINT", Datatype.INT16: "INT", Datatype.INT32: "DINT",
    Datatype.INT64: "LINT", Datatype.UINT8: "USINT", Datatype.UINT16: "UINT", Datatype.UINT32: "UDINT",
    Datatype.UINT64: "ULINT", Datatype.FLOAT: "REAL", Datatype.DOUBLE: "LREAL", Datatype.STRING: "STRING",
}  # fmt: skip


def s7_machine(channels: Sequence[Channel]) -> OneMachine:
    """A Siemens controller with the areas that the addresses need."""
    server = S7Server(*endpoint(channels[0].device))
    sizes: dict[tuple[str, int], int] = {}
    for channel in channels:
        address = channel.address
        place = address.area, address.db
        sizes[place] = max(sizes.get(place, 0), address.byte + address.size)
    for (area, number), size in sizes.items():
        server.make(area, number, size)  # type: ignore[arg-type]  # the key of a dict is a plain str

    def write(shown: Shown) -> None:
        for channel in channels:
            server.put(channel.address, shown.raw[channel.path])

    return OneMachine(channels, server, write)


def logix_machine(channels: Sequence[Channel]) -> OneMachine:
    """A Logix controller with one tag for each signal. Raises ConfigError for a tag that is part of another."""
    host, port = endpoint(channels[0].device)
    server = EthernetIpServer(host, port)
    tags = {
        channel.path: (_tag(channel), _TAG_TYPES[channel.signal.datatype or Datatype.DOUBLE]) for channel in channels
    }

    def write(shown: Shown) -> None:
        for path, (tag, kind) in tags.items():
            server.put(tag, kind, shown.raw[path])

    return OneMachine(channels, server, write)


def _tag(channel: Channel) -> str:
    address: TagAddress = channel.address
    plain = address.tag.removeprefix("Program:").partition(".")[2] if ":" in address.tag else address.tag
    if not plain or not plain.replace("_", "").isalnum():
        raise ConfigError(
            f"the simulator cannot serve {channel.path} at '{address.tag}'",
            hint="a simulated tag is a whole one, like Press_Force or Program:Main.Press_Force",
        )
    return address.tag
