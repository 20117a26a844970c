"""The JSON codec."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.model.equipment import Datatype, Signal, SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire.json import JsonForm, SampleWriter, chunks, dump
from lineshaft.wire.notes import DropNote, DroppedRows, EventNote, LedgerNote

T = 1_767_322_800_123_456  # 2026-01-02T03:00:00.123456Z
SIGNALS = (
    Signal("a/b", "power", unit="kW"),
    Signal("a/b", "parts", SignalKind.COUNTER, Datatype.UINT64),
    Signal("a/b", "running", SignalKind.STATE, Datatype.BOOLEAN, states=(("0", "idle"), ("1", "running"))),
    Signal("a/b", "mode", SignalKind.STATE, Datatype.INT32, states=(("2", "auto"),)),
    Signal("a/b", "program", SignalKind.STATE, Datatype.STRING),
)


def objects(form: JsonForm, batch: SampleBatch) -> list[dict[str, Any]]:
    writer = SampleWriter(SIGNALS, form)
    return [json.loads(dump(one)) for one in writer.objects(batch, batch.signals.astype(np.int64))]


PLAIN = JsonForm()
STATE = JsonForm(state=True)


def one(
    signal: int, value: float, quality: int = Quality.GOOD, text: str | None = None, form: JsonForm = PLAIN
) -> dict[str, Any]:
    return objects(form, SampleBatch.of([signal], [T], [value], [quality], [text]))[0]


def test_a_sample_says_all_about_itself() -> None:
    """Time in UTC with microseconds, value, quality as a word, and the unit where there is one."""
    assert one(0, 1.5) == {"timestamp": "2026-01-02T03:00:00.123456Z", "value": 1.5, "quality": "good", "unit": "kW"}


def test_milliseconds_and_nothing_else() -> None:
    """Whole milliseconds since 1970, and only what is asked for."""
    assert one(0, 1.5, form=JsonForm("ms", quality=False, unit=False)) == {
        "timestamp_ms": 1_767_322_800_123,
        "value": 1.5,
    }


@pytest.mark.parametrize(
    ("signal", "value", "text", "expected"),
    [
        (0, 3.0, None, 3.0),
        (0, float("nan"), None, None),
        (0, float("-inf"), None, None),
        (1, 7.0, None, 7),
        (1, 1.8446744073709552e19, "18446744073709551615", 18_446_744_073_709_551_615),
        (1, float("nan"), None, None),
        (1, 7.5, None, 7.5),
        (1, float("nan"), "9" * 5_000, "9" * 5_000),
        (2, 1.0, None, True),
        (2, 0.0, None, False),
        (2, float("nan"), None, None),
        (4, float("nan"), "O1234 (FACE)", "O1234 (FACE)"),
        (4, float("nan"), 'ä "\u0000 \ud800', 'ä "\u0000 ?'),
    ],
)  # fmt: skip
def test_values_keep_their_type(signal: int, value: float, text: str | None, expected: object) -> None:
    """Numbers, whole numbers of any size, true and false, text; what is no number is null."""
    made = one(signal, value, text=text)["value"]
    assert made == expected
    assert type(made) is type(expected)


def test_the_word_of_a_state_can_come_along() -> None:
    """`state` has the word that the plant gives to a value; a value without a word has none."""
    assert one(2, 1.0, form=STATE)["state"] == "running"
    assert one(3, 2.0, form=STATE)["state"] == "auto"
    assert "state" not in one(3, 5.0, form=STATE)
    assert "state" not in one(2, 1.0)


@pytest.mark.parametrize(
    ("quality", "word"),
    [
        (Quality.GOOD, "good"),
        (Quality.UNCERTAIN_RANGE, "uncertain"),
        (Quality.STALE, "stale"),
        (Quality.BAD_DEVICE, "bad"),
    ],
)
def test_quality_is_a_word(quality: Quality, word: str) -> None:
    """One of four words, as on the page."""
    assert one(0, 1.0, quality)["quality"] == word


def test_events_and_drop_records() -> None:
    """What a person or a program elsewhere can use goes out; what only the hub reads does not."""
    event = Event(T, "device.offline", "a/b", "It is gone.", Severity.HIGH, {"tries": 3, "load": float("nan")})
    notes = [
        EventNote(event),
        LedgerNote("00", 1, {}),
        DropNote("ab", (DroppedRows("a/b/power", 5, T, T + 1, "full"),)),
    ]
    made = [json.loads(dump(note)) for note in SampleWriter(SIGNALS, JsonForm(timestamps="ms")).notes(notes)]
    ms = T // 1000
    assert made == [
        {
            "type": "event", "timestamp_ms": ms, "kind": "device.offline", "subject": "a/b", "message": "It is gone.",
            "severity": "high", "details": {"tries": 3, "load": None},
        },
        {
            "type": "dropped", "signal": "a/b/power", "samples": 5, "first": ms, "last": ms, "reason": "full",
            "epoch": "ab",
        },
    ]  # fmt: skip


@given(st.lists(st.binary(min_size=1, max_size=30)), st.integers(1, 60))
def test_chunks_keep_order_and_bound(items: list[bytes], most: int) -> None:
    """Joined pieces are never larger than the bound, hold every item that fits once and in order, and name the rest."""
    made, too_large = chunks(items, most)
    assert too_large == [position for position, item in enumerate(items) if len(item) > most]
    inside = [position for chunk in made for position in range(chunk.first, chunk.first + chunk.count)]
    assert sorted(inside + too_large) == list(range(len(items)))
    assert inside == sorted(inside)
    for chunk in made:
        assert len(chunk.body) <= most
        assert chunk.body == b",".join(items[chunk.first : chunk.first + chunk.count])
    for chunk, following in pairwise(made):
        together = chunk.first + chunk.count == following.first
        assert not together or len(chunk.body) + 1 + len(items[following.first]) > most
