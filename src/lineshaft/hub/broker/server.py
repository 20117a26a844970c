"""The embedded broker: amqtt behind a gate, in this loop, or in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from amqtt.adapters import StreamWriterAdapter

from lineshaft.clock import SystemClock
from lineshaft.errors import ConfigError, ConnectionFailed, DataError
from lineshaft.hub.broker import gate, rights
from lineshaft.hub.broker.accounts import Account, covers, load_hashes, verify
from lineshaft.hub.broker.seen import SeenBook

CONNECT_TIMEOUT: Final = 10.0  # seconds that a peer has for its first packet
_LISTENER: Final = "default"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker listens, who may use it, and the largest message in bytes."""

    accounts: tuple[Account, ...]
    host: str = "127.0.0.1"
    port: int = 0
    max_message: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may use the broker from now on, and the hash of each one's password."""

    accounts: tuple[Account, ...]
    hashes: Mapping[str, str]


async def serve_broker(
    settings: BrokerSettings,
    credentials: Path,
    stop: asyncio.Event,
    ready: Callable[[int], None] | None = None,
    changes: AsyncIterator[Admitted] | None = None,
) -> None:
    """Run the broker until `stop` is set; `ready` gets the port when it listens.

    credentials: the hash file that `ensure_credentials` makes; what the broker saw of each user is kept beside it.
    changes: each one counts at once; whose account is gone or has another password is hung up on.
    Raises ConfigError when the file is missing or an account has no hash, ConnectionFailed when the port is taken.
    """
    hashes = load_hashes(credentials)
    for account in settings.accounts:
        if account.user not in hashes:
            raise ConfigError(f"broker user '{account.user}' has no password in {credentials}")
    rights.install_fast_payload()
    logging.getLogger("amqtt").setLevel(logging.ERROR)  # it logs each message at info and warns of each refusal
    logging.getLogger("transitions").setLevel(logging.ERROR)
    door = _Door(settings, Admitted(settings.accounts, hashes))
    await door.broker.start()
    try:
        server = await asyncio.start_server(door.connected, settings.host, settings.port, reuse_address=True)
    except OSError as error:
        await door.broker.shutdown()
        raise ConnectionFailed(f"broker cannot listen on {settings.host}:{settings.port}: {error}") from error
    try:
        if ready is not None:
            ready(int(server.sockets[0].getsockname()[1]))
        async with asyncio.TaskGroup() as group:
            sides = [group.create_task(_keep_seen(door.seen, credentials.parent), name="seen")]
            if changes is not None:
                sides.append(group.create_task(_follow(door, changes), name="accounts"))
            await stop.wait()
            for side in sides:
                side.cancel()
    finally:
        server.close()
        await door.close()
        await door.broker.shutdown()
        door.seen.save(credentials.parent)


async def _follow(door: _Door, changes: AsyncIterator[Admitted]) -> None:
    async for admitted in changes:
        door.admit(admitted)


async def _keep_seen(seen: SeenBook, data_dir: Path) -> None:
    while True:
        seen.save(data_dir)
        await asyncio.sleep(1.0)


