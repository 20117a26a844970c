"""Commands to write and their answers survive the wire; anything else is an error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.errors import DataError
from lineshaft.wire.notes import WriteNote, decode_notes, encode_notes
from lineshaft.wire.writes import WriteCommand, decode_command, encode_command

WORDS = st.text(min_size=1, max_size=40)
VALUES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), WORDS)


@given(st.builds(
    WriteCommand, id=WORDS, signal=WORDS, value=VALUES, deadline=st.integers(0, 2**62), user=WORDS, reason=WORDS,
    expected=st.none() | VALUES, dry_run=st.booleans(),
))  # fmt: skip
def test_a_command_comes_back(command: WriteCommand) -> None:
    """Every command is what it was."""
    assert decode_command(encode_command(command)) == command


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(repr))
def test_any_text_is_a_command_or_an_error(text: str) -> None:
    """Nothing but DataError is raised."""
    with contextlib.suppress(DataError):
        decode_command(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"id":"a","signal":"s","value":NaN,"deadline":1,"user":"u","reason":"r"}',
        '{"id":"a","signal":"s","value":true,"deadline":1,"user":"u","reason":"r"}',
        '{"id":"a","signal":"s","value":1,"deadline":1,"user":"u","reason":""}',
        '{"id":"a","signal":"s","value":1,"deadline":1,"user":"u","reason":"r","dry_run":"no"}',
        '{"signal":"s","value":1,"deadline":1,"user":"u","reason":"r"}',
    ],
)
def test_a_half_command_is_none(text: str) -> None:
    """A command without a number, a reason or an id, or with a doubtful dry run, is refused."""
    with pytest.raises(DataError):
        decode_command(text)


@given(VALUES, st.none() | VALUES, st.none() | VALUES)
def test_an_answer_comes_back(value: float | str, before: float | str | None, after: float | str | None) -> None:
    """Every answer is what it was."""
    note = WriteNote("a1", 5, "p/q", "done", "set", value, "ada", "trial", "", before, after)
    assert decode_notes(encode_notes([note])) == (note,)
