"""Checks of `lineshaft doctor` that need no running part: this computer, the data folder, ports, broker, stores."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import lineshaft
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.server import context, moves
from lineshaft.server.folder import DataFolder
from lineshaft.server.parts import EXTRAS, PartMissing, require

LEAST_FREE = 1_000_000_000
"""Bytes of free disk below which to look; a tenth of it is broken."""
_TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: which part, how it is, in words, and how to mend it."""

    state: Literal["pass", "warn", "fail"]
    part: str
    words: str
    mend: str = ""


def machine() -> Iterator[Line]:
    """Python, extras, page and clock of this computer."""
    words = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, lineshaft {lineshaft.__version__}"
    )
    supported = sys.version_info >= (3, 11)
    yield Line("pass" if supported else "fail", "python", words, "Lineshaft needs Python 3.11 or newer")
    for part in EXTRAS:
        try:
            require(part)
            yield Line("pass", f"installed: {part}", "all its libraries are there")
        except PartMissing as error:
            yield Line("warn", f"installed: {part}", str(error), error.hint)
    static = Path(lineshaft.__file__).parent / "web" / "static" / "index.html"
    built = Line("pass", "page", "built") if static.exists() else Line("warn", "page", "is not built", "make ui")
    yield built if importlib.util.find_spec("fastapi") else Line("pass", "page", "not needed without the hub")
    yield clock()


def clock() -> Line:
    """Whether the computer's clock can be right."""
    year = time.gmtime().tm_year
    if year < 2026:
        return Line("fail", "clock", f"says that it is {year}", "set the clock; samples would get wrong times")
    if sys.platform == "linux":
        status = ctypes.create_string_buffer(512)  # struct timex; modes 0: only read
        state = ctypes.CDLL(None).adjtimex(status)
        if state == _TIME_ERROR:
            return Line("warn", "clock", "is not synchronised", "switch on NTP (chrony or systemd-timesyncd)")
    return Line("pass", "clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def data_folder(folder: DataFolder) -> Iterator[Line]:
    """Whether the data folder can be written, and how much room there is."""
    existed = folder.root.is_dir()
    place = folder.root if existed else next(p for p in folder.root.parents if p.is_dir())
    if existed:
        try:
            folder.prepare()
            yield Line("pass", "data folder", str(folder.root))
        except ConfigError as error:
            yield Line("fail", "data folder", str(error.args[0]), error.hint)
    else:
        yield Line("pass", "data folder", f"{folder.root} will be made at the first start")
    free = shutil.disk_usage(place).free
    state: Literal["pass", "warn", "fail"] = "pass"
    if free < LEAST_FREE:
        state = "fail" if free < LEAST_FREE / 10 else "warn"
    yield Line(state, "disk", f"{free / 1e9:.1f} GB free", "remove old data, or set hub.retention")


def ports_free(plant: Plant, folder: DataFolder) -> Iterator[Line]:
    """Whether the ports of this plant are free, or held by its own parts."""
    running = folder.links.exists()
    for key, words in moves.busy(moves.own_ports(plant, with_simulator=plant.simulator is not None)).items():
        if running:
            yield Line("pass", f"port {key}", f"{words} (this plant runs)")
        else:
            yield Line("warn", f"port {key}", words, f"end that program, or change {key} in the plant")


def broker(plant: Plant, folder: DataFolder) -> Iterator[Line]:
    """Whether the broker is there and takes the gateway's password."""
    url = urlsplit(context.broker_url(plant))
    host, port = str(url.hostname), url.port or (8883 if url.scheme == "mqtts" else 1883)
    try:
        socket.create_connection((host, port), timeout=3.0).close()
    except OSError as error:
        own = "it starts with `lineshaft up`" if not plant.hub.broker else "is it running, is the address right?"
        state: Literal["warn", "fail"] = "warn" if not plant.hub.broker and not folder.links.exists() else "fail"
        yield Line(state, "broker", f"{host}:{port} cannot be reached: {error}", own)
        return
    yield Line("pass", "broker", f"{host}:{port} answers")
    users = {plant.gateway.id: f"{plant.gateway.id}.password"}
    users[context.hub_user(plant)] = plant.hub.broker_password_file or f"{context.hub_user(plant)}.password"
    for user, file in users.items():
        password = context.read_password(folder.root / file)
        if not password:
            yield Line(
                "warn", f"broker user {user}", f"no password in {folder.root / file}", "copy it from the hub's computer"
            )
        elif importlib.util.find_spec("paho") is not None and url.scheme == "mqtt":
            yield sign_in(host, port, user, password)


def sign_in(host: str, port: int, user: str, password: str) -> Line:
    """Try a user and password at a broker with a CONNECT packet of MQTT 3.1.1, under a client id of its own."""
    fields = [b"MQTT", b"\x04\xc2\x00\x05", f"lineshaft-doctor-{user}".encode(), user.encode(), password.encode()]
    body = b"".join(f if n == 1 else len(f).to_bytes(2, "big") + f for n, f in enumerate(fields))
    part = f"broker user {user}"
    try:
        with socket.create_connection((host, port), timeout=5.0) as connection:
            connection.sendall(bytes((0x10, len(body) % 128 | (128 if len(body) > 127 else 0))))
            connection.sendall((bytes((len(body) // 128,)) if len(body) > 127 else b"") + body)
            answer = connection.recv(4)
    except OSError as error:
        return Line("fail", part, f"the broker hung up: {error}", "its log says why")
    if len(answer) == 4 and answer[3] == 0:
        return Line("pass", part, "is let in")
    return Line("fail", part, "is refused", "its password in the data folder is not the one that the broker knows")


def store(plant: Plant, folder: DataFolder) -> Iterator[Line]:
    """Where samples and state are, and how large they are."""
    for part, dsn in (("historian", folder.historian_dsn(plant)), ("state database", folder.database_dsn(plant))):
        url = urlsplit(dsn)
        if url.scheme in ("chdb", "sqlite"):
            path = Path(url.path if url.scheme == "chdb" else dsn.removeprefix("sqlite:///"))
            if not path.exists():
                yield Line("pass", part, f"{path} will be made at the first start")
                continue
            files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
            yield Line("pass", part, f"{path}: {sum(one.stat().st_size for one in files) / 1e6:,.1f} MB")
            continue
        port = url.port or {"postgresql": 5432, "clickhouses": 8443}.get(url.scheme.partition("+")[0], 8123)
        try:
            socket.create_connection((str(url.hostname), port), timeout=3.0).close()
            yield Line("pass", part, f"{url.hostname}:{port} answers")
        except OSError as error:
            yield Line("fail", part, f"{url.hostname}:{port} cannot be reached: {error}", "is the server running?")


def buffer(plant: Plant, folder: DataFolder) -> Iterator[Line]:
    """How full the gateway's disk buffer is."""
    place = folder.root / "buffer"
    if not place.is_dir():
        yield Line("pass", "gateway buffer", "empty: no gateway has run here")
        return
    used = sum(path.stat().st_size for path in place.glob("*.seg"))
    share = used / plant.gateway.buffer.max_size
    words = f"{used / 1e6:,.1f} MB of {plant.gateway.buffer.max_size / 1e6:,.0f} MB"
    mend = "samples wait: is the hub reachable? At the bound the oldest go"
    yield Line("pass" if share < 0.5 else "warn" if share < 0.95 else "fail", "gateway buffer", words, mend)
