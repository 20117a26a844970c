"""Lesson a: whatever the storage, others lose the first seconds of a cut, or all of it; here nothing goes unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.field_lessons.place import PATH, place
from tests.gateway.helpers import Host
from tests.hub.mqtt import Mosquitto

from lineshaft.wire.notes import DropNote, DroppedRows

HOUR = 3600.0


async def cut(broker: Mosquitto, host: Host, folder: Path, *, readings: int, step: float) -> None:
    """Cut the uplink for so many readings; all arrive, in order, with the times at which they were read."""
    async with place(broker, host, folder, poll=f"{step}s") as made:
        await made.readings(3, step)
        broker.stop()
        await made.readings(readings, step)
        status = made.gateway.status().buffer
        assert status.rows >= readings
        assert status.oldest is not None
        await made.again()
        wanted = len(made.given)
        await made.passes(lambda: len(made.arrived()) >= wanted, step / 10)
        arrived = made.arrived()
        given = {time: float(value) for value, time in enumerate(made.given)}
        assert list(arrived)[: len(given)] == list(given)
        assert {time: arrived[time] for time in given} == given
        await made.passes(lambda: made.gateway.status().buffer.rows == 0, step / 10)


async def test_a_cut_of_one_second_loses_nothing(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Ten readings in a second without a broker arrive with their own times and in their order."""
    await cut(broker, host, folder, readings=10, step=0.1)


async def test_a_cut_of_sixty_seconds_loses_nothing(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A minute of readings, one a second, arrives with its own times and in its order."""
    await cut(broker, host, folder, readings=60, step=1.0)


async def test_a_cut_of_four_days_loses_nothing(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Four days of readings, one an hour, arrive with their own times and in their order."""
    await cut(broker, host, folder, readings=96, step=HOUR)


@pytest.mark.parametrize(
    ("bound", "reason"), [({"max_age": "2d"}, "buffer age"), ({"max_size": "16KB"}, "buffer size")], ids=str
)
async def test_a_cut_of_four_days_keeps_the_bound_and_says_what_went(
    broker: Mosquitto, host: Host, folder: Path, bound: dict[str, str], reason: str
) -> None:
    """With a bound of age or size the oldest readings go; how many, from when to when and why is told, to the row."""
    readings = 96 if "max_age" in bound else 400
    async with place(broker, host, folder, poll="3600s", buffer=bound) as made:
        broker.stop()
        await made.readings(readings, HOUR)
        await made.clock.leap(1.0)
        if "max_size" in bound:
            assert made.gateway.status().buffer.bytes <= 16_000
        await made.again()
        last = made.given[-1]
        await made.passes(lambda: last in made.arrived())
        await made.passes(lambda: made.gateway.status().buffer.rows == 0)
        drops: list[DroppedRows] = [
            drop for note in host.notes if isinstance(note, DropNote) for drop in note.drops if drop.signal == PATH
        ]
    arrived = made.arrived()
    lost = [time for time in made.given if time not in arrived]
    assert lost == made.given[1 : 1 + len(lost)], "the oldest of the cut go first"
    assert 0 < len(lost) < readings
    assert sum(drop.rows for drop in drops) == len(lost)
    assert {drop.reason for drop in drops} == {reason}
    assert (min(drop.first for drop in drops), max(drop.last for drop in drops)) == (lost[0], lost[-1])
