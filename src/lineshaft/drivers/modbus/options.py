"""Connection options of Modbus TCP and Modbus RTU."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration
from lineshaft.drivers.modbus.address import Order, Table


class RegisterRange(Section):
    """Registers that must never be read, because the device reacts badly to it."""

    table: Table = key(..., "holding, input, coil or discrete.")
    first: int = key(..., "First register, counted as in the addresses.", ge=0)
    last: int = key(..., "Last register.", ge=0)

    @model_validator(mode="after")
    def _ascends(self) -> RegisterRange:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is below first ({self.first})")
        return self


class ModbusConnection(Section):
    """Options that TCP and RTU share."""

    unit: int = key(1, "Unit (slave) id; 255 or 0 for many devices with an own network port.", ge=0, le=255)
    base: Literal[0, 1] = key(0, "1 when the manual calls the first register 1 (40001, 30001, 1); else 0.")
    offset: int = key(0, "Added to every register number, for blocks that can begin at different places (SunSpec).")
    order: Order = key(
        "ABCD", "Byte order of values: ABCD big endian, CDAB words swapped, BADC bytes swapped, DCBA both."
    )
    max_gap: int = key(16, "Unused registers that are read along when that saves a request.", ge=0, le=124)
    max_block: int = key(125, "Most registers in one request.", unit="registers", ge=1, le=125)
    forbidden: tuple[RegisterRange, ...] = key((), "Ranges that are never read, not even inside of a larger block.")
    pause_after_connect: Duration = key(0.0, "Wait after connecting before the first request.", unit="s")
    pause_between_requests: Duration = key(0.0, "Least silence between two requests.", unit="s")
    timeout: Duration = key(3.0, "How long to wait for one answer; the device's timeout when absent.", unit="s", gt=0)
    retry_unit: Duration = key(
        10.0, "How long a unit that does not answer is left alone, so that the others keep their pace.", unit="s"
    )
    retry_register: Duration = key(
        600.0, "How often a register that the device says it has not is tried again.", unit="s", gt=0
    )


class TcpConnection(ModbusConnection):
    """Where a Modbus TCP device is."""

    host: str = key(..., "Name or IP address.", min_length=1)
    port: int = key(502, "TCP port.", ge=1, le=65535)
    framing: Literal["tcp", "rtu"] = key("tcp", "rtu: RTU frames over TCP, as transparent serial converters send them.")


class RtuConnection(ModbusConnection):
    """Which serial line a Modbus RTU device is on."""

    port: str = key(..., "Serial port, like /dev/ttyUSB0 or COM3.", min_length=1)
    baudrate: int = key(19200, "Speed of the line.", unit="baud", ge=50, le=4_000_000)
    parity: Literal["N", "E", "O"] = key("E", "N none, E even, O odd.")
    stopbits: Literal[1, 2] = key(1, "Stop bits.")
    retries: int = key(1, "How often a request without an answer is sent again.", ge=0, le=5)


Connection = TcpConnection | RtuConnection
