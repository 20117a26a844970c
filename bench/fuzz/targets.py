"""All decoders that read what others sent."""

from __future__ import annotations

from typing import Final

from bench.fuzz import controllers, machines, platform
from bench.fuzz.run import Outcome, Target, fuzz

TARGETS: Final[tuple[Target, ...]] = (*machines.TARGETS, *controllers.TARGETS, *platform.TARGETS)


def attempt(number: int, inputs: int, seed: int = 1) -> Outcome:
    """Run the decoder with this place in TARGETS; for processes of a pool."""
    return fuzz(TARGETS[number], inputs, seed)
