"""Throws damaged inputs at one decoder: it may refuse them in its own words, but not crash, hang or grow."""

from __future__ import annotations

import math
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import psutil

from lineshaft.errors import DataError

WARM_UP: Final = 2_000
SLOWEST_S: Final = 2.0
HANG_S: Final = 20
MOST_GROWTH: Final = 20 * 2**20
"""Bytes by which the process may grow after the warm-up; a leak of 20 bytes an input shows in a million."""


class Hang(BaseException):
    """One input took so long that it was broken off."""


@dataclass(frozen=True)
class Target:
    """One decoder, and good inputs that are damaged for it. `refusals`: what it may raise."""

    name: str
    attempt: Callable[[bytes], object]
    seeds: Sequence[bytes]
    refusals: tuple[type[Exception], ...] = (DataError,)


@dataclass(frozen=True)
class Outcome:
    """What came of it. `failure`: words when the decoder did not stand, with the input that did it in hex."""

    name: str
    inputs: int
    refused: int
    per_s: float
    slowest_s: float
    grown: int
    failure: str = ""

    def __str__(self) -> str:
        """One line for people."""
        words = f"  {self.failure}" if self.failure else ""
        return (
            f"{self.name:26} {self.inputs:>9,} inputs, {self.refused:>9,} refused, {self.per_s:>8,.0f}/s, "
            f"slowest {1000 * self.slowest_s:.1f} ms, memory {self.grown / 2**20:+.1f} MiB{words}"
        )


def damaged(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A seed with one to five bytes changed, pieces cut out, doubled, or taken from another seed."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(data) + 1)
        length = chance.randrange(1, 24)
        what = chance.randrange(5)
        if what == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif what == 1:
            del data[place : place + length]
        elif what == 2:
            data[place:place] = data[place : place + length]
        elif what == 3:
            data[place : place + length] = chance.randbytes(length)
        else:
            other = chance.choice(seeds)
            begin = chance.randrange(len(other))
            data[place : place + length] = other[begin : begin + length]
    return bytes(data)


@contextmanager
def _alarm() -> Iterator[None]:
    """Break off whatever takes longer than HANG_S; for the main thread."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(target: Target, inputs: int, seed: int, until: float = math.inf) -> Outcome:
    """Run one decoder; after the time `until` (seconds since 1970) it stops, and its outcome has fewer inputs."""
    chance, process = random.Random(seed), psutil.Process()  # noqa: S311 - repeatable, not secret
    refused, slowest, before, failure, turn = 0, 0.0, 0, "", 0
    began = time.perf_counter()
    with _alarm():
        for turn in range(1, inputs + 1):
            data = damaged(chance, target.seeds)
            start = time.process_time()  # of the processor: others use it too
            if turn % 1_000 == 1:
                if time.time() >= until:
                    turn -= 1
                    break
                signal.alarm(HANG_S)
            try:
                target.attempt(data)
            except target.refusals:
                refused += 1
            except Hang:
                failure = f"hangs on {data.hex()}"
                break
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                failure = f"{type(error).__name__}: {error} on {data.hex()}"
                break
            slowest = max(slowest, time.process_time() - start)
            if turn == WARM_UP:
                before = process.memory_info().rss
    grown = process.memory_info().rss - before if before else 0
    if not failure and slowest >= SLOWEST_S:
        failure = "one input took too long"
    if not failure and grown >= MOST_GROWTH:
        failure = "memory grows"
    return Outcome(target.name, turn, refused, turn / (time.perf_counter() - began), slowest, grown, failure)
