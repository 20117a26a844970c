"""What the driver does with devices that are slow, partly dead or picky."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from lineshaft.clock import VirtualClock
from lineshaft.drivers.base import Point
from lineshaft.drivers.modbus import TCP
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.driver import ModbusDriver
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.errors import ConnectionFailed, PeerTimeout
from lineshaft.model.samples import Quality, SampleBatch

from .device import FieldDevice, registers

OK, ADDRESS, SILENT = Quality.GOOD, Quality.BAD_ADDRESS, Quality.BAD_COMMUNICATION


def points(*addresses: Any) -> tuple[Point, ...]:
    return tuple(Point(row, ModbusAddress.model_validate(address)) for row, address in enumerate(addresses))


@asynccontextmanager
async def connected(
    device: FieldDevice, clock: VirtualClock | None = None, **options: Any
) -> AsyncIterator[ModbusDriver]:
    async with device:
        settings = {"host": "127.0.0.1", "port": device.port, "framing": device.framing, "timeout": "2s", **options}
        driver = ModbusDriver(TcpConnection.model_validate(settings), clock)
        await driver.connect()
        try:
            yield driver
        finally:
            await driver.close()


def asked(device: FieldDevice) -> list[tuple[int, int]]:
    return [(start, count) for _, _, start, count in device.requests]


def good(batch: SampleBatch) -> list[float]:
    assert batch.qualities.tolist() == [OK] * len(batch)
    return list(batch.values)


@pytest.fixture
def device() -> FieldDevice:
    device = FieldDevice()
    device.put("holding", 0, range(1000))
    return device


class TestBlocks:
    async def test_near_registers_share_a_request(self, device: FieldDevice) -> None:
        """Values with small holes between them are read in one request, far ones in another."""
        async with connected(device, max_gap=4) as driver:
            wanted = points("holding:10", "holding:12:int32", "holding:18", "holding:30")
            assert good(await driver.read(wanted)) == [10, 12 * 65536 + 13, 18, 30]
        assert asked(device) == [(10, 9), (30, 1)]

    async def test_a_value_is_never_torn(self, device: FieldDevice) -> None:
        """A multi-register value at the edge of a block goes whole into the next one."""
        async with connected(device, max_block=5) as driver:
            wanted = points("holding:0", "holding:1:int32", "holding:3:int32", "holding:4:int32")
            await driver.read(wanted)
        assert asked(device) == [(0, 5), (4, 2)]

    async def test_forbidden_registers_are_never_asked_for(self, device: FieldDevice) -> None:
        """No request touches a forbidden range, and a point in it is a bad address."""
        forbidden = [{"table": "holding", "first": 12, "last": 13}]
        async with connected(device, forbidden=forbidden) as driver:
            batch = await driver.read(points("holding:11", "holding:14", "holding:13", "holding:12:int32"))
        assert batch.qualities.tolist() == [OK, OK, ADDRESS, ADDRESS]
        assert asked(device) == [(11, 1), (14, 1)]

    async def test_base_one_counts_as_the_manual_does(self, device: FieldDevice) -> None:
        """With base 1 register 1 is the first one; with an offset the block begins later."""
        async with connected(device, base=1, offset=100) as driver:
            batch = await driver.read(points("holding:1", "holding:7", "holding:0"))
        assert batch.values[:2].tolist() == [100, 106]
        assert batch.qualities.tolist() == [OK, OK, OK]
        async with connected(device, base=1) as driver:
            assert (await driver.read(points("holding:0"))).qualities.tolist() == [ADDRESS]

    async def test_coils_are_read_by_the_hundred(self) -> None:
        """Two thousand coils are one request, and each bit lands at its point."""
        device = FieldDevice()
        pattern = np.random.default_rng(5).integers(0, 2, 2000)
        device.put("coil", 0, pattern.tolist())
        async with connected(device) as driver:
            values = good(await driver.read(points(*(f"coil:{number}" for number in range(2000)))))
        assert values == pattern.tolist()
        assert asked(device) == [(0, 2000)]

    async def test_order_of_the_connection_is_the_default(self) -> None:
        """The order is set once per device, and an address may say otherwise."""
        device = FieldDevice()
        device.put("holding", 0, [*reversed(registers(">f", 1.5)), *registers(">f", 2.5)])
        async with connected(device, order="CDAB") as driver:
            assert good(await driver.read(points("holding:0:float32", "holding:2:float32:ABCD"))) == [1.5, 2.5]


class TestRefusals:
    async def test_a_hole_is_found_and_remembered(self, device: FieldDevice) -> None:
        """One unreadable register in a block marks its own point; the next reads do not ask for it again."""
        device.unreadable = {37}
        wanted = points(*(f"holding:{number}" for number in range(100)))
        async with connected(device) as driver:
            first = await driver.read(wanted)
            learning = len(device.requests)
            second = await driver.read(wanted)
        for batch in (first, second):
            assert np.flatnonzero(batch.qualities != OK).tolist() == [37]
            assert batch.qualities[37] == ADDRESS
            assert np.delete(batch.values, 37).tolist() == [*range(37), *range(38, 100)]
        assert learning < 30
        assert asked(device)[learning:] == [(0, 37), (38, 62)]

    async def test_an_unreadable_gap_costs_no_point(self, device: FieldDevice) -> None:
        """When only registers that nobody wants are unreadable, all points are good and the gap is avoided."""
        device.unreadable = {5}
        wanted = points("holding:1", "holding:4", "holding:6", "holding:9")
        async with connected(device) as driver:
            for _ in range(2):
                assert good(await driver.read(wanted)) == [1, 4, 6, 9]
        assert asked(device)[-2:] == [(1, 4), (6, 4)]

    async def test_a_device_with_a_short_limit_is_learned(self, device: FieldDevice) -> None:
        """A device that refuses long requests is read in shorter ones."""
        device.longest = 40
        wanted = points(*(f"holding:{number}" for number in range(100)))
        async with connected(device) as driver:
            await driver.read(wanted)
            device.requests.clear()
            assert good(await driver.read(wanted)) == list(range(100))
        assert max(count for _, count in asked(device)) <= 40

    async def test_a_register_that_comes_back_is_found(self, device: FieldDevice) -> None:
        """A missing register is tried again after retry_register, not on each read."""
        device.unreadable = {2}
        clock = VirtualClock()
        wanted = points("holding:1", "holding:2", "holding:3")
        async with connected(device, clock, retry_register="60s") as driver:
            assert (await driver.read(wanted)).qualities.tolist() == [OK, ADDRESS, OK]
            device.unreadable = set()
            assert (await driver.read(wanted)).qualities.tolist() == [OK, ADDRESS, OK]
            await clock.advance(61)
            assert good(await driver.read(wanted)) == [1, 2, 3]

    async def test_a_missing_table_is_not_searched(self, device: FieldDevice) -> None:
        """Exception 01 marks the points of that table and is not bisected."""
        wanted = points("holding:1", *(f"input:{number}" for number in range(50)))
        async with connected(device) as driver:
            batch = await driver.read(wanted)
        assert batch.qualities.tolist() == [OK] + [ADDRESS] * 50
        assert len(device.requests) <= 4

    async def test_a_failing_device_marks_its_values(self, device: FieldDevice) -> None:
        """Exception 04 makes the values BAD_DEVICE and does not end the connection."""
        device.refusals = {1: 4}
        async with connected(device) as driver:
            assert (await driver.read(points("holding:1"))).qualities.tolist() == [Quality.BAD_DEVICE]
            device.refusals = {}
            assert good(await driver.read(points("holding:1"))) == [1]

    async def test_a_busy_device_is_asked_again(self, device: FieldDevice) -> None:
        """Exception 06 is answered with patience, and the value arrives in the same read."""
        device.busy = 1
        async with connected(device) as driver:
            assert good(await driver.read(points("holding:7"))) == [7]


class TestUnits:
    async def test_one_dead_unit_marks_only_its_points(self, device: FieldDevice) -> None:
        """Of several units behind a gateway the silent one alone is bad, and it is left alone for a while."""
        device.put("holding", 0, [70, 71], unit=2)
        device.put("holding", 0, [80, 81], unit=3)
        device.silent = {2}
        wanted = points("2@holding:0", "2@holding:1", "3@holding:1", "holding:5")
        async with connected(device, timeout="200ms", retry_unit="60s") as driver:
            for _ in range(3):
                batch = await driver.read(wanted)
                assert batch.qualities.tolist() == [SILENT, SILENT, OK, OK]
                assert batch.values[2:].tolist() == [81, 5]
        assert [unit for unit, *_ in device.requests].count(2) == 1

    async def test_a_dead_unit_comes_back(self, device: FieldDevice) -> None:
        """A unit that answers again is good again after retry_unit."""
        device.put("holding", 0, [70], unit=2)
        device.silent = {2}
        clock = VirtualClock()
        wanted = points("2@holding:0", "holding:5")
        async with connected(device, clock, timeout="200ms", retry_unit="10s") as driver:
            assert (await driver.read(wanted)).qualities.tolist() == [SILENT, OK]
            device.silent = set()
            await clock.advance(11)
            assert good(await driver.read(wanted)) == [70, 5]

    async def test_the_gateways_word_counts(self, device: FieldDevice) -> None:
        """Exception 0B of a gateway means that the unit is dead, and is not the end of the others."""
        device.refusals = {2: 0x0B}
        async with connected(device) as driver:
            batch = await driver.read(points("2@holding:0", "holding:5"))
        assert batch.qualities.tolist() == [SILENT, OK]

    async def test_a_silent_device_is_a_timeout(self, device: FieldDevice) -> None:
        """When the only unit does not answer the read raises PeerTimeout, so that the engine connects anew."""
        device.silent = {1}
        async with connected(device, timeout="200ms") as driver:
            with pytest.raises(PeerTimeout, match="unit 1 at "):
                await driver.read(points("holding:1"))


class TestHangUp:
    async def test_a_hang_up_is_noticed_at_once(self, device: FieldDevice) -> None:
        """When the device closes the connection during a request, the read fails without waiting for the timeout."""
        device.silent = {1}
        async with connected(device, timeout="60s") as driver:
            reading = asyncio.ensure_future(driver.read(points("holding:1")))
            await device.asked.wait()
            await device.stop()
            async with asyncio.timeout(30):
                with pytest.raises(ConnectionFailed, match="hung up"):
                    await reading


class TestValues:
    async def test_not_implemented_has_no_value(self) -> None:
        """Contents that mean 'no value' give BAD_NO_VALUE: SunSpec's own, configured ones and a float's NaN."""
        device = FieldDevice()
        device.put("holding", 0, [0x8000, 0xFFFF, 0, 0x7FC0, 0, 0x8000, 0x7FFF, 5, 0x8000])
        sunspec: Sequence[Any] = (
            {"table": "holding", "register": 0, "type": "int16", "nan": "sunspec"},
            {"table": "holding", "register": 1, "nan": "sunspec"},
            {"table": "holding", "register": 1, "type": "acc32", "nan": "sunspec"},
            "holding:3:float32",
            {"table": "holding", "register": 6, "type": "int16", "nan": [0x7FFF, -1]},
            {"table": "holding", "register": 1, "type": "int16", "nan": [0x7FFF, -1]},
            {"table": "holding", "register": 7, "type": "int16", "scale_from": 8},
            {"table": "holding", "register": 2, "type": "int16", "nan": "sunspec"},
        )
        async with connected(device) as driver:
            batch = await driver.read(points(*sunspec))
        none = Quality.BAD_NO_VALUE
        assert batch.qualities.tolist() == [none, none, OK, none, none, none, none, OK]
        assert np.isnan(batch.values[batch.qualities == none]).all()

    async def test_wrong_bcd_is_the_devices_fault(self) -> None:
        """A BCD register with a digit above 9 is BAD_DEVICE."""
        device = FieldDevice()
        device.put("holding", 0, [0x12A4])
        async with connected(device) as driver:
            assert (await driver.read(points("holding:0:bcd16"))).qualities.tolist() == [Quality.BAD_DEVICE]

    async def test_pauses_are_kept(self, device: FieldDevice) -> None:
        """The driver waits after connecting and between requests when the device needs it."""
        began = time.monotonic()
        options = {"pause_after_connect": "100ms", "pause_between_requests": "50ms", "max_gap": 0}
        async with connected(device, **options) as driver:
            await driver.read(points("holding:1", "holding:10", "holding:20"))
        assert time.monotonic() - began >= 0.2


class TestHelp:
    async def test_findings_name_what_is_wrong(self, device: FieldDevice) -> None:
        """The connection test passes on a good device and says what to do when a unit does not answer."""
        async with connected(device, timeout="200ms") as driver:
            assert all(finding.passed for finding in await driver.test_connection())
            device.silent = {1}
            failed = (await driver.test_connection())[-1]
        assert not failed.passed
        assert "unit id" in failed.mend
        refused = (await driver.test_connection())[-1]
        assert not refused.passed
        assert "nothing listens" in refused.mend

    async def test_unknown_host_is_named(self) -> None:
        """A host name that does not exist is said so."""
        options = TcpConnection.model_validate({"host": "no-such-host.invalid", "timeout": "5s"})
        with pytest.raises(ConnectionFailed, match="no-such-host"):
            await TCP.create(options).connect()
