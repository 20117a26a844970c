"""Notices that a device which sends by itself has fallen silent: nobody asks it, so nothing fails."""

from __future__ import annotations

import math

from lineshaft.clock import Clock


class Silence:
    """How long a device may send nothing. `quiet` is True from then on until something comes."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        """seconds: 0 or less for a device that may be silent for as long as it likes."""
        self.seconds = seconds if seconds > 0 else math.inf
        self._clock = clock
        self._heard = clock.monotonic()
        self.quiet = False

    def heard(self) -> None:
        """Something came, or a session began."""
        self._heard = self._clock.monotonic()
        self.quiet = False

    async def fall(self) -> None:
        """Wait until the device has been silent for too long."""
        while not self.quiet:
            until = self._heard + self.seconds
            await self._clock.sleep_until(until)
            self.quiet = self._heard + self.seconds <= self._clock.monotonic()

    @property
    def words(self) -> str:
        """What is wrong, for people."""
        return f"has sent nothing for {_length(self.seconds)}"


def _length(seconds: float) -> str:
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
