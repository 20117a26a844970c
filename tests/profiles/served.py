"""Any profile as a device to talk to: the simulator's servers, filled from the profile's own data."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from asyncua import ua
from tests.drivers.opcua.space import new_server

from lineshaft.config.models import DeviceConfig, ProfileConfig, SignalConfig
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.s7.address import S7Address
from lineshaft.model.equipment import Datatype
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.factory import Frame
from lineshaft.simulator.servers.base import Shown
from lineshaft.simulator.servers.documents import document, grouped
from lineshaft.simulator.servers.ethernet_ip import EthernetIpServer
from lineshaft.simulator.servers.ethernet_ip_tags import Member
from lineshaft.simulator.servers.json_api import JsonServer
from lineshaft.simulator.servers.modbus import ModbusServer
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentItem, AgentObservation
from lineshaft.simulator.servers.s7 import S7Server

UNSIGNED = {"uint16", "uint32", "uint64", "acc32", "enum", "word", "byte"}
BITS = {"bool", "bit"}
WORDS_OF_TWO = {"0", "1"}
Raw = Mapping[str, float | str]


def raw_value(number: int, signal: SignalConfig, address: Any) -> float | str:
    """What the device holds for signal `number`: different for each, negative where its type has a sign."""
    coding = getattr(address, "coding", "")
    if signal.datatype is Datatype.STRING or getattr(address, "is_text", False):
        return f"00{number}"
    if signal.states:
        codes = [int(code) for code in signal.states]
        return codes[(number + 1) % len(codes)]
    if coding in BITS:
        return number % 2
    if getattr(address, "bits", ""):
        return -(100 + number)
    if (
        signal.datatype is Datatype.UINT8
        or coding in UNSIGNED
        or (isinstance(address, ModbusAddress) and address.scale_from is not None)
    ):
        return 100 + number
    if isinstance(address, ModbusAddress) and address.scale_from is not None:
        return -(100 + number)
    return -(100 + number) + (0.5 if signal.decimals and coding not in ("int16", "int32", "int64") else 0)


def raw_of(profile: ProfileConfig, addresses: Sequence[Any]) -> dict[str, float | str]:
    """One raw value for each signal, by its name."""
    pairs = enumerate(zip(profile.signals, addresses, strict=True))
    return {signal.name: raw_value(number, signal, address) for number, (signal, address) in pairs}


@asynccontextmanager
async def served(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    """Run a device that holds `raw`; gives the connection options that a plant file would have."""
    driver = profile.drivers[0].replace("-rtu", "-tcp")
    async with _SERVERS[driver](profile, raw) as options:
        yield {**profile.connection, **options}


def addresses_of(profile: ProfileConfig) -> list[Any]:
    """The addresses as its driver understands them."""
    model = DRIVERS[profile.drivers[0]].address
    return [model.model_validate(signal.address) for signal in profile.signals]


@asynccontextmanager
async def _modbus(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    connection = DRIVERS["modbus-tcp"].connection.model_validate({**profile.connection, "host": "127.0.0.1"})
    device = DeviceConfig(id="d", driver="modbus-tcp", connection=connection, signals=profile.signals)
    channels = [
        Channel(signal.name, signal.name, device, signal, address)
        for signal, address in zip(profile.signals, addresses_of(profile), strict=True)
    ]
    server = ModbusServer("127.0.0.1", 0, channels)
    await server.start()
    try:
        await server.show(Shown(Frame(np.zeros(1, np.int64), 0, {}, {}, {}), raw, {}))
        yield {"host": "127.0.0.1", "port": server.port}
    finally:
        await server.stop()


@asynccontextmanager
async def _s7(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    plc = S7Server("127.0.0.1", 0)
    addresses: list[S7Address] = addresses_of(profile)
    for area, number in {(address.area, address.db) for address in addresses}:
        mine = [address for address in addresses if (address.area, address.db) == (area, number)]
        plc.make(area, number, max(address.byte + address.size for address in mine))
    for address, value in zip(addresses, raw.values(), strict=True):
        plc.put(address, value)
    await plc.start()
    try:
        yield {"host": "127.0.0.1", "port": plc.port}
    finally:
        await plc.stop()


def _type(signal: SignalConfig) -> str:
    if signal.datatype is Datatype.STRING:
        return "STRING"
    if set(signal.states) == WORDS_OF_TWO:
        return "BOOL"
    return "REAL" if signal.decimals else "DINT"


def _structure(plc: EthernetIpServer, name: str, tree: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Define a data type for a tree of members; gives its name and its contents. `Member[0]` is an array of one."""
    members: list[Member] = []
    values: dict[str, Any] = {}
    for member, below in tree.items():
        bare, array, _ = member.partition("[")
        kind, value = below if isinstance(below, tuple) else _structure(plc, f"{name}_{bare}", below)
        members.append(Member(bare, kind, 1 if array else 0))
        values[bare] = [value] if array else value
    plc.define(name, members)
    return name, values


