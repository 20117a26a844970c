"""Splits a multipart/x-mixed-replace answer into its documents as the bytes come in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lineshaft.errors import DataError

_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,12})\s*$", re.IGNORECASE | re.MULTILINE)
_MOST_HEADERS = 8192


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type names, '' when it is no multipart type. Raises DataError when it lacks one."""
    if not content_type.lower().startswith("multipart/"):
        return ""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise DataError(f"a multipart answer without a boundary: {content_type[:100]}")
    return match[1]


class Splitter:
    """Feed bytes, get documents. A part with a Content-Length is taken by it, else up to the next boundary."""

    def __init__(self, boundary: str, limit: int) -> None:
        self._mark = b"--" + boundary.lstrip("-").encode("latin-1")  # some name it with its dashes, some without
        self._limit = limit
        self._buffer = bytearray()
        self._length: int | None = None  # of the part that is being read; -1: up to the next boundary

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Documents that are complete with these bytes. Raises DataError when a part is malformed or too large."""
        self._buffer += data
        while True:
            if self._length is None and not self._headers():
                return
            part = self._body()
            if part is None:
                return
            yield part

    def _headers(self) -> bool:
        start = self._buffer.find(self._mark)
        if start < 0:
            if len(self._buffer) > _MOST_HEADERS:
                raise DataError("the boundary of the next part does not come")
            return False
        end, skip = _blank_line(self._buffer, start)
        if end < 0:
            if len(self._buffer) - start > _MOST_HEADERS:
                raise DataError("the headers of a part do not end")
            return False
        match = _LENGTH.search(bytes(self._buffer[start:end]).replace(b"\r", b""))
        self._length = int(match[1]) if match else -1
        if self._length > self._limit:
            raise DataError(f"a part of {self._length} bytes; the limit is {self._limit}")
        del self._buffer[: end + skip]
        return True

    def _body(self) -> bytes | None:
        length = self._length
        if length is None:
            return None
        if length < 0:
            length = self._buffer.find(self._mark)
            if length < 0 and len(self._buffer) > self._limit:
                raise DataError(f"a part of more than {self._limit} bytes")
        if length < 0 or len(self._buffer) < length:
            return None
        part = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._length = None
        return part.strip().rstrip(b"-\r\n")


def _blank_line(buffer: bytearray, start: int) -> tuple[int, int]:
    """Where the headers end and how long the end is; (-1, 0) when it is not there yet."""
    found = [(place, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (place := buffer.find(mark, start)) >= 0]
    return min(found, default=(-1, 0))
