"""From a plant's devices to what each simulated signal looks like once it went through its register or node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from lineshaft.config.models import DeviceConfig, Plant, SignalConfig
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.opcua.options import OpcuaAddress
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import Float64Array

MODBUS_PORTS = 100
"""Devices at ports from `simulator.modbus_port` on, so many of them, are simulated."""
_HERE = ("127.0.0.1", "localhost")
_RANGES: Mapping[str, tuple[float, float]] = {
    "int16": (-32767, 32767),
    "uint16": (0, 65534),
    "enum": (0, 65534),
    "int32": (-(2.0**31) + 1, 2.0**31 - 1),
    "uint32": (0, 2.0**32 - 2),
    "acc32": (0, 2.0**32 - 1),
    "int64": (-(2.0**53), 2.0**53),
    "uint64": (0, 2.0**53),
    "bcd16": (0, 9999),
    "bcd32": (0, 99_999_999),
    "mod10k": (0, 99_999_999),
    "bit": (0, 1),
    "bool": (0, 1),
}
_INTEGERS = {
    Datatype.INT8, Datatype.INT16, Datatype.INT32, Datatype.INT64, Datatype.UINT8, Datatype.UINT16, Datatype.UINT32,
    Datatype.UINT64, Datatype.BOOLEAN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal of the plant as the simulator serves it."""

    path: str  # below the site
    full_path: str
    device: DeviceConfig
    signal: SignalConfig
    address: ModbusAddress | OpcuaAddress

    @property
    def kind(self) -> SignalKind:
        """Kind of the signal."""
        return self.signal.kind

    @property
    def integer_range(self) -> tuple[float, float] | None:
        """Smallest and largest raw number; None when the raw number is no integer."""
        if isinstance(self.address, OpcuaAddress):
            return (-(2.0**53), 2.0**53) if self.signal.datatype in _INTEGERS else None
        if self.address.last_bit is not None:
            return 0, 2 ** (self.address.last_bit - (self.address.bit or 0) + 1) - 1
        return _RANGES.get(self.address.coding)

    @property
    def single(self) -> bool:
        """True when the raw number is a 32-bit float."""
        if isinstance(self.address, ModbusAddress):
            return self.address.coding == "float32"
        return self.signal.datatype is Datatype.FLOAT

    def raw(self, values: Float64Array) -> Float64Array:
        """float64[n]: raw numbers of the device for model values, rounded as the device would."""
        raw = (values - self.signal.offset) / self.signal.scale
        limits = self.integer_range
        if limits is not None:
            return np.clip(np.rint(raw), *limits)
        digits = self.signal.decimals
        raw = raw if digits is None else np.round(raw, digits)
        return raw.astype(np.float32).astype(np.float64) if self.single else raw

    def seen(self, raw: Float64Array) -> Float64Array:
        """float64[n]: values as a driver delivers them after scaling."""
        if self.signal.scale == 1.0 and self.signal.offset == 0.0:
            return raw
        return raw * self.signal.scale + self.signal.offset


def channels_of(plant: Plant) -> tuple[Channel, ...]:
    """Every signal of the simulated devices: those on this computer at the simulator's ports."""
    found = []
    for device in plant.devices:
        if not simulated(plant, device):
            continue
        for signal in device.signals:
            asset = signal.asset or device.asset
            path = f"{asset}/{signal.name}"
            full = f"{plant.plant.enterprise}/{plant.plant.site}/{path}"
            found.append(Channel(path, full, device, signal, _address(device, signal.address)))
    return tuple(found)


def simulated(plant: Plant, device: DeviceConfig) -> bool:
    """True when the simulator is what answers for this device."""
    settings = plant.simulator
    if settings is None or not device.enabled:
        return False
    if device.driver == "modbus-tcp":
        host, port = option(device, "host"), int(option(device, "port") or 502)
        return host in _HERE and 0 <= port - settings.modbus_port < MODBUS_PORTS
    if device.driver == "opcua":
        url = urlsplit(str(option(device, "url")))
        return url.hostname in _HERE and url.port == settings.opcua_port
    return False


def option(device: DeviceConfig, name: str) -> Any:
    """A connection option of a device, whether the plant was loaded by `load_plant` or validated alone."""
    connection: Any = device.connection
    return connection.get(name) if isinstance(connection, dict) else getattr(connection, name, None)


def _address(device: DeviceConfig, address: Any) -> ModbusAddress | OpcuaAddress:
    if device.driver == "opcua":
        return address if isinstance(address, OpcuaAddress) else OpcuaAddress.model_validate(address)
    return address if isinstance(address, ModbusAddress) else ModbusAddress.model_validate(address)
