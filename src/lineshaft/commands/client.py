"""Asks the running hub or the simulator over HTTP."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lineshaft.errors import AccessDenied, ConnectionFailed, DataError, PeerTimeout
from lineshaft.server.folder import DataFolder

TOKEN_VARIABLE = "LINESHAFT_TOKEN"  # noqa: S105 - the name of the variable, not a token


class Client:
    """JSON over HTTP with a bearer token."""

    def __init__(self, base: str, token: str = "", *, peer: str = "the hub", timeout: float = 10.0) -> None:
        self.base = base.rstrip("/")
        self._token = token
        self._peer = peer
        self._timeout = timeout

    def get(self, path: str, **query: str | int) -> Any:
        """The answer to GET. Raises ConnectionFailed, PeerTimeout, AccessDenied or DataError."""
        return self._call("GET", path + (f"?{urlencode(query)}" if query else ""))

    def all(self, path: str) -> list[Any]:
        """The rows of all pages of a list. Raises like `get`."""
        page = self.get(path, limit=1000)
        rows: list[Any] = page["items"]
        while page["next"] is not None:
            page = self.get(path, limit=1000, cursor=page["next"])
            rows += page["items"]
        return rows

    def post(self, path: str, body: Any) -> Any:
        """The answer to POST. Raises like `get`."""
        return self._call("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        """The answer to DELETE. Raises like `get`."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.base + path, body, method=method)  # noqa: S310 - our own http address
        request.add_header("content-type", "application/json")
        if self._token:
            request.add_header("authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error.code, error.read()) from error
        except TimeoutError as error:
            raise PeerTimeout(f"{self._peer} at {self.base} does not answer") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            hint = "is it running? `lineshaft doctor` says more"
            raise ConnectionFailed(f"{self._peer} at {self.base} cannot be reached: {reason}", hint=hint) from error

    def _refused(self, status: int, body: bytes) -> AccessDenied | DataError:
        try:
            words = json.loads(body)
        except ValueError:
            words = {}
        detail = str(words.get("detail") or words.get("error") or words.get("title") or f"status {status}")
        if status in (401, 403):
            hint = f"make an API token on the page, and give it by --token or {TOKEN_VARIABLE}"
            if self._peer != "the hub":
                hint = "give the data folder that it uses with --data"
            return AccessDenied(f"{self._peer} refuses: {detail}", hint=hint)
        return DataError(f"{self._peer} says: {detail}", hint=str(words.get("hint") or ""))


def hub_address(folder: DataFolder, host: str, port: int) -> str:
    """Where the hub of this data folder listens: what it wrote down, else what the plant says."""
    try:
        return folder.links.read_text(encoding="utf-8").strip()
    except OSError:
        return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - where to ask


def token_of(given: str, folder: DataFolder) -> str:
    """The API token: given, from the environment, or from the file cli.token of the data folder; '' for none."""
    if given or os.environ.get(TOKEN_VARIABLE):
        return given or os.environ[TOKEN_VARIABLE]
    return read_secret(folder.root / "cli.token")


def read_secret(path: Path) -> str:
    """The first line of a file, '' when there is none."""
    try:
        return path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except OSError:
        return ""
