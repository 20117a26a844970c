"""The registers of a vibration monitor that speaks Modbus: counts, number of the burst, rate and speed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.errors import ConfigError
from lineshaft.simulator import bursts
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.servers.base import Shown

_LAST: Final = 0xFFFF
Place = tuple[ModbusAddress, Sequence[float]]
"""Where values begin, and the values one after another."""


def places(channel: Channel) -> dict[str, ModbusAddress]:
    """Where a waveform has its samples, sequence, rate and speed. Raises ConfigError when it cannot be served."""
    address: ModbusAddress = channel.address
    wave = channel.signal.waveform
    if wave is None or wave.samples is None or wave.samples > bursts.SAMPLES:
        raise ConfigError(f"the simulator cannot serve {channel.path}", hint=f"set samples to at most {bursts.SAMPLES}")
    found: dict[str, Any] = {"samples": address, "rate": wave.rate_address, "speed": wave.speed_address}
    if address.sequence is not None:
        found["sequence"] = ModbusAddress(table=address.table, register_=address.sequence)
    return {what: ModbusAddress.model_validate(one) for what, one in found.items() if one is not None}


def size(channel: Channel, what: str, address: ModbusAddress) -> int:
    """Registers that a place takes."""
    wave = channel.signal.waveform
    return address.size * (wave.samples or 0) if what == "samples" and wave is not None else address.size


class WaveRegisters:
    """The waveforms of one unit. The monitor takes a burst of each every minute, and counts them."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)
        self._minute = -1

    def reserved(self) -> Iterator[tuple[ModbusAddress, int]]:
        """Every place and the registers that it takes."""
        for channel in self.channels:
            for what, address in places(channel).items():
                yield address, size(channel, what, address)

    async def show(self, shown: Shown) -> list[Place]:
        """What changes with the bursts of a full minute; nothing in between."""
        minute = int(shown.frame.times[-1]) // bursts.EVERY_US
        if minute == self._minute:
            return []
        self._minute = minute
        found: list[Place] = []
        for channel in self.channels:
            burst = await asyncio.to_thread(bursts.taken, channel, shown.seed, shown.frame, -1)
            wave = channel.signal.waveform
            values = {
                "samples": burst.samples[: wave.samples if wave is not None else None].tolist(),
                "rate": [bursts.RATE],
                "speed": [burst.speed],
                "sequence": [minute & _LAST],
            }
            found += [(address, values[what]) for what, address in places(channel).items()]
        return found
