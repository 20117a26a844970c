"""The poll engine: all devices of a plan, each read on its own and none disturbed by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lineshaft.clock import Clock
from lineshaft.drivers.base import Driver, DriverSpec, Point, Writes
from lineshaft.errors import ConnectionFailed, Unsupported
from lineshaft.gateway.faults import Faults
from lineshaft.gateway.plan import PlannedDevice
from lineshaft.gateway.runner import DeviceRunner, Output
from lineshaft.wire.notes import DeviceState, DeviceStatus


class Engine:
    """All devices of a plan, one task each."""

    def __init__(
        self,
        devices: Sequence[PlannedDevice],
        drivers: Mapping[str, DriverSpec],
        output: Output,
        clock: Clock,
        path_of: Callable[[str], str],
        folder: Path | None = None,
    ) -> None:
        """`folder`: where drivers keep files that last; see KeepsFiles."""
        self.runners = tuple(
            DeviceRunner(device, drivers[device.driver], output, clock, path_of(device.id), folder)
            for device in devices
            if device.driver
        )
        self._faults = Faults(clock, output.event)
        self._by_id = {runner.device.id: runner for runner in self.runners}

    async def run(self) -> None:
        """Read all enabled devices until cancelled; a failing device never ends another one."""
        async with asyncio.TaskGroup() as group:
            for runner in self.runners:
                if runner.device.enabled:
                    name = f"device {runner.device.id}"
                    group.create_task(self._faults.keep(name, runner.path, runner.run), name=name)

    async def read_point(self, device: str, point: Point) -> tuple[float, str | None, int]:
        """See writes.desk.Devices."""
        runner, driver = self._live(device)
        batch = await runner.timed(lambda: driver.read((point,)))
        return float(batch.values[0]), None if batch.texts is None else batch.texts[0], int(batch.qualities[0])

    async def write_point(self, device: str, point: Point, value: float | str) -> None:
        """See writes.desk.Devices."""
        runner, driver = self._live(device)
        if not isinstance(driver, Writes):
            raise Unsupported(f"the driver of {device} cannot write")
        await runner.timed(lambda: driver.write(point, value))

    def _live(self, device: str) -> tuple[DeviceRunner, Driver]:
        runner = self._by_id.get(device)
        if runner is not None and runner.live is not None:
            return runner, runner.live
        raise ConnectionFailed(f"{device} is not connected")

    def status(self) -> tuple[DeviceStatus, ...]:
        """One status per device."""
        return tuple(runner.status() for runner in self.runners)

    def state(self, device: str) -> DeviceState:
        """How a device does; one that is not read is disabled."""
        runner = self._by_id.get(device)
        return "disabled" if runner is None else runner.counters.state
