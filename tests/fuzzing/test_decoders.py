"""A short run of what the benchmark does with a million inputs for each decoder."""

from __future__ import annotations

import pytest
from bench.fuzz.run import Target, fuzz
from bench.fuzz.targets import TARGETS

from lineshaft.drivers.mtconnect.xml import parse
from lineshaft.errors import DataError

INPUTS = 1_500


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_input_is_refused_or_read(target: Target) -> None:
    """Neither a crash nor a hang, whatever arrives."""
    outcome = fuzz(target, INPUTS, seed=20_261_128)
    assert outcome.failure == ""
    assert outcome.inputs == INPUTS


def test_entity_bombs_are_refused() -> None:
    """XML that declares entities is refused before they could be expanded."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><MTConnectStreams>&e9;</MTConnectStreams>'
    with pytest.raises(DataError):
        parse(bomb.encode())


def test_the_net_catches() -> None:
    """A decoder that crashes on some input is found, and the input with it."""

    def fragile(data: bytes) -> None:
        if b"\xff" in data:
            raise IndexError("out of range")

    outcome = fuzz(Target("fragile", fragile, (b"good" * 8,)), 5_000, seed=1)
    assert "IndexError" in outcome.failure
    assert "ff" in outcome.failure


def test_it_stops_when_its_time_is_up() -> None:
    """The outcome says how many inputs there were: a decoder that got none did not stand a million."""
    assert fuzz(Target("any", len, (b"good",)), 5_000, seed=1, until=0.0).inputs == 0
