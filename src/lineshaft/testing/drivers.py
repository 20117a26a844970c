"""What every driver promises, as suites, and a device in the head of a test."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, model_validator

from lineshaft.clock import Clock
from lineshaft.drivers.base import Driver, DriverSpec, Point, Subscribes, Writes
from lineshaft.errors import AddressInvalid, ConnectionFailed, NotWritable, OutOfRange, RetryableError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import GOOD_CLASS, Quality, SampleBatch

MICROSECONDS = 1_000_000
PATIENCE = 10.0
"""Seconds within which anything in a contract test has to happen."""


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


async def _expect_error(kind: type[Exception], call: Awaitable[None], otherwise: str) -> None:
    try:
        await call
    except kind as error:
        _expect(bool(str(error)), "the error says nothing")
    else:
        raise AssertionError(otherwise)


@dataclass(frozen=True)
class DriverSetup:
    """A driver and a real device for it.

    `start` and `stop` switch the device on and off; it comes back at the same place. `connection` gives the
    options as a plant file would, once it runs. `expected` maps an address, as a plant file would write it, to the
    number or text that the device holds there. `bad_address` is well formed, but the device has nothing there.
    """

    spec: DriverSpec
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]
    connection: Callable[[], Mapping[str, Any]]
    expected: tuple[tuple[Any, float | str], ...]
    bad_address: Any = None

    def driver(self, **changes: Any) -> Driver:
        """A new driver for the device."""
        return self.spec.create(self.spec.connection.model_validate({**self.connection(), **changes}))

    def points(self) -> tuple[Point, ...]:
        """The expected values as points, with handles 100, 101 ..."""
        return tuple(self.point(100 + row, address) for row, (address, _) in enumerate(self.expected))

    def point(self, handle: int, address: Any, value: float | str = 0.0) -> Point:
        """One point, for numbers or for texts as `value` is."""
        parsed = self.spec.address.model_validate(address)
        digits = isinstance(value, float | int) or value.lstrip("-").isdecimal()
        return Point(handle, parsed, Datatype.DOUBLE if digits else Datatype.STRING)

    @asynccontextmanager
    async def connected(self) -> Any:
        """The device is on and a driver is connected to it."""
        await self.start()
        driver = self.driver()
        try:
            await driver.connect()
            yield driver
        finally:
            await driver.close()
            await self.stop()


@dataclass(frozen=True)
class WritingSetup:
    """What a driver can write to the device of a DriverSetup.

    `values` are addresses and what to write there; `unfit` what does not fit there; `read_only` addresses that
    nobody can write. `shared` maps an address to others in `expected` that lie in the same bytes.
    """

    values: tuple[tuple[Any, float | str], ...]
    unfit: tuple[tuple[Any, float | str], ...]
    read_only: tuple[Any, ...] = ()
    shared: Mapping[Any, tuple[Any, ...]] = field(default_factory=dict)


def expect_values(batch: SampleBatch, expected: tuple[tuple[Any, float | str], ...]) -> None:
    """Fail unless row i of the batch is good and has the value or text of expected[i]."""
    _expect(len(batch) == len(expected), f"{len(batch)} rows for {len(expected)} points")
    for row, (address, value) in enumerate(expected):
        text = None if batch.texts is None else batch.texts[row]
        _expect(batch.qualities[row] & GOOD_CLASS == GOOD_CLASS, f"{address}: quality {batch.qualities[row]}")
        if isinstance(value, str):
            _expect(text == value, f"{address}: text {text!r} instead of {value!r}")
        else:
            got = float(batch.values[row])
            _expect(math.isclose(got, value, rel_tol=1e-6), f"{address}: {got!r} instead of {value!r}")


async def expect_written(driver: Driver, point: Point, value: float | str) -> None:
    """Write a value and fail unless the device holds it then."""
    _expect(isinstance(driver, Writes), f"{driver!r} has no write")
    await driver.write(point, value)  # type: ignore[attr-defined]
    expect_values(await driver.read((point,)), ((point.address, value),))


class DriverContract:
    """What every driver promises. Subclass it and give a fixture `setup` that returns a DriverSetup."""

    async def test_reads_what_the_device_holds(self, setup: DriverSetup) -> None:
        """Every type comes back with its value and sign, in the order of the points."""
        async with setup.connected() as driver:
            points = setup.points()
            for _ in range(3):
                batch = await driver.read(points)
                _expect(batch.signals.tolist() == [point.handle for point in points], "handles differ from the points")
                expect_values(batch, setup.expected)

    async def test_columns_have_their_types(self, setup: DriverSetup) -> None:
        """Columns have the types of SampleBatch, and times are UTC microseconds of now."""
        async with setup.connected() as driver:
            batch = await driver.read(setup.points())
        types = (batch.signals.dtype, batch.times.dtype, batch.values.dtype, batch.qualities.dtype)
        _expect(types == (np.uint32, np.int64, np.float64, np.uint8), f"column types {types}")
        age = time.time() - batch.times / MICROSECONDS
        _expect(bool(np.all(np.abs(age) < 60)), f"times are {age.tolist()} s old: not UTC microseconds")

    async def test_close_is_always_allowed(self, setup: DriverSetup) -> None:
        """close may be called before connect and twice; a closed driver raises RetryableError on a read."""
        await setup.start()
        try:
            driver = setup.driver()
            await driver.close()
            await driver.connect()
            await driver.close()
            await driver.close()
            try:
                await driver.read(setup.points())
            except RetryableError:
                pass
            else:
                raise AssertionError("a closed driver read something")
        finally:
            await setup.stop()

    async def test_connects_again_after_close(self, setup: DriverSetup) -> None:
        """The same driver can be connected again."""
        async with setup.connected() as driver:
            await driver.close()
            await driver.connect()
            expect_values(await driver.read(setup.points()), setup.expected)

    async def test_bad_point_marks_only_itself(self, setup: DriverSetup) -> None:
        """A point that the device has not is BAD_ADDRESS, and every other point is right."""
        _expect(setup.bad_address is not None, "the setup gives no bad_address")
        async with setup.connected() as driver:
            points = (*setup.points(), setup.point(7, setup.bad_address))
            for _ in range(2):
                batch = await driver.read(points)
                last = batch.take(slice(-1, None))
                _expect(last.qualities[0] == Quality.BAD_ADDRESS, f"quality {last.qualities[0]}, not BAD_ADDRESS")
                _expect(math.isnan(last.values[0]), "a bad point has NaN as its value")
                expect_values(batch.take(slice(0, -1)), setup.expected)

    async def test_read_can_be_cancelled(self, setup: DriverSetup) -> None:
        """A cancelled read leaves the driver usable: the next read is right."""
        async with setup.connected() as driver:
            points = setup.points()
            for turns in (1, 2, 3, 5):
                reading = asyncio.ensure_future(driver.read(points))
                for _ in range(turns):
                    await asyncio.sleep(0)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                expect_values(await driver.read(points), setup.expected)

    async def test_a_fault_of_the_taker_is_not_silent(self, setup: DriverSetup) -> None:
        """When whoever takes the rows fails, subscribe or wait_closed raises: no driver stays connected and mute."""

        def sink(batch: SampleBatch) -> None:
            raise ZeroDivisionError("a fault of the taker")

        async with setup.connected() as driver:
            if not isinstance(driver, Subscribes):
                return
            try:
                async with asyncio.timeout(PATIENCE):
                    await driver.subscribe(setup.points(), sink)
                    await driver.wait_closed()
            except TimeoutError:
                raise AssertionError("the driver went on as if nothing had happened") from None
            except (ZeroDivisionError, RetryableError):
                return
            raise AssertionError("wait_closed ended without a word")


class NetworkDriverContract(DriverContract):
    """What a driver of a device that can be away promises besides."""

    async def test_unreachable_device_is_said_in_time(self, setup: DriverSetup) -> None:
        """connect raises ConnectionFailed when nobody listens, with words that a person can use."""
        await setup.start()
        driver = setup.driver()
        await setup.stop()
        try:
            async with asyncio.timeout(PATIENCE):
                await _expect_error(ConnectionFailed, driver.connect(), "connect succeeded although the device is off")
        finally:
            await driver.close()

    async def test_comes_back_after_a_restart(self, setup: DriverSetup) -> None:
        """When the device goes away a read raises RetryableError; after it is back, close and connect mend it."""
        async with setup.connected() as driver:
            points = setup.points()
            expect_values(await driver.read(points), setup.expected)
            await setup.stop()
            await self._until_it_fails(driver, points)
            await driver.close()
            await setup.start()
            await driver.connect()
            expect_values(await driver.read(points), setup.expected)

    @staticmethod
    async def _until_it_fails(driver: Driver, points: tuple[Point, ...]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await driver.read(points)
                    await asyncio.sleep(0)  # a read that has its answer at hand waits for nothing
        except RetryableError:
            return


class WritingDriverContract:
    """What a driver with the ability `Writes` promises. Subclass it and give fixtures `setup` and `writing`."""

    async def test_what_was_written_is_read_back(self, setup: DriverSetup, writing: WritingSetup) -> None:
        """Each value is read back as it was written, and every other one is what it was."""
        async with setup.connected() as driver:
            _expect(setup.spec.writes and isinstance(driver, Writes), f"{setup.spec.name} does not say that it writes")
            for row, (address, value) in enumerate(writing.values):
                beside = [one for one in setup.expected if one[0] not in (address, *writing.shared.get(address, ()))]
                point = setup.point(500 + row, address, value)
                before = await driver.read((point,))
                await expect_written(driver, point, value)
                points = tuple(setup.point(100 + n, other) for n, (other, _) in enumerate(beside))
                expect_values(await driver.read(points), tuple(beside))
                old = before.texts[0] if before.texts is not None else None
                await driver.write(point, float(before.values[0]) if old is None else str(old))

    async def test_a_value_that_does_not_fit_is_refused(self, setup: DriverSetup, writing: WritingSetup) -> None:
        """A value beyond the place's type raises OutOfRange, and nothing is written."""
        async with setup.connected() as driver:
            for address, value in writing.unfit:
                await _expect_error(
                    OutOfRange, driver.write(setup.point(7, address, value), value), f"{address} took it"
                )
            expect_values(await driver.read(setup.points()), setup.expected)

    async def test_a_place_that_cannot_be_written_says_so(self, setup: DriverSetup, writing: WritingSetup) -> None:
        """A place that can only be read raises NotWritable, one that is not there AddressInvalid."""
        async with setup.connected() as driver:
            for address in writing.read_only:
                await _expect_error(NotWritable, driver.write(setup.point(7, address), 1.0), f"{address} was written")
            await _expect_error(AddressInvalid, driver.write(setup.point(7, setup.bad_address), 1.0), "it was written")

    async def test_a_closed_driver_writes_nothing(self, setup: DriverSetup, writing: WritingSetup) -> None:
        """A write without a connection raises RetryableError."""
        address, value = writing.values[0]
        async with setup.connected() as driver:
            await driver.close()
            await _expect_error(RetryableError, driver.write(setup.point(7, address, value), value), "it wrote")


