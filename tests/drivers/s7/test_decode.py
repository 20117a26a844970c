"""Addresses, replies and contents of a Siemens controller, also malformed ones."""

from __future__ import annotations

import math
import zoneinfo
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lineshaft.drivers.s7.address import TYPES, S7Address
from lineshaft.drivers.s7.decode import Columns, date_and_time, dtl, group_points
from lineshaft.drivers.s7.replies import items_of
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality
from lineshaft.simulator.servers.s7 import encode

from .plc import address

CODINGS = (*(name for name in TYPES if name != "bool"), "string20", "wstring7", "chars9")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB10.DBD4:real", ("DB", 10, 4, None, "real")),
        ("db10.dbx0.3", ("DB", 10, 0, 3, "bool")),
        ("DB1.DBW2", ("DB", 1, 2, None, "word")),
        ("DB1.DBB10:string20", ("DB", 1, 10, None, "string20")),
        ("MW20", ("M", 0, 20, None, "word")),
        ("M10.3", ("M", 0, 10, 3, "bool")),
        ("E0.1", ("I", 0, 0, 1, "bool")),
        ("AW4:int", ("Q", 0, 4, None, "int")),
        ("IB7", ("I", 0, 7, None, "byte")),
    ],
)
def test_address_forms(text: str, expected: tuple[object, ...]) -> None:
    """Both the German and the international letters are understood."""
    found = address(text)
    assert (found.area, found.db, found.byte, found.bit, found.type) == expected


@pytest.mark.parametrize(
    "text",
    ["DB10", "DB10.DBD4.3", "DB10.DBX0", "DB10.DBX0.8", "DB0.DBW2", "DB10.DBW2:real", "DB10.DBD2:int", "M10",
     "MW20:foo", "DB1.DBB0:string255", "DB1.DBB0:string0", "DB1.DBW0:string4", "DB1.DBB0:bool", "DB70000.DBW0", "",
     "MX3", "Z0.1"],
)  # fmt: skip
def test_wrong_addresses_are_refused(text: str) -> None:
    """What cannot be an address is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        address(text)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """No text crashes the reading of addresses."""
    try:
        address(text)
    except ValidationError:
        return


def decoded(coding: str, content: bytes) -> Columns:
    where = S7Address.model_validate({"area": "M", "byte": 0, "type": coding})
    out = Columns(np.full(1, np.nan), np.full(1, Quality.GOOD, np.uint8), {})
    buffer = np.frombuffer(content[: where.size].ljust(where.size, b"\0"), np.uint8)
    for group in group_points([(0, where, 0)]):
        group.decode(buffer, UTC, out)
    return out


@given(st.sampled_from(CODINGS), st.binary(max_size=40))
def test_any_contents_decode(coding: str, content: bytes) -> None:
    """Every contents gives a number or a text, or a bad quality, and nothing else."""
    out = decoded(coding, content)
    if out.qualities[0] == Quality.GOOD:
        assert math.isfinite(out.values[0]) or 0 in out.texts


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_real_survives(value: float) -> None:
    """A REAL comes back to the bit."""
    assert decoded("real", encode(S7Address.model_validate("MD0:real"), value)).values[0] == value


@given(st.integers(631_152_000_000, 3_786_911_999_999))  # 1990 to 2089
def test_moments_survive(milliseconds: int) -> None:
    """DATE_AND_TIME and DTL come back to the millisecond."""
    for coding in ("date_and_time", "dtl"):
        content = encode(S7Address.model_validate({"area": "M", "byte": 0, "type": coding}), float(milliseconds))
        assert decoded(coding, content).values[0] == milliseconds


def test_moments_follow_the_time_zone_of_the_controller() -> None:
    """A clock that keeps Berlin summer time is two hours ahead of UTC."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    stamp = bytes.fromhex("07ea071003080000") + (500_000_000).to_bytes(4, "big")
    assert dtl(stamp, UTC) - dtl(stamp, berlin) == 7_200_000
    stamp = bytes.fromhex("2607160800005004")
    assert date_and_time(stamp, UTC) - date_and_time(stamp, berlin) == 7_200_000


@given(st.binary(max_size=8), st.binary(max_size=80), st.lists(st.integers(1, 30), max_size=5))
def test_any_reply_is_items_or_an_error(parameters: bytes, data: bytes, sizes: list[int]) -> None:
    """A malformed reply raises DataError; an accepted one has for each item its bytes or a code."""
    head = bytes([4, len(sizes)])
    for params in (parameters, head):
        try:
            items = items_of(params, data, sizes)
        except DataError:
            continue
        assert [len(item.content) for item in items if item.content] == [
            size for item, size in zip(items, sizes, strict=True) if item.content
        ]
