"""Keeps an uplink below a quota of messages and bytes, and goes slower when the other side still finds it too fast."""

from __future__ import annotations

from typing import Final

from lineshaft.clock import Clock

SLOWEST: Final = 1 / 16
"""Part of the full rate that is left after any number of complaints."""
RECOVERY: Final = 300.0
"""Seconds from the slowest to the full rate."""
_BURST: Final = 0.25
"""Seconds of the rate that may go at once."""


class Rate:
    """Two buckets that fill with time. `messages` and `bytes_` are per second; None: no bound."""

    def __init__(self, clock: Clock, messages: float | None, bytes_: float | None = None) -> None:
        self._clock = clock
        self._messages = messages
        self._bytes = bytes_
        self._factor = 1.0
        self._message_tokens = self._byte_tokens = 0.0
        self._at = clock.monotonic()

    @property
    def messages(self) -> float | None:
        """Messages a second that are allowed now."""
        return None if self._messages is None else self._messages * self._factor

    def set(self, messages: float) -> None:
        """Change the full rate."""
        self._messages = messages

    def slow_down(self) -> None:
        """The other side found it too fast: half the rate, which grows again by and by."""
        self._fill()
        self._factor = max(SLOWEST, self._factor / 2)

    def _fill(self) -> None:
        now = self._clock.monotonic()
        passed, self._at = now - self._at, now
        if self._messages is not None:
            rate = self._messages * self._factor
            self._message_tokens = min(max(1.0, rate * _BURST), self._message_tokens + passed * rate)
        if self._bytes is not None:
            rate = self._bytes * self._factor
            self._byte_tokens = min(rate * _BURST, self._byte_tokens + passed * rate)
        self._factor = min(1.0, self._factor + passed / RECOVERY)

    async def take(self, size: int) -> None:
        """Wait until a message of `size` bytes may go."""
        while True:
            self._fill()
            pause = self._pause()
            if pause <= 0:
                break
            await self._clock.sleep_until(self._clock.monotonic() + pause)
        if self._messages is not None:
            self._message_tokens -= 1.0
        if self._bytes is not None:
            self._byte_tokens -= size  # may go below zero: the next message waits for it

    def _pause(self) -> float:
        waits = [0.0]
        if self._messages is not None and self._message_tokens < 1.0:
            waits.append((1.0 - self._message_tokens) / (self._messages * self._factor))
        if self._bytes is not None and self._byte_tokens < 0:
            waits.append(-self._byte_tokens / (self._bytes * self._factor))
        return 0.0 if max(waits) <= 0 else max(0.001, max(waits))
