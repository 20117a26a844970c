"""Asks an MTConnect agent over HTTP: one document at a time, or a stream of them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Container, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from urllib.parse import quote

import httpx

from lineshaft.drivers.mtconnect.documents import AgentError, Document, Probe, Streams
from lineshaft.drivers.mtconnect.multipart import Splitter, boundary_of
from lineshaft.drivers.mtconnect.options import MtconnectConnection
from lineshaft.drivers.mtconnect.xml import parse
from lineshaft.errors import AccessDenied, AddressInvalid, ConnectionFailed, DataError, PeerTimeout

_IN_THREAD = 2**18
"""A document of more bytes is parsed beside the event loop."""
Parameters = Mapping[str, str | int]


class Agent:
    """One agent. Open it before use; every method raises the typed errors of a driver."""

    def __init__(self, options: MtconnectConnection) -> None:
        self.options = options
        self._client: httpx.AsyncClient | None = None

    def open(self) -> None:
        """Get ready; nothing is sent yet."""
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self.options.timeout),
            trust_env=False,
            follow_redirects=True,
            headers={"Accept": "text/xml, application/xml", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Drop all connections; may be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def probe(self) -> Probe:
        """The device model. Raises DataError too, when the agent answers with something else."""
        document = await self._get("probe", {})
        if isinstance(document, AgentError):
            self._refused(document)
        if not isinstance(document, Probe):
            raise DataError(f"{self.options.url}: the answer to probe is no device model")
        return document

    async def current(self, wanted: Container[str], at: int | None = None) -> Streams | AgentError:
        """The latest observation of each data item, or that at a sequence number."""
        return _streams(await self._get("current", {} if at is None else {"at": at}, wanted))

    async def sample(self, start: int, count: int, wanted: Container[str]) -> Streams | AgentError:
        """Up to `count` observations from sequence number `start` on."""
        return _streams(await self._get("sample", {"from": start, "count": count}, wanted))

    async def stream(self, start: int, wanted: Container[str]) -> AsyncGenerator[Streams | AgentError | None, None]:
        """Documents as they come; None says once that the agent does not stream. Ends only by an error."""
        options = self.options
        parameters = {
            "from": start,
            "count": options.count,
            "interval": max(1, round(options.interval * 1000)),
            "heartbeat": max(1, round(options.heartbeat * 1000)),
        }
        silence = 2 * options.heartbeat + options.timeout
        with self._typed_errors():
            async with self._request("sample", parameters, silence) as response:
                self._check_access(response)
                boundary = boundary_of(response.headers.get("content-type", ""))
                if not boundary:
                    document = await self._parse(await self._body(response), wanted)
                    yield document if isinstance(document, AgentError) else None
                    return
                splitter = Splitter(boundary, options.max_document)
                async with aclosing(self._parts(response, splitter, silence)) as parts:
                    async for part in parts:
                        yield _streams(await self._parse(part, wanted))
        raise ConnectionFailed(f"{options.url}: the agent ended the stream")

    async def _parts(self, response: httpx.Response, splitter: Splitter, silence: float) -> AsyncGenerator[bytes, None]:
        """Bodies of the parts. Raises PeerTimeout when no part is complete for `silence` seconds."""
        chunks = response.aiter_bytes()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + silence
        while True:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            for part in splitter.feed(chunk):
                deadline = loop.time() + silence
                yield part

    async def _get(self, what: str, parameters: Parameters, wanted: Container[str] | None = None) -> Document:
        with self._typed_errors():
            whole = asyncio.timeout(4 * self.options.timeout)
            async with whole, self._request(what, parameters, self.options.timeout) as response:
                self._check_access(response)
                body = await self._body(response)
                status = response.status_code
            try:
                return await self._parse(body, wanted)
            except DataError as error:
                if status >= 400:
                    raise ConnectionFailed(
                        f"{self.options.url}: HTTP {status} for {what}",
                        hint="check that an MTConnect agent answers there",
                    ) from error
                raise

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self.options.max_document:
                raise DataError(f"{self.options.url}: a document of more than {self.options.max_document} bytes")
        return bytes(body)

    async def _parse(self, body: bytes, wanted: Container[str] | None) -> Document:
        limit = self.options.max_document
        if len(body) > _IN_THREAD:
            return await asyncio.to_thread(parse, body, wanted, limit=limit)
        return parse(body, wanted, limit=limit)

    def _request(
        self, what: str, parameters: Parameters, silence: float
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """`silence`: longest time without a byte, in seconds."""
        if self._client is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        device = f"/{quote(self.options.device, safe='')}" if self.options.device else ""
        return self._client.stream(
            "GET",
            f"{self.options.url}{device}/{what}",
            params=dict(parameters),
            timeout=httpx.Timeout(self.options.timeout, read=silence),
        )

    def _check_access(self, response: httpx.Response) -> None:
        if response.status_code in (401, 403, 407):
            raise AccessDenied(
                f"{self.options.url}: HTTP {response.status_code}", hint="the agent or a proxy before it refuses access"
            )

    def _refused(self, error: AgentError) -> None:
        if error.has("NO_DEVICE"):
            raise AddressInvalid(
                f"{self.options.url} has no device '{self.options.device}'", hint="leave `device` empty to see all"
            )
        raise ConnectionFailed(f"{self.options.url}: {error}")

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        url = self.options.url
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ConnectionFailed(
                f"{url}: cannot be reached: {error or 'no answer'}",
                hint="check host, port, cable and that the agent runs",
            ) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise PeerTimeout(f"{url}: no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
            raise ConnectionFailed(f"{url}: {str(error) or type(error).__name__}") from error


def _streams(document: Document) -> Streams | AgentError:
    if isinstance(document, Probe):
        raise DataError("a device model instead of observations")
    return document
