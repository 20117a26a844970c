"""What the Modbus driver makes of blocks of registers that hold a burst."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from tests.drivers.modbus.device import FieldDevice, registers

from lineshaft.drivers.base import Point, WavePoint
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.driver import ModbusDriver
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.errors import DataError, PeerTimeout
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

COUNTS = [round(3000 * np.sin(0.3 * at)) for at in range(300)]


def at(text: str, **more: Any) -> ModbusAddress:
    address = ModbusAddress.model_validate(text)
    return address.model_copy(update=more)


def wave_of(batch: SampleBatch) -> Waveform:
    assert batch.waves is not None
    (wave,) = batch.waves
    assert isinstance(wave, Waveform)
    return wave


def sensor() -> FieldDevice:
    """Counter 10, rate 11 (Hz as uint32), speed 13, 300 counts from 100 on; the same as floats from 1000 on."""
    device = FieldDevice()
    device.put("input", 10, [7, *registers(">I", 25_600), 1480])
    device.put("input", 100, registers(f">{len(COUNTS)}h", *COUNTS))
    device.put("holding", 1000, registers(">3f", 0.25, -1.5, 1e-3))
    device.put("holding", 2000, [0x0000, 0x3E80, 0x0000, 0xBFC0])  # 0.25 and -1.5 with their words swapped
    return device


async def driver_at(device: FieldDevice, **options: Any) -> ModbusDriver:
    driver = ModbusDriver(TcpConnection(host="127.0.0.1", port=device.port, **options))
    await driver.connect()
    return driver


POINT = WavePoint(
    3, at("input:100:int16", sequence=10), rate_address=at("input:11:uint32"), speed_address=at("input:13"),
    samples=300, scale=0.01,
)  # fmt: skip


async def test_a_burst_comes_once_with_rate_and_speed() -> None:
    """The counts are exact, in as few requests as allowed; the same burst is not read again, the next one is."""
    async with sensor() as device:
        driver = await driver_at(device)
        wave = wave_of(await driver.read_waveform(POINT))
        assert (wave.samples.dtype, wave.samples.tolist(), wave.scale) == (np.int16, COUNTS, 0.01)
        assert (wave.rate, wave.speed) == (25_600.0, 1480.0)
        assert [count for _, _, first, count in device.requests if first >= 100] == [125, 125, 50]
        device.requests.clear()
        assert len(await driver.read_waveform(POINT)) == 0
        assert [first for _, _, first, _ in device.requests] == [10]
        device.put("input", 10, [8])
        assert len(await driver.read_waveform(POINT)) == 1
        await driver.close()


async def test_floats_in_every_order_and_small_blocks() -> None:
    """float32 with its words swapped comes right, and no sample is torn between two requests."""
    async with sensor() as device:
        driver = await driver_at(device, max_block=3)
        plain = WavePoint(0, at("holding:1000:float32"), rate=100.0, samples=3)
        swapped = WavePoint(1, at("holding:2000:float32:CDAB"), rate=100.0, samples=2)
        assert wave_of(await driver.read_waveform(plain)).values() == pytest.approx([0.25, -1.5, 1e-3])
        assert [count for _, _, _, count in device.requests] == [2, 2, 2]
        assert wave_of(await driver.read_waveform(swapped)).values().tolist() == [0.25, -1.5]
        await driver.close()


async def test_a_burst_that_is_overwritten_while_it_is_read_is_read_anew() -> None:
    """Half of one burst and half of the next never make one; a device that never rests is told of."""

    def grow(count: int) -> float:
        """The sensor takes its next burst as the samples are asked for."""
        if rest and device.requests and device.requests[-1][2] == 225:
            rest.pop()
            fresh = [one + 1 for one in COUNTS]
            device.put("input", 10, [device.units[1]["input"][10] + 1])
            device.put("input", 100, registers(f">{len(fresh)}h", *fresh))
        return 0.0

    rest = [None]
    device = sensor()
    device.delay = grow
    async with device:
        driver = await driver_at(device)
        assert wave_of(await driver.read_waveform(POINT)).samples.tolist() == [one + 1 for one in COUNTS]
        rest += [None] * 9
        device.put("input", 10, [50])
        with pytest.raises(DataError, match="a new burst each of the 3 times"):
            await driver.read_waveform(POINT)
        await driver.close()


async def test_what_is_no_burst() -> None:
    """Registers that are not there are a bad row; what can never be samples is refused in words."""
    async with sensor() as device:
        driver = await driver_at(device)
        for handle, address in enumerate(("input:390:int16", "input:65500:int16"), 10):
            missing = await driver.read_waveform(WavePoint(handle, at(address), rate=10.0, samples=100))
            assert (missing.waves, missing.qualities.tolist()) == (None, [Quality.BAD_ADDRESS])
        for point, words in (
            (WavePoint(0, at("input:100:string4"), rate=10.0, samples=4), "not string"),
            (WavePoint(1, at("coil:1"), rate=10.0, samples=4), "not bit"),
            (WavePoint(2, at("input:100:int16"), rate=10.0), "how many registers"),
            (WavePoint(3, at("input:100:int16"), samples=4), "without its sample rate"),
        ):
            with pytest.raises(DataError, match=words):
                await driver.read_waveform(point)
        device.silent.add(1)
        alone = await driver_at(device, timeout=0.2)
        with pytest.raises(PeerTimeout):
            await alone.read_waveform(POINT)
        await alone.close()
        await driver.close()


async def test_others_on_the_line_speak_between_the_blocks() -> None:
    """A long burst does not hold the line: a meter behind the same port is read before the burst is whole."""
    device = sensor()
    device.put("holding", 0, [42], unit=2)
    device.delay = lambda count: 0.01
    async with device:
        slow, meter = await driver_at(device, max_block=10), await driver_at(device, unit=2)
        burst = asyncio.create_task(slow.read_waveform(POINT))
        await asyncio.wait_for(device.asked.wait(), 20)
        value = await meter.read((Point(0, at("holding:0")),))
        assert (value.values.tolist(), burst.done()) == ([42.0], False)
        assert len(wave_of(await burst)) == 300
        await slow.close()
        await meter.close()
