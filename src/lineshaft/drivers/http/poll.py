"""The HTTP driver: asks a JSON API, and takes the signals' values out of its documents."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, WavePoint
from lineshaft.drivers.http.options import HttpConnection
from lineshaft.drivers.json_browse import leaves
from lineshaft.drivers.json_bursts import BurstExtractor
from lineshaft.drivers.mapping import Cell, Extractor, Rows, parse
from lineshaft.drivers.secrets import first_line
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError, LineshaftError, PeerTimeout
from lineshaft.model.samples import Quality, SampleBatch

_PLANS_KEPT: Final = 256
_AT_ONCE: Final = 4
"""Requests to one API at a time."""


@dataclass(slots=True)
class _Cached:
    """A document and what the server wants to be asked with to say that it is still the same."""

    document: Any
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Plan:
    points: Sequence[Point]
    paths: dict[str, list[tuple[int, Extractor]]]  # path -> rows and what takes their values out


class HttpDriver:
    """One API. A document that has not changed (304) is not sent again; its values count as of now."""

    def __init__(self, options: HttpConnection, clock: Clock | None = None) -> None:
        self.options = options
        self._clock: Clock = clock or SystemClock()
        self._client: httpx.AsyncClient | None = None
        self._cached: dict[str, _Cached] = {}
        self._plans: dict[int, _Plan] = {}

    async def connect(self) -> None:
        """Ask the API's address once, whatever it answers. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        await self.close()
        options = self.options
        auth: httpx.Auth | None = None
        headers = {"Accept": "application/json", **options.headers}
        if options.auth == "basic":
            auth = httpx.BasicAuth(options.user, first_line(options.secret_file))
        elif options.auth == "bearer":
            headers["Authorization"] = f"Bearer {first_line(options.secret_file)}"
        try:
            context = ssl.create_default_context(cafile=options.ca_file or None)
        except OSError as error:
            raise AccessDenied(f"ca_file cannot be used: {error}", hint="check the file") from error
        client = httpx.AsyncClient(
            auth=auth, headers=headers, timeout=options.timeout, verify=context, trust_env=False,
            limits=httpx.Limits(max_connections=_AT_ONCE),
        )  # fmt: skip
        self._client = client
        try:
            async with self._asked(client, options.url, {}) as response:
                self._check_access(response)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Drop the connections; never raises."""
        client, self._client = self._client, None
        self._cached.clear()
        if client is not None:
            await client.aclose()

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Ask for each document once; a list's last row counts where a pointer takes several.

        Raises RetryableError, AccessDenied, or DataError when a document is no JSON.
        """
        client = self._opened()
        plan = self._plan(points)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def document(path: str) -> Any:
            async with gate:
                return await self._document(client, path)

        try:
            async with asyncio.TaskGroup() as group:
                asked = {path: group.create_task(document(path)) for path in plan.paths}
        except* LineshaftError as errors:
            raise _first(errors) from errors
        now_us = self._clock.now_us()
        cells: list[tuple[int, Cell]] = [(now_us, Cell(math.nan, None, Quality.BAD_ADDRESS))] * len(points)
        for path, wanted in plan.paths.items():
            found = asked[path].result()
            for row, extractor in wanted:
                rows = Rows()
                if found is not None and extractor.add(rows, found.document, now_us):
                    cells[row] = rows.times[-1], Cell(rows.values[-1], rows.texts[-1], rows.qualities[-1])
        answer = Rows()
        for point, (moment, cell) in zip(points, cells, strict=True):
            answer.add(point.handle, moment, cell)
        return answer.batch()

    async def read_waveform(self, point: WavePoint) -> SampleBatch:
        """See ReadsWaveforms: the burst in the document at the path of the address."""
        found = await self._document(self._opened(), point.address.path)
        now_us = self._clock.now_us()
        row = None if found is None else BurstExtractor(point, self.options).row(found.document, now_us)
        return SampleBatch.of([point.handle], now_us, math.nan, Quality.BAD_ADDRESS) if row is None else row

    def _plan(self, points: Sequence[Point]) -> _Plan:
        plan = self._plans.get(id(points))
        if plan is None or plan.points is not points:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            paths: dict[str, list[tuple[int, Extractor]]] = {}
            for row, point in enumerate(points):
                paths.setdefault(point.address.path, []).append((row, Extractor(point, self.options)))
            plan = self._plans[id(points)] = _Plan(points, paths)
        return plan

    async def _document(self, client: httpx.AsyncClient, path: str) -> _Cached | None:
        """The document at a path; None when the server has none there."""
        url = f"{self.options.url}/{path}" if path else self.options.url
        cached = self._cached.get(path)
        async with self._asked(client, url, cached.headers if cached else {}) as response:
            self._check_access(response)
            if response.status_code == httpx.codes.NOT_MODIFIED and cached is not None:
                return cached
            if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                return None
            if response.status_code != httpx.codes.OK:
                where = response.headers.get("location", "")
                hint = f"it points to {where}: give that address" if response.has_redirect_location else ""
                raise ConnectionFailed(f"{url}: HTTP {response.status_code}", hint=hint)
            body = await self._body(response, url)
            sent = response.headers
        try:
            found = parse(body)
        except DataError as error:
            raise DataError(f"{url}: {error}") from error
        known = {"If-None-Match": sent.get("etag"), "If-Modified-Since": sent.get("last-modified")}
        fresh = self._cached[path] = _Cached(found, {name: value for name, value in known.items() if value})
        return fresh

    async def _body(self, response: httpx.Response, url: str) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self.options.max_answer:
                raise DataError(f"{url}: an answer of more than {self.options.max_answer} bytes")
        return bytes(body)

    @asynccontextmanager
    async def _asked(
        self, client: httpx.AsyncClient, url: str, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """One answer whose body is not read yet; the time limit and the typed errors hold for the body as well."""
        with self._typed_errors():
            async with asyncio.timeout(self.options.timeout), client.stream("GET", url, headers=headers) as response:
                yield response

    def _check_access(self, response: httpx.Response) -> None:
        if response.status_code in (401, 403, 407):
            raise AccessDenied(
                f"{self.options.url}: HTTP {response.status_code}", hint="check auth, user and secret_file"
            )

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """The values of a document; `parent` is its path, '' the connection's url."""
        found = await self._document(self._opened(), parent)
        if found is None:
            return ()
        return tuple(
            replace(one, address=f"{parent} {one.address}".strip())
            for one in leaves(found.document, self.options.time_unit)
        )

    async def test_connection(self) -> Sequence[Finding]:
        """Reach the server with TLS and sign in, then read the document at the url, where there is one."""
        tried = HttpDriver(self.options, self._clock)
        check = "server answers"
        findings: list[Finding] = []
        try:
            await tried.connect()
            findings.append(Finding(check, True, self.options.url))
            check = "document can be read"
            count = len(await tried.browse())
            findings.append(Finding(check, True, f"{count} values" if count else "none at the url itself"))
        except LineshaftError as error:
            findings.append(Finding(check, False, str(error), error.hint or "is this the address of a JSON document?"))
        finally:
            await tried.close()
        return findings

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        return self._client

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        url = self.options.url
        try:
            yield
        except httpx.ConnectError as error:
            if "CERTIFICATE" in str(error).upper():
                raise AccessDenied(f"{url}: the server is not trusted: {error}", hint="check ca_file") from error
            raise ConnectionFailed(f"{url}: cannot be reached: {error}", hint="check host, port and cable") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise PeerTimeout(f"{url}: no answer in {self.options.timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
            raise ConnectionFailed(f"{url}: {str(error) or type(error).__name__}") from error


def _first(errors: BaseExceptionGroup[LineshaftError]) -> LineshaftError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
