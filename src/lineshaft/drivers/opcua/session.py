"""One session with an OPC UA server: security, user, namespaces, operation limits and typed errors."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection
from lineshaft.drivers.opcua.stack import Client, NodeId, security_policies, ua
from lineshaft.errors import AccessDenied, ConnectionFailed, LineshaftError, PeerTimeout

logging.getLogger("asyncua.client").setLevel(logging.CRITICAL)  # the engine logs what it is told by our errors

_POLICIES = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_MODES = {"sign": ua.MessageSecurityMode.Sign, "sign-and-encrypt": ua.MessageSecurityMode.SignAndEncrypt}
_DENIED_NAMES = ("BadCertificate", "BadSecurity", "BadIdentityToken", "BadUser", "BadApplicationSignature")
_READ_LIMIT, _ITEM_LIMIT, _BROWSE_LIMIT = 11705, 11714, 11710  # nodes below Server/ServerCapabilities/OperationLimits
_GOODBYE_S = 2.0


@asynccontextmanager
async def typed_errors(url: str) -> AsyncIterator[None]:
    """Turn what the OPC UA library raises into ConnectionFailed, PeerTimeout or AccessDenied."""
    try:
        yield
    except LineshaftError:
        raise
    except TimeoutError as error:
        raise PeerTimeout(f"{url} did not answer in time") from error
    except ua.UaStatusCodeError as error:
        raise _status_error(url, error) from error
    except InvalidSignature as error:
        raise AccessDenied(f"{url}: the server's signature is not that of its certificate") from error
    except (OSError, ua.UaError) as error:
        raise ConnectionFailed(f"{url}: {error}" if str(error) else f"{url}: connection lost") from error


def _status_error(url: str, error: Any) -> LineshaftError:
    name = type(error).__name__
    if name.startswith(_DENIED_NAMES):
        return AccessDenied(f"{url}: {name}", hint="check security, certificates, user and password_file")
    return ConnectionFailed(f"{url}: {name}")


class Session:
    """An activated session. `lost` holds the error once the connection is gone."""

    def __init__(self, options: OpcuaConnection) -> None:
        self.options = options
        self.client = Client(options.url, timeout=options.request_timeout, watchdog_intervall=options.keep_alive)
        self.namespaces: tuple[str, ...] = ()
        self.nodes_per_read = self.items_per_call = self.nodes_per_browse = options.batch_size
        self.lost: asyncio.Future[LineshaftError] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Connect, sign in, and read what every use needs. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        options, client = self.options, self.client
        client.name = client.description = "Lineshaft"
        client.application_uri = "urn:lineshaft:gateway"
        client.product_uri = "urn:lineshaft"
        client.session_timeout = 60_000
        client.connection_lost_callback = self._on_lost
        async with typed_errors(options.url):
            if options.user:
                client.set_user(options.user)
                client.set_password(_first_line(options.password_file))
            if options.security != "none":
                await self._secure()
            await client.connect(auto_reconnect=False)
            array, *limits = await self._values(
                (ua.ObjectIds.Server_NamespaceArray, _READ_LIMIT, _ITEM_LIMIT, _BROWSE_LIMIT)
            )
        self.namespaces = tuple(array or ())
        own = options.batch_size
        self.nodes_per_read, self.items_per_call, self.nodes_per_browse = (
            min(own, limit) if isinstance(limit, int) and limit > 0 else own for limit in limits
        )

    async def close(self) -> None:
        """Say goodbye if the server still listens; never raises."""
        client = self.client
        with suppress(OSError, TimeoutError, ua.UaError):
            async with asyncio.timeout(0.2 if self.lost.done() else _GOODBYE_S):
                await client.disconnect()
        client.disconnect_socket()
        if not self.lost.done():
            self.lost.set_result(ConnectionFailed(f"{self.options.url}: closed"))

    def fail(self, error: LineshaftError) -> None:
        """Remember why the connection is gone; the first reason wins."""
        if not self.lost.done():
            self.lost.set_result(error)

    async def call(self, request: Any, wait_s: float | None = None) -> bytes:
        """Send any request and return the undecoded answer; `wait_s` 0 waits without end."""
        protocol = self.client.uaclient.protocol
        if protocol is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        return bytes(await protocol.send_request(request, wait_s))

    def node_id(self, address: OpcuaAddress) -> NodeId | None:
        """The address in this server's numbering; None when the server does not have its namespace."""
        index = address.namespace_index
        if address.namespace_uri:
            if address.namespace_uri not in self.namespaces:
                return None
            index = self.namespaces.index(address.namespace_uri)
        return _node_id(address.local_id, index)

    def address_of(self, node: NodeId) -> str:
        """The address that finds this node again after the server renumbered its namespaces."""
        if node.NamespaceIndex == 0:
            return _local_id(node)
        if node.NamespaceIndex >= len(self.namespaces):
            return f"ns={node.NamespaceIndex};{_local_id(node)}"
        return f"nsu={self.namespaces[node.NamespaceIndex]};{_local_id(node)}"

    async def read_attributes(self, nodes: Sequence[NodeId], attribute: Any) -> list[Any]:
        """One attribute of many nodes, in requests as large as the server takes."""
        values: list[Any] = []
        for start in range(0, len(nodes), self.nodes_per_read):
            part = list(nodes[start : start + self.nodes_per_read])
            values += await self.client.uaclient.session.read_attributes(part, attribute)
        return values

    async def _values(self, ids: Sequence[int]) -> list[Any]:
        answers = await self.client.uaclient.session.read_attributes([ua.NodeId(i) for i in ids], ua.AttributeIds.Value)
        return [a.Value.Value if a.Value is not None and a.StatusCode.is_good() else None for a in answers]

    async def _secure(self) -> None:
        options = self.options
        try:
            certificate = _certificate(options.cert_file)
            if options.server_cert_file:
                _certificate(options.server_cert_file)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            self.client.application_uri = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
        except (OSError, ValueError) as error:
            raise AccessDenied(f"a certificate cannot be used: {error}") from error
        except (x509.ExtensionNotFound, IndexError) as error:
            raise AccessDenied(
                f"{options.cert_file} names no application URI", hint="OPC UA wants one as URI in SubjectAltName"
            ) from error
        try:
            await self.client.set_security(
                _POLICIES[options.security],
                options.cert_file,
                options.key_file,
                server_certificate=options.server_cert_file or None,
                mode=_MODES[options.message_mode],
            )
        except ua.UaStatusCodeError:
            raise
        except (ValueError, FileNotFoundError) as error:
            raise AccessDenied(f"{options.key_file} cannot be used: {error}") from error
        except ua.UaError as error:
            raise AccessDenied(
                f"{options.url} does not offer {options.security} with {options.message_mode}: {error}",
                hint="see what the server offers with `lineshaft doctor`, or choose another security",
            ) from error

    async def _on_lost(self, error: Exception) -> None:
        self.fail(
            ConnectionFailed(f"{self.options.url}: {error}" if str(error) else f"{self.options.url}: no sign of life")
        )


