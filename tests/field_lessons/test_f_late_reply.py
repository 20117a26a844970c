"""Lesson f: elsewhere a reply that comes too late is taken for the answer to the next request, for ever after."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.drivers.modbus.device import FieldDevice
from tests.drivers.modbus.test_driver import connected, device, good, points

from lineshaft.errors import PeerTimeout

__all__ = ["device"]


async def test_a_late_reply_never_becomes_another_value(device: FieldDevice) -> None:
    """A reply that comes after its timeout is dropped; each later read has its own registers' values."""
    device.delay = lambda count: 0.9 if count == 1 else 0.0
    first, second = points("holding:1"), points("holding:500")
    async with connected(device, timeout="600ms") as driver:
        with pytest.raises(PeerTimeout):
            await driver.read(first)
        deadline = time.monotonic() + 0.6
        while time.monotonic() < deadline:  # the late reply arrives in the middle of these
            assert good(await driver.read(second)) == [500]
            await asyncio.sleep(0.01)


async def test_rtu_frames_without_numbers_are_safe_too(device: FieldDevice) -> None:
    """RTU replies carry no number, so after a timeout the driver takes a new connection."""
    device.framing = "rtu"
    device.delay = lambda count: 0.9 if count == 1 else 0.0
    first, second = points("holding:1"), points("holding:500")
    async with connected(device, timeout="600ms") as driver:
        with pytest.raises(PeerTimeout):
            await driver.read(first)
        deadline = time.monotonic() + 0.6
        while time.monotonic() < deadline:
            assert good(await driver.read(second)) == [500]
            await asyncio.sleep(0.01)
