"""Says step by step why a Modbus device cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.base import Finding
from lineshaft.drivers.modbus.address import Table
from lineshaft.drivers.modbus.blocks import Span
from lineshaft.drivers.modbus.line import Line, Refused
from lineshaft.drivers.modbus.options import Connection, RtuConnection
from lineshaft.drivers.modbus.shared import LineUser
from lineshaft.errors import ConnectionFailed, PeerTimeout

TABLES: tuple[Table, ...] = ("holding", "input", "coil", "discrete")
EXCEPTIONS = {
    0x01: "it does not know this function",
    0x02: "it has nothing at address 0",
    0x03: "it refuses the request",
    0x04: "it reports a failure",
    0x06: "it is busy",
    0x0A: "the gateway has no path to the unit",
    0x0B: "the gateway gets no answer from the unit",
}


async def check_connection(options: Connection) -> Sequence[Finding]:
    """Ask the unit for one value of each table, on the line of the devices that are on it, and say what to do about a
    failure."""
    user = LineUser(options)
    try:
        line = await user.join()
    except ConnectionFailed as error:
        return [Finding("connection", False, str(error), error.hint)]
    findings = [Finding("connection", True, f"connected to {line.where}")]
    try:
        for table in TABLES:
            async with user.turn():
                finding = await _check_table(line, options, table)
            findings.append(finding)
            if not finding.passed:
                break
    finally:
        user.leave()
    return findings


async def _check_table(line: Line, options: Connection, table: Table) -> Finding:
    name = f"unit {options.unit}, {table}"
    try:
        await line.ask(Span(options.unit, table, 0, 1))
    except Refused as refusal:
        reason = EXCEPTIONS.get(refusal.code, "")
        if refusal.code in (0x0A, 0x0B):
            return Finding(name, False, f"{refusal}: {reason}", "check the unit id and the line behind the gateway")
        return Finding(name, True, f"answers with {refusal}: {reason}; that is in order where it has none")
    except PeerTimeout as error:
        mend = f"check the unit id (now {options.unit}; many devices with an own network port want 255, 1 or 0)"
        if isinstance(options, RtuConnection):
            mend = "check the unit id, baud rate, parity, stop bits, and that A and B are not swapped"
        return Finding(name, False, str(error), mend)
    except ConnectionFailed as error:
        return Finding(name, False, str(error), "the device hangs up: does it allow another connection?")
    return Finding(name, True, "answers")