class FieldDevice:
    """A device in the head of a test: the test sets its values and its faults, `ScriptedDriver` reads it.

    values  address -> number or text; an address that is not here gives BAD_ADDRESS
    qualities  address -> quality, where it is not good
    fault   raised by connect and by read while it is set, and ends a subscription
    hang    while True nothing answers at all
    """

    def __init__(self, **values: float | str) -> None:
        self.values: dict[str, float | str] = dict(values)
        self.qualities: dict[str, int] = {}
        self.fault: BaseException | None = None
        self.hang = False
        self.time_us: int | None = None  # the device's own clock; None: the clock given to the driver
        self.read_seconds = 0.0
        self.written: list[tuple[str, float | str]] = []
        self.refusal: Exception | None = None  # raised by write
        self.deaf = False  # True: confirms writes, but keeps its values
        self.connections = self.reads = self.open = 0
        self.sinks: list[tuple[Sequence[Point], Callable[[SampleBatch], None]]] = []
        self.broken = asyncio.Event()

    def push(self, batch_of: Callable[[Sequence[Point]], SampleBatch]) -> None:
        """Send what `batch_of` makes of the subscribed points to every subscriber."""
        for points, sink in self.sinks:
            sink(batch_of(points))

    def hang_up(self, fault: BaseException | None = None) -> None:
        """End all subscriptions."""
        self.fault = fault
        self.sinks.clear()
        self.broken.set()


