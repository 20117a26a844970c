"""JSON documents to rows, also malformed ones."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lineshaft.drivers.base import Point
from lineshaft.drivers.json_browse import leaves
from lineshaft.drivers.mapping import Cell, Extractor, JsonAddress, JsonForm, Rows, cell_of, parse, time_of
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality

NOW = 1_700_000_000_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("a", "b", "", "t", "id")), inner),
    max_leaves=12,
)


def rows(document: object, value: str, datatype: Datatype = Datatype.DOUBLE, **form: str) -> Rows:
    found = Rows()
    point = Point(7, JsonAddress(value=value), datatype)
    Extractor(point, JsonForm.model_validate(form)).add(found, document, NOW)
    return found


def test_pointers() -> None:
    """Members, elements, escaped names, elements by a member's value and the whole document are found."""
    document = {"a/b": {"~": 1}, "list": [{"id": 7, "v": 2}, {"id": "x", "v": 3}], "": 4}
    assert rows(document, "/a~1b/~0").values == [1]
    assert rows(document, "/list/1/v").values == [3]
    assert rows(document, "/list/[id=7]/v").values == [2]
    assert rows(document, "/list/[id=x]/v").values == [3]
    assert rows(document, "/").values == [4]
    assert rows(5, "").values == [5]
    assert len(rows(document, "/list/9/v")) == len(rows(document, "/list/-1/v")) == len(rows(document, "/no")) == 0


def test_a_list_gives_one_row_each() -> None:
    """A star takes every element, each with the time beside it."""
    document = {"values": [{"v": 1, "t": 1_700_000_000_001}, {"v": 2, "t": 1_700_000_000_002}, {"t": 3}]}
    found = rows(document, "/values/*/v", time="/values/*/t")
    assert found.values == [1, 2]
    assert found.times == [NOW + 1000, NOW + 2000]


@pytest.mark.parametrize(
    ("value", "datatype", "expected"),
    [
        (True, Datatype.DOUBLE, Cell(1.0)),
        ("0042", Datatype.DOUBLE, Cell(text="0042")),
        ("42", Datatype.DOUBLE, Cell(42.0)),
        ("42", Datatype.STRING, Cell(text="42")),
        ("-0.50", Datatype.DOUBLE, Cell(-0.5)),
        (42, Datatype.STRING, Cell(text="42")),
        ("RUN", Datatype.DOUBLE, Cell(text="RUN")),
        (2**53 + 1, Datatype.INT64, Cell(float(2**53), "9007199254740993")),
        ({"a": 1}, Datatype.STRING, Cell(text='{"a": 1}')),
    ],
)
def test_values(value: object, datatype: Datatype, expected: Cell) -> None:
    """Identifiers stay text, numbers in quotes are numbers, and a String stays as it is written."""
    found = cell_of(value, datatype)
    assert (found.text, found.quality) == (expected.text, Quality.GOOD)
    assert found.number == expected.number or (math.isnan(found.number) and math.isnan(expected.number))


def test_values_that_are_none() -> None:
    """null, lists and objects have no value; a bad quality takes the value away."""
    for value in (None, [1], {"a": 1}, 10**400):
        assert cell_of(value, Datatype.DOUBLE).quality == Quality.BAD_NO_VALUE
    for told, quality in ((True, 192), ("Good", 192), (192, 192), (False, 4), ("bad", 4), (None, 4), ([], 4)):
        assert rows({"v": 1, "q": told}, "/v", quality="/q").qualities == [quality]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1_700_000_000, "s", NOW),
        ("1700000000000", "ms", NOW),
        (1_700_000_000.25, "s", NOW + 250_000),
        (1_700_000_000_000_000_999, "ns", NOW),
        ("2023-11-14T22:13:20Z", "ms", NOW),
        ("2023-11-14T23:13:20.5+01:00", "ms", NOW + 500_000),
    ],
)
def test_times(value: object, unit: str, expected: int) -> None:
    """Numbers in the unit that the form says, and ISO 8601."""
    assert time_of(value, unit) == expected


@pytest.mark.parametrize("value", [None, True, "", "yesterday", -1, 10**30, [], float("1e300")])
def test_what_is_no_time(value: object) -> None:
    """A time that is none makes the document malformed."""
    with pytest.raises(DataError):
        time_of(value, "ms")


@pytest.mark.parametrize("wrong", ["a", "/*/x/*", "/a/*/*"])
def test_wrong_pointers(wrong: str) -> None:
    """What is no pointer is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        JsonAddress(value=wrong)


def test_hostile_documents() -> None:
    """Deep nesting, endless digits and non-finite numbers are malformed, and nothing worse."""
    for payload in (b"[" * 100_000, b"1" * 100_000, b"1e999", b"NaN", b'{"a": Infinity}', b"\xff", b""):
        with pytest.raises(DataError):
            parse(payload)


@given(st.binary(max_size=60))
def test_any_payload_is_a_document_or_an_error(payload: bytes) -> None:
    """No payload crashes the parser."""
    try:
        parse(payload)
    except DataError:
        return


@given(
    JSON, st.sampled_from(("", "/a", "/a/b", "/*/a", "/a/*", "/0", "/[id=1]/a")), st.sampled_from(("", "/t", "/*/t"))
)
def test_any_document_gives_rows_or_an_error(document: object, value: str, time: str) -> None:
    """Each row has a number or a text when it is good, and a time that can be told; browsing survives it as well."""
    for datatype in (Datatype.DOUBLE, Datatype.STRING):
        try:
            found = rows(document, value, datatype, time=time, quality="/b" if time else "")
        except DataError:
            continue
        for number, text, quality in zip(found.values, found.texts, found.qualities, strict=True):
            assert quality != Quality.GOOD or text is not None or math.isfinite(number)
        found.batch()
    assert all(one.address == "" or one.address.startswith("/") for one in leaves(json.loads(json.dumps(document))))
