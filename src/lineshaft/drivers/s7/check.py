"""Says step by step why a Siemens controller cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lineshaft.drivers.base import Finding
from lineshaft.drivers.s7.blocks import Span
from lineshaft.drivers.s7.link import ACCESS_HINT, ISO_HINT, Link
from lineshaft.drivers.s7.options import S7Connection
from lineshaft.drivers.s7.replies import GOOD
from lineshaft.errors import LineshaftError

PORT, SESSION, READ = "port answers", "controller takes the connection", "memory can be read"


async def check_connection(options: S7Connection) -> Sequence[Finding]:
    """Open the port, then a connection of the controller, and read memory byte 0; stops at the first failure."""
    try:
        async with asyncio.timeout(options.timeout):
            _, writer = await asyncio.open_connection(options.host, options.port)
    except OSError as error:
        words = str(error) or "no answer in time"
        return [Finding(PORT, False, words, "check host, port, cable, firewall and that the controller runs")]
    writer.close()
    findings = [Finding(PORT, True, f"{options.host}:{options.port}")]
    link = Link(options)
    check = SESSION
    try:
        await link.open()
        findings.append(Finding(SESSION, True, f"messages of {link.pdu} bytes"))
        check = READ
        item = (await link.read([[Span("M", 0, 0, 1)]]))[0]
        detail = "answers" if item.code == GOOD else item.words
        findings.append(Finding(READ, item.code == GOOD, detail, "" if item.code == GOOD else ACCESS_HINT))
    except LineshaftError as error:
        findings.append(Finding(check, False, str(error), ISO_HINT if check == SESSION else error.hint))
    finally:
        link.close()
    return findings