@asynccontextmanager
async def _ethernet_ip(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    tree: dict[str, Any] = {}
    for signal, value in zip(profile.signals, raw.values(), strict=True):
        *above, last = str(signal.address).split(".")
        place = tree
        for part in above:
            place = place.setdefault(part, {})
        place[last] = (_type(signal), value)
    plc = EthernetIpServer("127.0.0.1", 0)
    plc.put("Filler_1", *_structure(plc, "Unit_t", tree))
    await plc.start()
    try:
        yield {"host": "127.0.0.1", "port": plc.port, "prefix": "Filler_1."}
    finally:
        await plc.stop()


@asynccontextmanager
async def _mtconnect(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    items = tuple(
        AgentItem(str(signal.address), "EVENT" if signal.datatype is Datatype.STRING else "SAMPLE", "POSITION")
        for signal in profile.signals
    )
    async with MtconnectAgent("127.0.0.1", 0, AgentDevice("cnc", "uuid-1", items)) as agent:
        now = time.time_ns() // 1000
        agent.observe(AgentObservation(item.id, now, value) for item, value in zip(items, raw.values(), strict=True))
        yield {"url": agent.url, "mode": "poll"}


@asynccontextmanager
async def _opcua(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    kinds = {
        Datatype.INT32: ua.VariantType.Int32,
        Datatype.UINT8: ua.VariantType.Byte,
        Datatype.STRING: ua.VariantType.String,
    }
    server = await new_server()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.start()
    try:
        for signal in profile.signals:
            assert signal.datatype is not None
            value = raw[signal.name]
            variant = ua.Variant(value if isinstance(value, str) else int(value), kinds[signal.datatype])
            await server.write_attribute_value(ua.NodeId.from_string(str(signal.address)), ua.DataValue(variant))
        yield {"url": f"opc.tcp://127.0.0.1:{server.bserver.port}/", "security": "none", "mode": "poll"}
    finally:
        await server.stop()


@asynccontextmanager
async def _http(profile: ProfileConfig, raw: Raw) -> AsyncIterator[dict[str, Any]]:
    connection = DRIVERS["http"].connection.model_validate({**profile.connection, "url": "http://127.0.0.1"})
    device = DeviceConfig(id="d", driver="http", connection=connection, signals=profile.signals)
    channels = [
        Channel(signal.name, signal.name, device, signal, address)
        for signal, address in zip(profile.signals, addresses_of(profile), strict=True)
    ]
    shown = Shown(Frame(np.zeros(1, np.int64), 0, {}, {}, {}), raw, {})
    server = JsonServer("127.0.0.1", 0)
    server.documents = {f"/{path}": document(group, shown) for path, group in grouped(channels, "path").items()}
    await server.start()
    try:
        yield {"url": f"http://127.0.0.1:{server.port}"}
    finally:
        await server.stop()


_SERVERS = {
    "modbus-tcp": _modbus,
    "s7": _s7,
    "ethernet-ip": _ethernet_ip,
    "mtconnect": _mtconnect,
    "opcua": _opcua,
    "http": _http,
}
