"""Says step by step why a controller cannot be read over EtherNet/IP."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.base import Finding
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.drivers.ethernet_ip.session import ROUTE_HINT, Session
from lineshaft.errors import LineshaftError, Unsupported

SESSION, ROUTE, TAGS = "device takes a session", "controller takes the connection", "tags can be listed"


async def check_connection(options: EthernetIpConnection) -> Sequence[Finding]:
    """Register a session, open the connection to the controller, list its tags; stops at the first failure."""
    session = Session(options)
    findings: list[Finding] = []
    check = SESSION
    try:
        await session.register()
        findings.append(Finding(SESSION, True, session.where))
        check = ROUTE
        await session.connect()
        findings.append(Finding(ROUTE, True, f"messages of {session.size} bytes"))
        check = TAGS
        tags = await session.upload()
        findings.append(Finding(TAGS, True, f"{len(tags)} tags"))
    except Unsupported as error:
        findings.append(Finding(check, True, f"{error}; tags can be read by their names all the same"))
    except LineshaftError as error:
        findings.append(Finding(check, False, str(error), ROUTE_HINT if check == ROUTE else error.hint))
    finally:
        session.close()
    return findings
