"""A state database of each kind: SQLite in a file, and PostgreSQL started for the tests."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lineshaft.hub.state.state import State

USER = "postgres"


def missing(what: str) -> None:
    """Skip, but fail in CI, where everything must be there."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(what)
    pytest.skip(what)


def port_of_the_moment() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """DSN of a PostgreSQL server in a temporary folder; it refuses to run as root, so root starts it as `postgres`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        missing("PostgreSQL is not installed (package postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed (extra postgresql)")
    programs_folder = programs[-1].parent
    as_user = {"user": USER, "group": USER} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="lineshaft-pg-"))
    if as_user:
        shutil.chown(folder, USER, USER)
    port = port_of_the_moment()
    try:
        options = ["-D", folder / "data", "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run([programs_folder / "initdb", *options], check=True, capture_output=True, cwd="/", **as_user)
        command = [programs_folder / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-F"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*command, "-h", "127.0.0.1"], stdout=log, stderr=log, cwd="/", **as_user)
        try:
            await_port(port, server)
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert server.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("PostgreSQL did not start")


@pytest.fixture(params=["sqlite", "postgresql"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """DSN of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
        return
    server = request.getfixturevalue("postgres")
    psycopg = importlib.import_module("psycopg")
    name = f"t{time.time_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def opened(dsn: str) -> Callable[[], State]:
    """Makes a state over the database of the test; use it with `with`, again for a restart."""
    return lambda: State(dsn)


@pytest.fixture
def state(opened: Callable[[], State]) -> Iterator[State]:
    """An open state."""
    with opened() as one:
        yield one
