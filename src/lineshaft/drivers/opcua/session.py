"""One session with an OPC UA server: its life over cut lines, namespaces, operation limits and typed errors."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature

from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection
from lineshaft.drivers.opcua.security import Identity, identity_of, secure
from lineshaft.drivers.opcua.stack import Client, NodeId, ua
from lineshaft.drivers.opcua.trust import TrustList
from lineshaft.errors import AccessDenied, ConnectionFailed, LineshaftError, PeerTimeout

logging.getLogger("asyncua.client").setLevel(logging.CRITICAL)  # the engine logs what it is told by our errors

_DENIED_NAMES = ("BadCertificate", "BadSecurity", "BadIdentityToken", "BadUser", "BadApplicationSignature")
_READ_LIMIT, _ITEM_LIMIT, _BROWSE_LIMIT = 11705, 11714, 11710  # nodes below Server/ServerCapabilities/OperationLimits
_GOODBYE_S = 2.0
_RENEW_AT = 0.75
"""Part of a secure channel's lifetime after which it is renewed (OPC 10000-4 5.5.2)."""


class SessionGone(ConnectionFailed):
    """The server does not have the session any more that a cut line left behind."""


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

    def __init__(self, options: OpcuaConnection, trust: TrustList | None = None) -> None:
        self.options = options
        self.client = Client(options.url, timeout=options.request_timeout)
        self.namespaces: tuple[str, ...] = ()
        self.nodes_per_read = self.items_per_call = self.nodes_per_browse = options.batch_size
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._trust = trust
        self._identity = Identity()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def open(self) -> None:
        """Connect, sign in, and read what every use needs. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        options, client = self.options, self.client
        client.name = client.description = "Lineshaft"
        client.application_uri = "urn:lineshaft:gateway"
        client.product_uri = "urn:lineshaft"
        client.session_timeout = round(options.keep_session * 1000)
        async with typed_errors(options.url):
            self._identity = await identity_of(client, options)
            if options.security != "none":
                await secure(client, options, self._trust)
            await self._channel()
            await client.create_session()
            await self._identity.activate(client)
            self.namespaces = await self._facts()
        self._attend()

    async def reactivate(self) -> None:
        """After a loss: take the session up again on a new channel, with its subscriptions and their queues.

        Raises SessionGone when the server answers but has it no more, otherwise as `open`; may be called again.
        """
        self.lost = asyncio.get_running_loop().create_future()
        try:
            async with typed_errors(self.options.url):
                await self._channel()
                self.client.uaclient.session.rebind_authentication_token()
                try:
                    await self._identity.activate(self.client)
                except ua.UaStatusCodeError as error:
                    raise SessionGone(f"{self.options.url}: {type(error).__name__}") from error
                if await self._facts() != self.namespaces:
                    raise SessionGone(f"{self.options.url}: the namespaces are numbered anew")
        except LineshaftError as error:
            self.fail(error)
            raise
        except asyncio.CancelledError:
            self.fail(ConnectionFailed(f"{self.options.url}: taking up the session took too long"))
            raise
        self._attend()

    async def _channel(self) -> None:
        await self.client.connect_socket()
        await self.client.send_hello()
        await self.client.open_secure_channel()

    async def _facts(self) -> tuple[str, ...]:
        """The namespaces; sets the limits of one request."""
        array, *limits = await self._values(
            (ua.ObjectIds.Server_NamespaceArray, _READ_LIMIT, _ITEM_LIMIT, _BROWSE_LIMIT)
        )
        own = self.options.batch_size
        self.nodes_per_read, self.items_per_call, self.nodes_per_browse = (
            min(own, limit) if isinstance(limit, int) and limit > 0 else own for limit in limits
        )
        return tuple(array or ())

    async def close(self) -> None:
        """End the session at the server if that still listens; never raises."""
        await self._end_tasks()
        if not self.lost.done():
            with suppress(OSError, TimeoutError, ua.UaError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self.client.disconnect()
            self.lost.set_result(ConnectionFailed(f"{self.options.url}: closed"))
        self._drop_line()

    async def park(self) -> None:
        """Drop the line and leave the session at the server, so that it can be reactivated; never raises."""
        await self._end_tasks()
        self.fail(ConnectionFailed(f"{self.options.url}: parked"))
        self._drop_line()

    def _drop_line(self) -> None:
        protocol = self.client.uaclient.protocol
        if protocol is not None:
            protocol.on_connection_lost = None  # it comes late, and would be taken for a loss of the next line
            if protocol.transport is not None:
                protocol.transport.abort()  # close() would wait for a silent peer to take what is not sent yet
        self.client.disconnect_socket()

    async def _end_tasks(self) -> None:
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fail(self, error: Exception) -> None:
        """Remember why the connection is gone; the first reason wins."""
        if not self.lost.done():
            self.lost.set_result(error)

    def needs(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """Whatever ends this task, but its cancelling, ends the session: nobody would notice else."""

        def ended(task: asyncio.Task[None]) -> None:
            if task.cancelled() and not task.cancelling():
                self.fail(ConnectionFailed(f"{self.options.url}: {task.get_name()} was given up by the library"))
            elif not task.cancelled() and (error := task.exception()) is not None:
                self.fail(error if isinstance(error, Exception) else ConnectionFailed(repr(error)))

        task.add_done_callback(ended)
        return task

    def _attend(self) -> None:
        self._tasks = (
            self.needs(asyncio.create_task(self._watch(), name="opcua-watch")),
            self.needs(asyncio.create_task(self._renew(), name="opcua-renew")),
        )

    async def _watch(self) -> None:
        """Notice a lost line, and ask a silent server for a sign of life."""
        library, every = self.client.uaclient, self.options.keep_alive
        try:
            async with typed_errors(self.options.url), library.subscribe_state() as states:
                while library.state.value == "connected":
                    try:
                        await states.next_change(every)
                    except TimeoutError:
                        async with asyncio.timeout(every):
                            await self._values((ua.ObjectIds.Server_ServerStatus_State,))
            self.fail(ConnectionFailed(f"{self.options.url}: connection lost"))
        except LineshaftError as error:
            self.fail(error)

    async def _renew(self) -> None:
        """Renew the secure channel for as long as it is used."""
        try:
            async with typed_errors(self.options.url):
                while True:
                    await asyncio.sleep(self.client.secure_channel_timeout / 1000 * _RENEW_AT)
                    await self.client.open_secure_channel(renew=True)
                    self.client.uaclient.revolve_security_token()
        except LineshaftError as error:
            self.fail(error)

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
