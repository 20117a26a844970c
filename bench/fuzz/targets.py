"""All decoders that read what others sent."""

from __future__ import annotations

import math
from typing import Final

from bench.fuzz import controllers, machines, platform
from bench.fuzz.run import Outcome, Target, fuzz

TARGETS: Final[tuple[Target, ...]] = (*machines.TARGETS, *controllers.TARGETS, *platform.TARGETS)


def attempt(number: int, inputs: int, seed: int = 1, until: float = math.inf) -> Outcome:
    """Run the decoder with this place in TARGETS, up to the time `until`; for processes of a pool."""
    return fuzz(TARGETS[number], inputs, seed, until)
