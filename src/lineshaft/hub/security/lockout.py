"""Slows down guessing: wrong passwords are counted per name and per address, each with a growing lock-out."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lineshaft.clock import Clock

NAME_FREE = 5  # wrong passwords for one name before it is locked
ADDRESS_FREE = 20  # the same for one address, which many people may share
FIRST_LOCK = 30.0  # seconds, doubled with each further wrong password
LONGEST_LOCK = 900.0
FORGET = 3600.0  # seconds without an attempt
MOST_ENTRIES = 20_000


@dataclass(slots=True)
class _Entry:
    failures: int = 0
    locked_until: float = 0.0
    last: float = 0.0


class Lockout:
    """Counts attempts in memory; thread-safe. An attempt counts as wrong until it is known to be right, so that
    attempts made at the same time cannot slip through."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], _Entry] = {}

    def start(self, name: str, address: str) -> float:
        """Begin an attempt. Returns 0.0 when it may go on, else the seconds to wait (and nothing is counted)."""
        now = self._clock.monotonic()
        with self._lock:
            limits = ((("name", name), NAME_FREE), (("address", address), ADDRESS_FREE))
            wait = max(self._entry(key, now).locked_until - now for key, _ in limits)
            if wait > 0:
                return wait
            for key, free in limits:
                entry = self._entries[key]
                entry.failures += 1
                entry.last = now
                if entry.failures >= free:
                    lock = min(LONGEST_LOCK, FIRST_LOCK * 2.0 ** min(20, entry.failures - free))
                    entry.locked_until = now + lock
            return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """The attempt was right: the name starts anew, and the address gets its attempt back."""
        with self._lock:
            self._entries.pop(("name", name), None)
            entry = self._entries.get(("address", address))
            if entry is not None:
                entry.failures = max(0, entry.failures - 1)
                if entry.failures < ADDRESS_FREE:
                    entry.locked_until = 0.0

    def _entry(self, key: tuple[str, str], now: float) -> _Entry:
        entry = self._entries.get(key)
        if entry is None or now - entry.last > FORGET:
            if len(self._entries) >= MOST_ENTRIES:
                self._forget(now)
            entry = self._entries[key] = _Entry(last=now)
        return entry

    def _forget(self, now: float) -> None:
        old = [key for key, entry in self._entries.items() if now - entry.last > FORGET]
        unlocked = [key for key, entry in self._entries.items() if entry.locked_until <= now]
        for key in old or unlocked[: MOST_ENTRIES // 2] or list(self._entries)[: MOST_ENTRIES // 10]:
            del self._entries[key]
