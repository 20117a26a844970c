"""Calls of the hub's API; a refusal becomes one of our errors, with the hub's own words."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pyarrow as pa

from lineshaft.errors import (
    AccessDenied,
    AddressInvalid,
    ConnectionFailed,
    DataError,
    LineshaftError,
    PeerTimeout,
    StoreUnavailable,
)

ARROW: Final = "application/vnd.apache.arrow.stream"
_TRIES: Final = 4
"""How often a call is made that the hub puts off (429, 503)."""
_LONGEST_WAIT: Final = 30.0  # seconds


class Http:
    """One kept connection to `<url>/api/v1` with a bearer token."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise DataError(f"{url!r} is no address of a hub", hint="like http://127.0.0.1:8700")
        self._url = url.rstrip("/")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=f"{self._url}/api/v1", headers=headers, timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def json(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer to GET."""
        return self._call("GET", path, params=_given(params)).json()

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every item of a paged collection, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.json(path, {**params, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]

    def arrow(self, path: str, params: Mapping[str, Any]) -> pa.Table:
        """The Arrow answer to GET."""
        answer = self._call("GET", path, params=_given(params), headers={"accept": ARROW})
        with pa.ipc.open_stream(io.BytesIO(answer.content)) as reader:
            return reader.read_all()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST JSON; the JSON answer."""
        return self._call("POST", path, json=dict(body)).json()

    def send_arrow(self, path: str, table: pa.Table) -> Any:
        """POST a table; the JSON answer."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        body = sink.getvalue().to_pybytes()
        return self._call("POST", path, content=body, headers={"content-type": ARROW}).json()

    def _call(self, method: str, path: str, **how: Any) -> httpx.Response:
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._client.request(method, path, **how)
            except httpx.TimeoutException as error:
                raise PeerTimeout(f"the hub at {self._url} does not answer in time") from error
            except httpx.TransportError as error:
                hint = "is it running? `lineshaft doctor` says more"
                raise ConnectionFailed(f"the hub at {self._url} cannot be reached: {error}", hint=hint) from error
            if answer.status_code not in (429, 503) or attempt == _TRIES:
                break
            asked = answer.headers.get("retry-after", "")
            time.sleep(min(float(asked) if asked.isdigit() else 1.0, _LONGEST_WAIT))
        if answer.is_success:
            return answer
        raise _error(answer)


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (params or {}).items() if value not in (None, "")}


def _error(answer: httpx.Response) -> LineshaftError:
    try:
        words = answer.json()
    except ValueError:
        words = {}
    detail = str(words.get("detail") or words.get("title") or f"status {answer.status_code}")
    hint = str(words.get("hint") or "")
    match answer.status_code:
        case 401 | 403:
            return AccessDenied(f"the hub refuses: {detail}", hint=hint or "make an API token under Settings")
        case 404:
            return AddressInvalid(detail, hint=hint)
        case 429 | 503:
            return StoreUnavailable(f"the hub puts it off: {detail}", hint=hint)
        case 502 | 504:
            return ConnectionFailed(detail, hint=hint)
        case _:
            return DataError(detail, hint=hint)
