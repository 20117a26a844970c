"""From a plant's devices to what each simulated signal looks like once it went through its register, node or tag."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lineshaft.config.models import DeviceConfig, Plant, SignalConfig
from lineshaft.drivers.bits import BitField, field_of
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.mapping import JsonAddress
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.s7.address import S7Address
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import Float64Array
from lineshaft.simulator.devices import simulated

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
    "byte": (0, 255),
    "int": (-(2.0**15), 2.0**15 - 1),
    "word": (0, 2.0**16 - 1),
    "uint": (0, 2.0**16 - 1),
    "dint": (-(2.0**31), 2.0**31 - 1),
    "udint": (0, 2.0**32 - 1),
    "dword": (0, 2.0**32 - 1),
    "lint": (-(2.0**53), 2.0**53),
    "ulint": (0, 2.0**53),
}
_INTEGERS = {
    Datatype.INT8, Datatype.INT16, Datatype.INT32, Datatype.INT64, Datatype.UINT8, Datatype.UINT16, Datatype.UINT32,
    Datatype.UINT64, Datatype.BOOLEAN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal of the plant as the simulator serves it. `address`: an instance of its driver's address model."""

    path: str  # below the site
    full_path: str
    device: DeviceConfig
    signal: SignalConfig
    address: Any

    @property
    def kind(self) -> SignalKind:
        """Kind of the signal."""
        return self.signal.kind

    @property
    def bits(self) -> BitField | None:
        """The field of bits in hexadecimal text that it is; None for what stands in its document as it is."""
        return field_of(self.address.bits) if isinstance(self.address, JsonAddress) and self.address.bits else None

    @property
    def integer_range(self) -> tuple[float, float] | None:
        """Smallest and largest raw number; None when the raw number is no integer."""
        if isinstance(self.address, ModbusAddress) and self.address.last_bit is not None:
            return 0, 2 ** (self.address.last_bit - (self.address.bit or 0) + 1) - 1
        if isinstance(self.address, ModbusAddress | S7Address):
            return _RANGES.get(self.address.coding)
        if self.bits is not None:
            return self.bits.limits
        return (-(2.0**53), 2.0**53) if self.signal.datatype in _INTEGERS else None

    @property
    def single(self) -> bool:
        """True when the raw number is a 32-bit float."""
        if isinstance(self.address, ModbusAddress | S7Address):
            return self.address.coding in ("float32", "real")
        if self.bits is not None:
            return (self.bits.coding, self.bits.width) == ("float", 32)
        return self.signal.datatype is Datatype.FLOAT

    def raw(self, values: Float64Array) -> Float64Array:
        """float64[n]: raw numbers of the device for model values, rounded as the device would."""
        raw = (values - self.signal.offset) / self.signal.scale
        limits = self.integer_range
        if limits is not None:
            return np.clip(np.rint(raw), *limits)
        digits = self.signal.decimals
        if digits is not None:
            raw = np.round(raw, digits + math.ceil(math.log10(abs(self.signal.scale))))
        return raw.astype(np.float32).astype(np.float64) if self.single else raw

    def seen(self, raw: Float64Array) -> Float64Array:
        """float64[n]: values as a driver delivers them after scaling."""
        if self.signal.scale == 1.0 and self.signal.offset == 0.0:
            return raw
        return raw * self.signal.scale + self.signal.offset

    def word(self, raw: float) -> float | str:
        """What the device holds for a raw number: the word that the plant's `map` turns into it, where it has one."""
        return next((word for word, number in self.signal.map.items() if number == raw), raw)


def channels_of(plant: Plant) -> tuple[Channel, ...]:
    """Every signal of the simulated devices that is one number or text; see `waves_of` for the others."""
    return tuple(channel for channel in _channels(plant) if channel.kind is not SignalKind.WAVEFORM)


def waves_of(plant: Plant) -> tuple[Channel, ...]:
    """Every waveform of the simulated devices."""
    return tuple(channel for channel in _channels(plant) if channel.kind is SignalKind.WAVEFORM)


def _channels(plant: Plant) -> Iterator[Channel]:
    for device in plant.devices:
        if not simulated(plant, device):
            continue
        model = DRIVERS[device.driver].address
        for signal in device.signals:
            asset = signal.asset or device.asset
            path = f"{asset}/{signal.name}"
            full = f"{plant.plant.enterprise}/{plant.plant.site}/{path}"
            address = signal.address if isinstance(signal.address, model) else model.model_validate(signal.address)
            yield Channel(path, full, device, signal, address)
