"""Security of an OPC UA connection: policy, own certificate, trust in the server, and who signs in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from lineshaft.drivers.opcua.options import OpcuaConnection
from lineshaft.drivers.opcua.stack import CertProperties, Client, security_policies, ua
from lineshaft.drivers.opcua.trust import TrustList, application_uri_of, leaf_of, load_certificate
from lineshaft.errors import AccessDenied

log = structlog.get_logger(__name__)

_POLICIES = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_MODES = {"sign": ua.MessageSecurityMode.Sign, "sign-and-encrypt": ua.MessageSecurityMode.SignAndEncrypt}
_CHOOSE = "Choose one of the securities that the server offers."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs in: a user with password, a user's certificate, or nobody."""

    user: str = ""
    password: str = ""
    certificate: Any = None

    async def activate(self, client: Any) -> None:
        """Activate the client's session as this identity; raises the library's errors."""
        await client.activate_session(self.user or None, self.password or None, self.certificate)


async def secure(client: Any, options: OpcuaConnection, trust: TrustList | None) -> None:
    """Prepare the client for the policy of the options. Raises AccessDenied, and the library's errors."""
    certificate_file, key_file = await _own(options, trust)
    try:
        client.application_uri = application_uri_of(load_certificate(certificate_file))
    except (OSError, ValueError) as error:
        raise AccessDenied(f"a certificate cannot be used: {error}") from error
    if not client.application_uri:
        raise AccessDenied(
            f"{certificate_file} names no application URI", hint="OPC UA wants one as URI in SubjectAltName."
        )
    server_certificate = await _server_certificate(client, options, trust)
    try:
        await client.set_security(
            _POLICIES[options.security],
            str(certificate_file),
            str(key_file),
            server_certificate=CertProperties(server_certificate, extension="der"),
            mode=_MODES[options.message_mode],
        )
    except (ValueError, FileNotFoundError) as error:
        raise AccessDenied(f"{key_file} cannot be used: {error}") from error


async def _own(options: OpcuaConnection, trust: TrustList | None) -> tuple[Path, Path]:
    if options.cert_file:
        return Path(options.cert_file), Path(options.key_file)
    if trust is None:
        raise AccessDenied(
            f"{options.url}: there is no folder for certificates", hint="Set pki_folder, or cert_file and key_file."
        )
    return await asyncio.to_thread(trust.own)


async def _server_certificate(client: Any, options: OpcuaConnection, trust: TrustList | None) -> bytes:
    """The certificate (DER) that the channel is encrypted for: the pinned one, or the trusted one that is offered."""
    if options.server_cert_file:
        try:
            return bytes(load_certificate(options.server_cert_file).public_bytes(Encoding.DER))
        except (OSError, ValueError) as error:
            raise AccessDenied(f"a certificate cannot be used: {error}") from error
    endpoints = await client.connect_and_get_server_endpoints()
    try:
        endpoint = Client.find_endpoint(endpoints, _MODES[options.message_mode], _POLICIES[options.security].URI)
    except ua.UaError as error:
        raise AccessDenied(
            f"{options.url} does not offer {options.security} with {options.message_mode}: {error}", hint=_CHOOSE
        ) from error
    chain = bytes(endpoint.ServerCertificate or b"")
    if options.accept_any:
        log.warning("any certificate is accepted", url=options.url)
    elif trust is None:
        raise AccessDenied(
            f"{options.url}: there is no folder for certificates", hint="Set pki_folder, or server_cert_file."
        )
    else:
        trust.check(options.url, chain, str(endpoint.Server.ApplicationUri or ""))
    try:
        return leaf_of(chain)
    except ValueError as error:
        raise AccessDenied(f"{options.url}: the server's certificate is malformed: {error}") from error


async def identity_of(client: Any, options: OpcuaConnection) -> Identity:
    """Read the user's secrets. Raises AccessDenied when a file cannot be used."""
    if options.user_cert_file:
        try:
            await client.load_client_certificate(options.user_cert_file)
            await client.load_private_key(options.user_key_file)
        except (OSError, ValueError, TypeError) as error:
            raise AccessDenied(f"the user's certificate or key cannot be used: {error}") from error
        return Identity(certificate=client.user_certificate)
    if options.user:
        return Identity(options.user, _first_line(options.password_file))
    return Identity()


def _first_line(path: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AccessDenied(f"password file {path}: {error.strerror}") from error
    if not lines:
        raise AccessDenied(f"password file {path} is empty")
    return lines[0]
