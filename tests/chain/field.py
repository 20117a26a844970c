"""Field devices beside the chain: a Modbus device in a thread, an OPC UA server in a process; both can go and come."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chain.harness import Chain, wait_for
from tests.drivers.modbus.device import FieldDevice
from tests.ports import free_port

STALE = 8
BAD_ADDRESS = 2
GOOD = 192
ASSET = "acme/here/hall/line/machine"
HEAD = """
plant: {enterprise: acme, site: here, name: Field test, timezone: Europe/Berlin}
equipment:
  - {id: hall, level: area, children: [{id: line, level: line, children: [{id: machine, level: asset}]}]}
gateway: {ledger_interval: 1s}
"""


@dataclass
class Numbering(FieldDevice):
    """Numbers its answers: each one carries its own number in holding registers 0 and 1."""

    answers: int = 0

    def _answer(self, unit: int, function: int, start: int, count: int) -> bytes:
        self.answers += 1
        self.put("holding", 0, divmod(self.answers, 65536))
        return super()._answer(unit, function, start, count)


class ModbusField:
    """A Modbus TCP device with registers 0 and 1; register 0 counts up unless `device` does otherwise."""

    def __init__(self, device: FieldDevice | None = None) -> None:
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._counts = device is None
        self._device = device or FieldDevice()
        self._device.port = self.port
        self._device.put("holding", 0, [0, 7])
        self._counting: Any = None

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def start(self) -> None:
        self._call(self._device.start())
        if self._counts:
            self._counting = asyncio.run_coroutine_threadsafe(self._count(), self.loop)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            bank = self._device.units[1]["holding"]
            bank[0] = (bank[0] + 1) % 65536

    def bank(self) -> dict[int, int]:
        """The holding registers as they are."""
        return self._device.units[1]["holding"]

    def stop(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
        self._call(self._device.stop())

    def close(self) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def config(self, *, name: str = "plc", port: int | None = None, more: str = "") -> str:
        """The device in the plant: `speed` counts, `steady` is 7, `broken` is a register that is not there."""
        return f"""
  - id: {name}
    driver: modbus-tcp
    asset: hall/line/machine
    connection: {{host: 127.0.0.1, port: {port or self.port}, retry_register: 1s}}
    poll: 200ms
    timeout: 500ms
    signals:
      - {{name: {name}-speed, address: {{table: holding, register: 0, type: uint16}}}}
      - {{name: {name}-steady, address: {{table: holding, register: 1, type: uint16}}}}
{more}
"""


class OpcuaField:
    """An OPC UA server whose node `level` counts; a new start begins at `first`."""

    def __init__(self) -> None:
        self.port = free_port()
        self._popen: subprocess.Popen[str] | None = None

    def start(self, first: int = 0) -> None:
        script = Path(__file__).with_name("opcua_server.py")
        self._popen = subprocess.Popen(
            [sys.executable, str(script), str(self.port), str(first)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._popen.stdout is not None
        assert self._popen.stdout.readline() == "ready\n"

    def set_back(self, seconds: float) -> None:
        """The clock of the device is set back."""
        assert self._popen is not None
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{seconds}\n")
        self._popen.stdin.flush()

    def kill(self) -> None:
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            assert self._popen.stdin is not None
            assert self._popen.stdout is not None
            self._popen.stdin.close()
            self._popen.stdout.close()
            self._popen = None

    def config(self, mode: str = "subscribe") -> str:
        """The device in the plant: `level` counts, `ghost` is a node that is not there."""
        address = "nsu=urn:lineshaft:chain;s="
        return f"""
  - id: robot
    driver: opcua
    asset: hall/line/machine
    connection: {{url: "opc.tcp://127.0.0.1:{self.port}/test", security: none, mode: {mode}}}
    poll: 200ms
    timeout: 1s
    signals:
      - {{name: level, address: "{address}level"}}
      - {{name: ghost, address: "{address}ghost"}}
"""


@dataclass(frozen=True)
class Now:
    """The present row of a signal."""

    time: int
    value: float | None
    quality: int


class Latest:
    """What the API says of the signals of the machine now."""

    def __init__(self, made: Chain) -> None:
        self._made = made

    def all(self) -> dict[str, Now]:
        names = {number: path.rsplit("/", 1)[1] for path, number in self._made.signals().items()}
        answer = self._made.api.get("/latest", params={"asset": ASSET})
        assert answer.status_code == 200, answer.text
        columns = answer.json()
        rows = zip(columns["signal"], columns["time"], columns["value"], columns["quality"], strict=True)
        return {names[number]: Now(time, value, quality) for number, time, value, quality in rows if number in names}

    def is_(self, quality: int, *names: str) -> bool:
        found = self.all()
        return all(name in found and found[name].quality == quality for name in names)

    def wait(self, quality: int, *names: str, seconds: float = 60.0) -> None:
        """Until all have this quality."""
        wait_for(lambda: self.is_(quality, *names), seconds, f"{names} with quality {quality}")

    def newest(self, *names: str) -> float:
        """The newest time of their present rows, in seconds."""
        now = self.all()
        return max(now[name].time for name in names) / 1e6

    def flows(self, *names: str, seconds: float = 60.0) -> None:
        """Good values that go on changing."""
        before = self.all()

        def moved() -> bool:
            now = self.all()
            return all(now[name].quality == GOOD and now[name].time > before[name].time for name in names)

        wait_for(moved, seconds, f"new values of {names}")


@contextmanager
def modbus(made: FieldDevice | None = None) -> Iterator[ModbusField]:
    """A device that serves and is gone afterwards."""
    device = ModbusField(made)
    device.start()
    try:
        yield device
    finally:
        device.close()


@contextmanager
def opcua() -> Iterator[OpcuaField]:
    """A server that runs and is gone afterwards."""
    server = OpcuaField()
    server.start()
    try:
        yield server
    finally:
        server.kill()
