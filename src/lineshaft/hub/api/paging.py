"""Pages of lists: `next` of a page is the `cursor` with which the page after it is asked for."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Query

from lineshaft.errors import DataError

T = TypeVar("T")
Cursor = Annotated[str, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=5000, description="rows of a page")]
PAGE: Final = 500
"""Rows of a page of a list of things that a plant has, when `limit` does not say it."""


def paged(rows: Sequence[T], key: Callable[[T], object], cursor: str, limit: int) -> tuple[Sequence[T], str | None]:
    """A page of a list that is known as a whole, and the next page's cursor, None on the last one.

    `key` tells rows apart. Rows that come or go between two pages neither repeat nor hide others; where the last row of
    the page before went itself, the page begins at its place. Raises DataError for a cursor of elsewhere.
    """
    start = _behind(rows, key, cursor) if cursor else 0
    page = rows[start : start + limit]
    end = start + len(page)
    more = end < len(rows) and page
    return page, _packed(f"{end - 1}:{key(page[-1])}") if more else None


def _behind(rows: Sequence[T], key: Callable[[T], object], cursor: str) -> int:
    place, colon, wanted = _unpacked(cursor).partition(":")
    if not place.isdecimal() or not colon:
        raise _strange()
    at = int(place)
    if at < len(rows) and str(key(rows[at])) == wanted:
        return at + 1
    return next((number + 1 for number, row in enumerate(rows) if str(key(row)) == wanted), at)


def mark(time: int, number: int) -> str:
    """The cursor behind a row of a list that a database gives newest first, by time and number."""
    return f"{time}-{number}"


def marked(cursor: str) -> tuple[int, int] | None:
    """(time, number) of the last row of the page before; None on the first page. Raises DataError."""
    if not cursor:
        return None
    time, _, number = cursor.rpartition("-")
    try:
        return int(time), int(number)
    except ValueError as error:
        raise _strange() from error


def _packed(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(cursor: str) -> str:
    try:
        return b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _strange() from error


def _strange() -> DataError:
    return DataError("this cursor was not made by this hub", hint="`next` of the page before, or nothing")
