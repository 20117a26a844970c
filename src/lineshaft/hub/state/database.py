"""Opens the state database (SQLite or PostgreSQL), brings its tables up to date and gives transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from lineshaft.errors import ConfigError, StoreUnavailable
from lineshaft.hub.state import schema

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One state database; its methods may be called from any thread. `open()` before use, `close()` after.

    `dsn`: `sqlite:///path` or `postgresql://user:password@host/name`.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._engine: Engine | None = None
        self._writer = threading.Lock()

    def open(self) -> None:
        """Connect and apply the migrations. Raises ConfigError for a bad DSN, StoreUnavailable when unreachable."""
        url = _url(self._dsn)
        try:
            engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise ConfigError(
                f"no driver for the state database {url.get_backend_name()}: {error}",
                hint="install the extra for it: pip install 'lineshaft[postgresql]'",
            ) from error
        if engine.dialect.name == "sqlite":
            _make_private(url)
            _prepare_sqlite(engine)
        self._engine = engine
        with self.write() as connection:
            _migrate(connection)

    def close(self) -> None:
        """Release all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @property
    def engine(self) -> Engine:
        """The open engine. Raises StoreUnavailable before `open()` and after `close()`."""
        if self._engine is None:
            raise StoreUnavailable("the state database is not open")
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction. Raises StoreUnavailable when the database does not answer."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on an error; one at a time in this process."""
        engine = self.engine
        with self._writer, _translated(), engine.execution_options(writes=True).begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"the state database does not answer: {error.orig}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(f"the state database hung up: {error.orig}") from error
        raise


def _url(dsn: str) -> URL:
    try:
        url = make_url(dsn)
    except ArgumentError as error:
        raise ConfigError(
            "the DSN of the state database cannot be read", hint="sqlite:///path or postgresql://user@host/name"
        ) from error
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(f"the state database cannot be {backend}", hint="sqlite:///path or postgresql://...")
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _make_private(url: URL) -> None:
    """Make the file before SQLite does, so that only its owner reads it; what lies beside it gets the same rights."""
    if not url.database or url.database == ":memory:":
        return
    try:
        Path(url.database).touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"the state database does not answer: {error}") from error


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself; see `begun`
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A writer takes its lock at once, so that two never deadlock half-way.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the state database was made by a newer version: {error}", hint="install the version that wrote it"
        ) from error


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update all their other columns where the primary key exists. Works for both databases."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, leaving out those that a unique constraint says are there. Works for both databases."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def _insert(connection: Connection, table: Table) -> Any:
    """The insert of this dialect, which knows ON CONFLICT."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def fact(connection: Connection, key: str, default: int = 0) -> int:
    """A single remembered number."""
    found = connection.execute(select(schema.facts.c.value).where(schema.facts.c.key == key)).scalar()
    return default if found is None else int(found)


def set_fact(connection: Connection, key: str, value: int) -> None:
    """Remember a single number."""
    upsert(connection, schema.facts, [{"key": key, "value": value}])
