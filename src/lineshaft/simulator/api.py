"""The fault API: a small HTTP server on this computer, guarded by a token from the data folder."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from lineshaft.errors import ConfigError, ConnectionFailed, DataError
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.faults import CATALOGUE, Fault

TOKEN_FILE = "simulator-token"  # noqa: S105 - the name of a file, not a token
_MOST_BYTES = 64 * 1024
_PATIENCE_S = 10.0
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Not Allowed"}


def make_token(data_dir: Path) -> str:
    """The bearer token of this data folder; made on the first call, readable by its owner alone."""
    path = data_dir / TOKEN_FILE
    if path.exists():
        return path.read_text().strip()
    token = secrets.token_urlsafe(24)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
    return token


class FaultApi:
    """`GET /faults`, `POST /faults {id, asset, severity?}`, `DELETE /faults/{number}`; JSON, bearer token."""

    def __init__(self, factory: Factory, token: str, port: int) -> None:
        self._factory = factory
        self._token = token
        self._wanted_port = port
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> FaultApi:
        try:
            self._server = await asyncio.start_server(
                self._connected, "127.0.0.1", self._wanted_port, limit=_MOST_BYTES
            )
        except OSError as error:
            raise ConnectionFailed(
                f"cannot listen on 127.0.0.1:{self._wanted_port}", hint="another program uses simulator.api_port"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request per connection."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, body = self._answer(*await _request(reader))
                await _respond(writer, status, body)
        except DataError as error:
            await _respond(writer, 400, {"title": str(error)})
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away or talks no HTTP
        finally:
            writer.close()

    def _answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return 401, {"title": f"the token of the file {TOKEN_FILE} is needed as bearer"}
        routes: dict[str, Callable[[], tuple[int, Any]]] = {
            "GET": self._list,
            "POST": lambda: self._inject(body),
            "DELETE": lambda: self._take_back(path.rpartition("/")[2]),
        }
        if path.rstrip("/") != "/faults" and not (method == "DELETE" and path.startswith("/faults/")):
            return 404, {"title": f"there is no {path}"}
        if method not in routes:
            return 405, {"title": f"{method} is not possible here"}
        try:
            return routes[method]()
        except ConfigError as error:
            return 400, {"title": str(error), "detail": error.hint}

    def _list(self) -> tuple[int, Any]:
        faults = self._factory.faults
        catalogue = [
            {
                "id": kind.id,
                "title": kind.title,
                "description": kind.description,
                "target": kind.target,
                "targets": list(faults.targets(kind.id)),
                "parameters": {"severity": {"default": kind.severity, "low": 0, "high": 5}},
            }
            for kind in CATALOGUE
        ]
        return 200, {"catalogue": catalogue, "active": [_told(fault) for fault in faults]}

    def _inject(self, body: bytes) -> tuple[int, Any]:
        try:
            wanted = json.loads(body)
        except ValueError as error:
            raise DataError("the body is no JSON") from error
        if not isinstance(wanted, dict) or not isinstance(wanted.get("id"), str):
            raise DataError('the body is an object like {"id": "cavitation", "asset": "...", "severity": 1}')
        severity = wanted.get("severity")
        if severity is not None and (isinstance(severity, bool) or not isinstance(severity, int | float)):
            raise DataError("severity is a number")
        fault = self._factory.faults.inject(
            wanted["id"],
            str(wanted.get("asset", "")),
            self._factory.now_us,
            None if severity is None else float(severity),
        )
        return 201, _told(fault)

    def _take_back(self, number: str) -> tuple[int, Any]:
        if not number.isdecimal():
            return 404, {"title": "a fault is taken back by its number, like /faults/3"}
        return 200, _told(self._factory.faults.take_back(int(number), self._factory.now_us))


def _told(fault: Fault) -> dict[str, Any]:
    told = asdict(fault)
    return {"number": told.pop("id"), "id": told.pop("kind"), **told}


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, str, bytes]:
    """Method, path, bearer token and body of an HTTP/1.1 request. Raises DataError when it is none."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3:
        raise DataError("not an HTTP request")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _MOST_BYTES:
        raise DataError(f"a body has at most {_MOST_BYTES} bytes")
    body = await reader.readexactly(int(length))
    return parts[0], parts[1].partition("?")[0], headers.get("authorization", "").removeprefix("Bearer "), body


async def _respond(writer: asyncio.StreamWriter, status: int, body: Any) -> None:
    data = json.dumps(body).encode()
    kind = "application/json" if status < 400 else "application/problem+json"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + data)
    await writer.drain()
