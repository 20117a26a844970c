"""All decoders that read what others sent."""

from __future__ import annotations

from typing import Final

from bench.fuzz import controllers, machines, platform
from bench.fuzz.run import Target

TARGETS: Final[tuple[Target, ...]] = (*machines.TARGETS, *controllers.TARGETS, *platform.TARGETS)
