"""Stores by other authors, run on the same values: InfluxDB 1 and VictoriaMetrics from Debian's packages."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from bench.dataset import times
from bench.process import cpu_seconds

CONNECTIONS: Final = 2


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def line_protocol(values: NDArray[np.float64], lines_per_body: int = 10_000) -> list[bytes]:
    """InfluxDB line protocol bodies for float64[seconds, signals], one line a value, microsecond times."""
    stamps = times(len(values)).tolist()
    bodies: list[bytes] = []
    lines: list[str] = []
    for stamp, row in zip(stamps, values.tolist(), strict=True):
        lines.extend(f"s,id={index} v={value} {stamp}" for index, value in enumerate(row))
        if len(lines) >= lines_per_body:
            bodies.append("\n".join(lines).encode())
            lines.clear()
    if lines:
        bodies.append("\n".join(lines).encode())
    return bodies


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a peer did with the values; CPU in seconds for a million; bytes None when nobody waited for its merges."""

    values_per_second: float
    cpu_per_million: float
    bytes_per_value: float | None


@contextmanager
def _running(command: Sequence[str], port: int, log: Path) -> Iterator[int]:
    """A server that listens on `port`; gives its process id."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 20
            while True:
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended at once: {log.read_text()[-400:]}")
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not listen within 20 s")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)


def _post(connection: http.client.HTTPConnection, path: str, body: bytes = b"") -> bytes:
    connection.request("POST", path, body)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{path} answered {answer.status}: {data[:200]!r}")
    return data


def _post_all(port: int, path: str, bodies: Sequence[bytes]) -> None:
    """All bodies over two connections: more are not quicker on two cores, one is slower."""

    def send(own: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for body in own:
            _post(connection, path, body)
        connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(send, [bodies[number::CONNECTIONS] for number in range(CONNECTIONS)]))


def _folder_size(folder: Path) -> int:
    """Bytes that the files take on the disk; holes in a file take none."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _settled(wal: Path, data: Path) -> None:
    """Wait until everything went from the log to data files, and these are merged: twice the same size."""
    deadline = time.monotonic() + 60
    before = -1
    while time.monotonic() < deadline:
        size = _folder_size(data)
        if size == before and _folder_size(wal) < size / 20:
            return
        before = size
        time.sleep(4)


def influxdb(values: NDArray[np.float64], bodies: Sequence[bytes], folder: Path, *, settle: bool) -> Outcome | None:
    """Write to InfluxDB 1 over HTTP; None where it is not installed. Raises RuntimeError when rows are missing.

    settle: wait until its files are merged, and measure them.
    """
    binary = shutil.which("influxd")
    if binary is None:
        return None
    port, rpc = free_port(), free_port()
    folder.mkdir(parents=True)
    config = folder / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n'
        f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'cache-snapshot-write-cold-duration = "2s"\ncompact-full-write-cold-duration = "3s"\n'
        f'query-log-enabled = false\n[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        f"max-body-size = 0\n[monitor]\nstore-enabled = false\n"
    )
    with _running([binary, "-config", str(config)], port, folder / "log") as pid:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        _post(connection, "/query?q=" + quote("CREATE DATABASE b"))
        started = time.perf_counter()
        _post_all(port, "/write?db=b&precision=u", bodies)
        elapsed, cpu = time.perf_counter() - started, cpu_seconds(pid) / values.size * 1e6
        answer = json.loads(_post(connection, "/query?db=b&q=" + quote("SELECT count(v) FROM s")))  # noqa: S608 (a constant)
        stored = answer["results"][0]["series"][0]["values"][0][1]
        if stored != values.size:
            raise RuntimeError(f"InfluxDB has {stored} of {values.size} values")
        if settle:
            _settled(folder / "wal", folder / "data")
    size = _folder_size(folder / "data") + _folder_size(folder / "wal")
    return Outcome(values.size / elapsed, cpu, size / values.size if settle else None)


def victoriametrics(
    values: NDArray[np.float64], bodies: Sequence[bytes], folder: Path, *, settle: bool
) -> Outcome | None:
    """Write to VictoriaMetrics over HTTP; None where it is not installed. Raises RuntimeError when rows are missing.

    The clock runs until a query sees every value, as it does for us; it keeps milliseconds. settle: as for InfluxDB.
    """
    binary = shutil.which("victoria-metrics")
    if binary is None:
        return None
    port = free_port()
    folder.mkdir(parents=True)
    command = [
        binary, f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
    ]  # fmt: skip
    with _running(command, port, folder / "log") as pid:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        started = time.perf_counter()
        _post_all(port, "/write?precision=u", bodies)
        connection.request("GET", "/internal/force_flush")
        connection.getresponse().read()
        elapsed, cpu = time.perf_counter() - started, cpu_seconds(pid) / values.size * 1e6
        query = quote(f"sum(count_over_time(s_v[{len(values) + 60}s]))")
        at = int(times(len(values))[-1] / 1e6) + 1
        connection.request("GET", f"/api/v1/query?query={query}&time={at}&nocache=1")
        answer = json.loads(connection.getresponse().read())
        stored = int(float(answer["data"]["result"][0]["value"][1])) if answer["data"]["result"] else 0
        if stored != values.size:
            raise RuntimeError(f"VictoriaMetrics has {stored} of {values.size} values")
        if settle:
            connection.request("GET", "/internal/force_merge")
            connection.getresponse().read()
            _settled(folder / "none", folder / "data")
    size = _folder_size(folder / "data")
    return Outcome(values.size / elapsed, cpu, size / values.size if settle else None)