class ScriptedOptions(BaseModel):
    """The connection of a scripted driver: which device of `ScriptedDriver.spec`."""

    device: str


class ScriptedAddress(BaseModel):
    """A name in FieldDevice.values."""

    name: str

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        return self.name


class ScriptedDriver:
    """A driver over a FieldDevice: polled, or subscribed when the device pushes."""

    def __init__(self, device: FieldDevice, clock: Clock) -> None:
        self._device = device
        self._clock = clock
        self._open = False

    @staticmethod
    def spec(
        devices: Mapping[str, FieldDevice], clock: Clock, *, push: bool = False, name: str = "scripted"
    ) -> DriverSpec:
        """How the engine makes one; a connection names the device."""

        def create(options: ScriptedOptions) -> Driver:
            device = devices[options.device]
            return PushingDriver(device, clock) if push else ScriptedDriver(device, clock)

        return DriverSpec(name, "Scripted", ScriptedOptions, ScriptedAddress, create, push=push, writes=True)

    async def _answer(self) -> None:
        if self._device.hang:
            await asyncio.Event().wait()
        if self._device.fault is not None:
            raise self._device.fault

    async def connect(self) -> None:
        """Count, and fail as the script says."""
        self._device.connections += 1
        await self._answer()
        self._device.open += 1
        self._open = True

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The device's values now."""
        self._device.reads += 1
        await self._answer()
        if self._device.read_seconds:
            await self._clock.sleep_until(self._clock.monotonic() + self._device.read_seconds)
        return self._batch(points)

    def _batch(self, points: Sequence[Point]) -> SampleBatch:
        names = [point.address.name for point in points]
        found = [self._device.values.get(name) for name in names]
        told = self._device.qualities
        time_us = self._clock.now_us() if self._device.time_us is None else self._device.time_us
        return SampleBatch.of(
            [point.handle for point in points],
            time_us,
            [math.nan if value is None or isinstance(value, str) else value for value in found],
            [
                Quality.BAD_ADDRESS if value is None else told.get(name, Quality.GOOD)
                for name, value in zip(names, found, strict=True)
            ],
            [value if isinstance(value, str) else None for value in found],
        )

    async def write(self, point: Point, value: float | str) -> None:
        """Take the value, as the script says."""
        await self._answer()
        if self._device.refusal is not None:
            raise self._device.refusal
        self._device.written.append((point.address.name, value))
        if not self._device.deaf:
            self._device.values[point.address.name] = value

    async def close(self) -> None:
        """Count."""
        if self._open:
            self._open = False
            self._device.open -= 1


class PushingDriver(ScriptedDriver):
    """A ScriptedDriver that subscribes."""

    async def subscribe(self, points: Sequence[Point], sink: Callable[[SampleBatch], None]) -> None:
        """Deliver all values at once, then what the test pushes."""
        await self._answer()
        self._device.broken.clear()
        self._device.sinks.append((points, sink))
        sink(self._batch(points))

    async def wait_closed(self) -> None:
        """Wait for FieldDevice.hang_up."""
        await self._device.broken.wait()
        raise ConnectionFailed("the device hung up")
