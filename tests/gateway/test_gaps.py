"""Gaps between the last value before an outage and the first one after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.clock import VirtualClock
from lineshaft.drivers.base import Point, Sink
from lineshaft.errors import ConnectionFailed, LineshaftError, Unsupported
from lineshaft.gateway.gaps import Gaps
from lineshaft.model.samples import Int64Array, SampleBatch

POINTS = (Point(5, None), Point(6, None))


class Recorder:
    """A device that recorded a value at every time from 1 on; fails after `rows` rows."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], list[int]]] = []
        self.rows = 10**6
        self.error: LineshaftError = ConnectionFailed("cut")

    async def read_history(self, points: Sequence[Point], since: Int64Array, until: Int64Array, sink: Sink) -> None:
        self.asked.append((since.tolist(), until.tolist()))
        for point, start, end in zip(points, since.tolist(), until.tolist(), strict=True):
            for time in range(start + 1, end):
                if self.rows == 0:
                    raise self.error
                self.rows -= 1
                sink(SampleBatch.of([point.handle], time, float(time)))


def rows(batches: list[SampleBatch]) -> list[tuple[int, int]]:
    batch = SampleBatch.concat(batches)
    return list(zip(batch.signals.tolist(), batch.times.tolist(), strict=True))


def live(*pairs: tuple[int, int]) -> SampleBatch:
    return SampleBatch.of([signal for signal, _ in pairs], [time for _, time in pairs], np.zeros(len(pairs)))


async def test_both_ends_of_a_gap_are_excluded() -> None:
    """After the last value, before the first new one, each point by itself; nothing at the very first connection."""
    gaps, device, got = Gaps("press", POINTS, 5, VirtualClock()), Recorder(), []
    gaps.connected()
    await gaps.fill(device, got.append)
    assert device.asked == []
    gaps.accepted(live((5, 10), (6, 20), (5, 11)))
    gaps.accepted(live((5, 12)))  # kept by the device over the cut: it lies before the gap
    gaps.connected()
    gaps.accepted(live((5, 15), (6, 22), (5, 16)))
    await gaps.fill(device, got.append)
    assert rows(got) == [(5, 13), (5, 14), (6, 21)]
    await gaps.fill(device, got.append)
    assert len(device.asked) == 1


async def test_an_interrupted_filling_goes_on_where_it_ended() -> None:
    """The rest comes at the next connection, with the new gap, and nothing twice."""
    gaps, device, got = Gaps("press", POINTS, 5, VirtualClock()), Recorder(), []
    gaps.accepted(live((5, 10), (6, 10)))
    gaps.connected()
    gaps.accepted(live((5, 15), (6, 13)))
    device.rows = 2
    await gaps.fill(device, got.append)
    gaps.connected()
    gaps.accepted(live((5, 18), (6, 14)))
    device.rows = 10**6
    await gaps.fill(device, got.append)
    assert sorted(rows(got)) == [(5, 11), (5, 12), (5, 13), (5, 14), (5, 16), (5, 17), (6, 11), (6, 12)]


async def test_a_point_that_stays_silent_has_one_gap() -> None:
    """It begins at its last value, though there were connections since."""
    clock = VirtualClock()
    gaps, device, got = Gaps("press", POINTS, 5, clock), Recorder(), []
    now = clock.now_us()
    gaps.accepted(live((5, now - 9), (6, now - 9)))
    gaps.connected()
    gaps.accepted(live((5, now - 6)))
    gaps.connected()
    gaps.accepted(live((5, now - 5), (6, now - 6)))
    await gaps.fill(device, got.append)
    assert rows(got) == [(5, now - 8), (5, now - 7), (6, now - 8), (6, now - 7)]


async def test_a_device_that_records_nothing_is_asked_once_per_outage() -> None:
    """Unsupported gives the gap up."""
    gaps, device, got = Gaps("press", POINTS, 5, VirtualClock()), Recorder(), []
    device.rows, device.error = 0, Unsupported("no history")
    gaps.accepted(live((5, 10), (6, 10)))
    gaps.connected()
    gaps.accepted(live((5, 15), (6, 13)))
    await gaps.fill(device, got.append)
    await gaps.fill(device, got.append)
    assert got == []
    assert len(device.asked) == 1
