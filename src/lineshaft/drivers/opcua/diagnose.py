"""Why an OPC UA server cannot be used, found step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from lineshaft.drivers.base import Finding
from lineshaft.drivers.opcua.options import OpcuaConnection
from lineshaft.drivers.opcua.session import Session, typed_errors
from lineshaft.drivers.opcua.stack import Client, ua
from lineshaft.drivers.opcua.trust import TrustList
from lineshaft.errors import LineshaftError

_DEFAULT_PORT = 4840


async def diagnose(options: OpcuaConnection, trust: TrustList | None) -> Sequence[Finding]:
    """Try the port, the offered endpoints, the session and one read; stops at the first failure, never raises."""
    findings: list[Finding] = []
    for step in (_port, _endpoints, _session):
        try:
            async with typed_errors(options.url):
                findings += await step(options, trust)
        except LineshaftError as error:
            mend = error.hint or _MEND[step.__name__]
            findings.append(Finding(_CHECK[step.__name__], False, str(error), mend))
            break
        if not findings[-1].passed:
            break
    return tuple(findings)


_CHECK = {"_port": "port is open", "_endpoints": "server offers the security", "_session": "session opens"}
_MEND = {
    "_port": "check host, port, cable and firewall, and that the server runs",
    "_endpoints": "check that an OPC UA server, not another program, listens on this port",
    "_session": "check the user, the password file and that the server trusts the certificate",
}


async def _port(options: OpcuaConnection, _: TrustList | None) -> list[Finding]:
    parts = urlsplit(options.url)
    async with asyncio.timeout(options.request_timeout):
        _reader, writer = await asyncio.open_connection(parts.hostname, parts.port or _DEFAULT_PORT)
    writer.close()
    await writer.wait_closed()
    return [Finding(_CHECK["_port"], True, parts.netloc)]


async def _endpoints(options: OpcuaConnection, _: TrustList | None) -> list[Finding]:
    client = Client(options.url, timeout=options.request_timeout)
    offered = sorted({_name(endpoint) for endpoint in await client.connect_and_get_server_endpoints()})
    wanted = "none" if options.security == "none" else f"{options.security} {options.message_mode}"
    detail = "offered: " + ", ".join(offered)
    if wanted in offered:
        return [Finding(_CHECK["_endpoints"], True, detail)]
    return [Finding(_CHECK["_endpoints"], False, f"{wanted} is not offered; {detail}", "choose one of the offered")]


async def offered(url: str, seconds: float = 4.0) -> tuple[dict[str, str], ...]:
    """Options for each security that the server offers and this driver knows, best first; the last may be none.

    Raises ConnectionFailed or PeerTimeout.
    """
    client = Client(url, timeout=seconds)
    async with typed_errors(url):
        names = {_name(endpoint) for endpoint in await client.connect_and_get_server_endpoints()}
    policies = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep")
    found = [
        {"security": policy, "message_mode": mode}
        for mode in ("sign-and-encrypt", "sign")
        for policy in policies
        if f"{policy} {mode}" in names
    ]
    return (*found, *([{"security": "none"}] if "none" in names else []))


def _name(endpoint: Any) -> str:
    if endpoint.SecurityMode == ua.MessageSecurityMode.None_:
        return "none"
    mode = "sign" if endpoint.SecurityMode == ua.MessageSecurityMode.Sign else "sign-and-encrypt"
    return f"{str(endpoint.SecurityPolicyUri).rpartition('#')[2]} {mode}"


async def _session(options: OpcuaConnection, trust: TrustList | None) -> list[Finding]:
    session = Session(options, trust)
    try:
        await session.open()
        state = (
            await session.read_attributes([ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)], ua.AttributeIds.Value)
        )[0]
        return [
            Finding(_CHECK["_session"], True, f"{len(session.namespaces)} namespaces"),
            Finding("server state can be read", state.StatusCode.is_good(), state.StatusCode.name),
        ]
    finally:
        await session.close()
