"""Connections to ClickHouse: a pool with one client per call at a time, and errors in our own words."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import clickhouse_connect
import pyarrow as pa
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from lineshaft.errors import ConfigError, StoreUnavailable
from lineshaft.hub.historian.space import Space, SpaceWatch, mend

_log = structlog.get_logger(__name__)


def split_dsn(dsn: str) -> tuple[str, str]:
    """The DSN for the client, and the cluster's name ('' for none).

    Raises ConfigError when it is neither `chdb:///path` nor `clickhouse://...`.
    """
    parts = urlsplit(dsn)
    if parts.scheme not in ("chdb", "clickhouse", "clickhouses") or (parts.scheme == "chdb" and not parts.path):
        raise ConfigError(
            f"historian {dsn.split('@')[-1]!r} is not a DSN",
            hint="chdb:///folder, or clickhouse://user:password@host:8123/database?cluster=name",
        )
    options = parse_qsl(parts.query)
    cluster = next((value for name, value in options if name == "cluster"), "")
    rest = urlencode([(name, value) for name, value in options if name != "cluster"])
    if parts.scheme == "clickhouses":
        rest = "&".join(filter(None, (rest, "secure=true")))
    scheme = "clickhouse" if parts.scheme == "clickhouses" else parts.scheme
    # urlunsplit drops the empty host of chdb:///path
    plain = f"chdb://{parts.path}" if scheme == "chdb" else urlunsplit((scheme, parts.netloc, parts.path, rest, ""))
    return plain, cluster


class Engine:
    """Runs SQL from any thread; each call borrows a client, because a client serves one call at a time."""

    def __init__(self, dsn: str, space: Space | None = None, settings: Mapping[str, Any] | None = None) -> None:
        self._dsn = dsn
        self._settings = dict(settings or {})  # of every call
        self.space = space or Space()
        """Where there is no room, nothing is inserted or changed."""
        self._folder = Path(urlsplit(dsn).path) if dsn.startswith("chdb:") else None
        self._watch = SpaceWatch(self.space, self)
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Call it before anything else. Raises StoreUnavailable."""
        if self._folder is not None:
            mend(self._folder, lambda words: _log.warning("historian: mended", what=words))
            self.command("SELECT 1")
            self._watch.start()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        if self._closed:
            raise StoreUnavailable("historian: closed")
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._connect()
        try:
            yield client
        except (ClickHouseError, OSError, RuntimeError) as error:
            raise StoreUnavailable(f"historian: {_first_line(error)}") from error
        finally:
            self._idle.put(client)

    def _connect(self) -> Any:
        try:
            client = clickhouse_connect.get_client(dsn=self._dsn, settings=self._settings)
        except (ClickHouseError, OSError, RuntimeError) as error:
            raise StoreUnavailable(
                f"historian cannot be opened: {_first_line(error)}",
                hint="is the server running, or the folder in use by another process?",
            ) from error
        with self._lock:
            self._clients.append(client)
        return client

    def command(self, sql: str, settings: Mapping[str, Any] | None = None) -> Any:
        """Run a statement; gives its first value. Raises StoreUnavailable."""
        with self._client() as client:
            return client.command(sql, settings=dict(settings or {}))

    def change(self, sql: str, settings: Mapping[str, Any] | None = None) -> None:
        """Run a statement that writes. Raises StoreUnavailable, also when the disk is nearly full."""
        self.space.require()
        self.command(sql, settings)

    def arrow(self, sql: str, settings: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a query; gives its rows. Raises StoreUnavailable."""
        with self._client() as client:
            return client.query_arrow(sql, settings=dict(settings or {}))

    def insert(self, table: str, rows: pa.Table, settings: Mapping[str, Any]) -> None:
        """Insert rows as one block. Raises StoreUnavailable, also when the disk is nearly full."""
        self.space.require()
        with self._client() as client:
            client.insert_arrow(table, rows, settings=dict(settings))

    def close(self) -> None:
        """Close every client; calls that still run end first."""
        self._watch.stop()
        with self._lock:
            self._closed = True
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
