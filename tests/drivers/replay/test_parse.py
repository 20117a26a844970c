"""What the lines and cells of a recording mean."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.drivers.records import Malformed, Records, iso_time, meaning
from lineshaft.drivers.replay.shdr import read_shdr
from lineshaft.model.samples import Quality

TIME = "2016-05-05T13:00:00.000123Z"
MICROS = 1_462_453_200_000_123
WORDS = st.text(st.characters(blacklist_characters='|"\r\n', blacklist_categories=["Cs", "Cc"]), max_size=12)
ITEMS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)


def parse(*lines: str) -> tuple[Records, Malformed]:
    malformed = Malformed()
    joined = Records()
    for part in read_shdr([line + "\n" for line in lines], malformed):
        for name in ("items", "times", "values", "qualities", "texts", "raw"):
            getattr(joined, name).extend(getattr(part, name))
    return joined, malformed


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(value: float) -> None:
    """Every number that is written out comes back as the same double."""
    assert meaning(repr(value)) == (value, None, Quality.GOOD)


@given(st.integers(-(2**63), 2**64))
def test_an_integer_keeps_its_digits(value: int) -> None:
    """An integer that a double cannot hold has its digits as text."""
    number, text, quality = meaning(str(value))
    assert quality == Quality.GOOD
    assert (int(number) if text is None else int(text)) == value


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_a_time_is_exact_to_the_microsecond(moment: datetime) -> None:
    """A written time comes back to the microsecond."""
    moment = moment.replace(tzinfo=UTC)
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert iso_time(moment.isoformat(timespec="microseconds").replace("+00:00", "Z")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-05-05T13:00:00Z", MICROS - 123),
        ("2016-05-05T13:00:00.0001239Z", MICROS),  # 100 ns: what is below the microsecond is cut off
        ("2016-05-05T15:00:00.000123+02:00", MICROS),
        ("2016-05-05T13:00:00.000123", MICROS),
    ],
)
def test_times_of_real_adapters(text: str, expected: int) -> None:
    """Seven digits, offsets and a missing zone are understood."""
    assert iso_time(text) == expected


@pytest.mark.parametrize("raw", ["UNAVAILABLE", "Unavailable", "nan", "NaN", "-inf", "1e999", None])
def test_no_value_is_no_value(raw: str | None) -> None:
    """What says that there is no value is BAD_NO_VALUE without text, or a text, never a wrong number."""
    value, text, quality = meaning(raw)
    assert math.isnan(value)
    assert quality == Quality.BAD_NO_VALUE or text == raw


@pytest.mark.parametrize("raw", ["ACTIVE", "", "1_000", "1 2 3", "O1234", "-", "+x", "12,5"])
def test_words_are_texts(raw: str) -> None:
    """What is not a number is kept letter by letter."""
    value, text, quality = meaning(raw)
    assert (math.isnan(value), text, quality) == (True, raw, Quality.GOOD)


@given(st.lists(st.tuples(ITEMS, WORDS), min_size=1, max_size=4).filter(lambda pairs: len(pairs) != 3))
def test_pairs_of_a_line_come_back(pairs: list[tuple[str, str]]) -> None:
    """A line of several items gives one record each, in their order, with their time."""
    records, malformed = parse("|".join([TIME, *(part for pair in pairs for part in pair)]))
    assert malformed.count == 0
    assert records.items == [item for item, _ in pairs]
    assert set(records.times) == {MICROS}
    for (_, word), text, value, raw in zip(pairs, records.texts, records.values, records.raw, strict=True):
        assert (text, raw) == (word, word) or not math.isnan(value) or raw is None


@given(ITEMS, st.sampled_from(["Normal", "WARNING", "fault"]), st.lists(WORDS, min_size=4, max_size=4))
def test_a_condition_is_kept_losslessly(item: str, level: str, rest: list[str]) -> None:
    """Level, code, severity, qualifier and text can be read again from the text."""
    records, malformed = parse("|".join([TIME, item, level, *rest]))
    assert malformed.count == 0
    text = records.texts[0]
    assert text is not None
    assert (text.split("|") + [""] * 5)[:5] == [level, *rest]


def test_an_unavailable_condition_has_no_value() -> None:
    """UNAVAILABLE with empty fields is a missing value; with words it keeps the words."""
    records, _ = parse(f"{TIME}|c|Unavailable||||", f"{TIME}|c|UNAVAILABLE|7|||gone")
    assert records.qualities == [Quality.BAD_NO_VALUE] * 2
    assert records.texts == [None, "UNAVAILABLE|7|||gone"]


def test_three_pairs_are_not_a_condition() -> None:
    """Seven fields are a condition only when the third one is a level."""
    records, _ = parse(f"{TIME}|a|1|b|2|c|3", f"{TIME}|a|UNAVAILABLE|b|2|c|3")
    assert records.items == list("abcabc")
    assert records.values[1:3] == [2.0, 3.0]


def test_messages_quotes_and_other_lines() -> None:
    """A message keeps its code, a quoted bar is no separator, assets and commands are no data."""
    records, malformed = parse(
        f"{TIME}|msg|17|door open",
        f'{TIME}|prog|"a\\|b"',
        f"{TIME}|@ASSET@|t1|CuttingTool|<x/>",
        "* PONG 10000",
        "",
        f"{TIME}@2.5|x|1",
    )
    assert malformed.count == 0
    assert records.texts == ["17|door open", "a|b", None]
    assert records.times == [MICROS] * 3


@pytest.mark.parametrize("line", ["rubbish", f"{TIME}|a", f"{TIME}||1", "yesterday|a|1", f"{TIME}|a|1|b|2|c", "|a|1"])
def test_a_malformed_line_is_counted_and_disturbs_nothing(line: str) -> None:
    """The lines before and after it are read, and the line can be looked at."""
    records, malformed = parse(f"{TIME}|a|1", line, f"{TIME}|a|2")
    assert records.values == [1.0, 2.0]
    assert malformed.count == 1
    assert malformed.examples == [(2, line)]