def _node_id(local_id: str, namespace: int) -> NodeId | None:
    """`s=...`, `i=...`, `g=...` or `b=...` in a namespace; None when the id is malformed."""
    kind, _, text = local_id.partition("=")
    try:
        if kind == "i":
            return ua.NodeId(int(text), namespace, ua.NodeIdType.Numeric)
        if kind == "g":
            return ua.NodeId(UUID(text), namespace, ua.NodeIdType.Guid)
        if kind == "b":
            return ua.NodeId(b64decode(text, validate=True), namespace, ua.NodeIdType.ByteString)
    except ValueError:
        return None
    return ua.NodeId(text, namespace, ua.NodeIdType.String)


def _local_id(node: NodeId) -> str:
    identifier = node.Identifier
    if isinstance(identifier, str):
        return f"s={identifier}"
    if isinstance(identifier, bytes):
        return f"b={b64encode(identifier).decode()}"
    return f"g={identifier}" if isinstance(identifier, UUID) else f"i={identifier}"


def _first_line(path: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AccessDenied(f"password file {path}: {error.strerror}") from error
    if not lines:
        raise AccessDenied(f"password file {path} is empty")
    return lines[0]


def _certificate(path: str) -> x509.Certificate:
    data = Path(path).read_bytes()
    pem = data.lstrip().startswith(b"-----BEGIN")
    return x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