class _Door:
    """Judges each connection and hands those that may come in to amqtt."""

    def __init__(self, settings: BrokerSettings, admitted: Admitted) -> None:
        self._settings = settings
        self._hashes: Mapping[str, str] = {}
        self._accounts: Mapping[str, Account] = {}
        self._owners: dict[str, tuple[str, int]] = {}  # client id -> user and connections
        self._verified: dict[str, str] = {}  # user -> password that was right, so that a reconnect costs nothing
        self._open: dict[asyncio.StreamWriter, str] = {}  # connection -> user
        self._tasks: set[asyncio.Task[None]] = set()
        self._rights = rights.Rights()
        self._clock = SystemClock()
        self.seen = SeenBook()
        self.admit(admitted)
        self.broker = rights.StrictBroker(
            {
                "listeners": {_LISTENER: {"type": "external"}},
                "plugins": {"lineshaft.hub.broker.rights.RightsPlugin": {"rights": self._rights}},
            }
        )

    def admit(self, admitted: Admitted) -> None:
        """From now on these may come in; others are hung up on, and those with another password."""
        accounts = {account.user: account for account in admitted.accounts}
        before, self._hashes, self._accounts = self._hashes, dict(admitted.hashes), accounts
        out = {user for user, was in before.items() if user not in accounts or self._hashes.get(user) != was}
        for user in out:
            self._verified.pop(user, None)
        self._rights.replace(admitted.accounts)
        for writer, user in self._open.items():
            if user in out:
                _log.info("broker: hung up, its account has changed", user=user, peer=_peer(writer))
                writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connect = await gate.read_connect(reader)
        except (DataError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            _log.warning("broker: connection refused", peer=_peer(writer), reason=str(error) or type(error).__name__)
            writer.close()
            return
        code, reason = await self._judge(connect)
        if code != gate.ACCEPTED:
            _log.warning("broker: connection refused", peer=_peer(writer), user=connect.user, reason=reason)
            if connect.user:
                self.seen.refused(connect.user, _peer(writer), self._clock.now_us(), reason)
            writer.write(gate.connack(code))
            writer.close()
            return
        await self._serve(connect, reader, writer)

    async def _serve(self, connect: gate.Connect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guarded = gate.GuardedReader(reader, writer, connect, self._settings.max_message)
        key = connect.client_id or f"nameless {id(guarded)}"  # amqtt makes up an id where there is none
        self._owners[key] = (str(connect.user), self._owners.get(key, ("", 0))[1] + 1)
        self._open[writer] = str(connect.user)
        self.seen.came(str(connect.user), _peer(writer), self._clock.now_us())
        guarded.start()
        try:
            await self.broker.external_connected(guarded, StreamWriterAdapter(writer), _LISTENER)
        except OSError:
            _log.debug("broker: connection lost", user=connect.user)
        finally:
            guarded.stop()
            del self._open[writer]
            self.seen.went(str(connect.user), self._clock.now_us())
            user, count = self._owners.pop(key)
            if count > 1:
                self._owners[key] = (user, count - 1)
            if guarded.refused:
                _log.warning("broker: message too large", user=connect.user, bytes=guarded.refused)
            writer.close()

    async def _judge(self, connect: gate.Connect) -> tuple[int, str]:
        """Code of the answer, and why."""
        if connect.level != 4:
            return gate.BAD_VERSION, "not MQTT 3.1.1"
        if connect.user is None or connect.password is None:
            return gate.NOT_AUTHORISED, "no user and password"
        account = self._accounts.get(connect.user)
        if account is None or not await self._right(connect.user, connect.password):
            return gate.NOT_AUTHORISED, "wrong user or password"
        if connect.will_topic is not None and not any(covers(have, connect.will_topic) for have in account.publish):
            return gate.NOT_AUTHORISED, f"may not have a will on {connect.will_topic}"
        owner = self._owners.get(connect.client_id)
        if owner is not None and owner[0] != connect.user:
            return gate.NOT_AUTHORISED, f"client id {connect.client_id} belongs to another user"
        return gate.ACCEPTED, ""

    async def _right(self, user: str, password: str) -> bool:
        if self._verified.get(user) == password:
            return True
        hashed = self._hashes.get(user, "")
        right = await asyncio.to_thread(verify, password, hashed)
        right = right and self._hashes.get(user) == hashed  # another one may have come meanwhile
        if right:
            self._verified[user] = password
        return right

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _peer(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else "?"


class EmbeddedBroker:
    """The broker in a thread with its own event loop; `start` returns when it listens, `port` says where."""

    def __init__(
        self, settings: BrokerSettings, credentials: Path, changes: AsyncIterator[Admitted] | None = None
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._changes = changes
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self._started = threading.Event()
        self._error: ConfigError | ConnectionFailed | None = None
        self.port = 0

    def start(self) -> None:
        """Listen. Raises what `serve_broker` raises."""
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        async def main() -> None:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()

            def end() -> None:
                loop.call_soon_threadsafe(stop.set)

            self._stop = end
            await serve_broker(self._settings, self._credentials, stop, self._listening, self._changes)

        try:
            asyncio.run(main())
        except (ConfigError, ConnectionFailed) as error:
            self._error = error
        finally:
            self._started.set()

    def _listening(self, port: int) -> None:
        self.port = port
        self._started.set()

    def stop(self) -> None:
        """Hang up on everybody and end the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._stop()
            self._thread.join(10.0)
