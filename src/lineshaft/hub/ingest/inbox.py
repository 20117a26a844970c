"""The bounded queue between the MQTT thread and the intake thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

_OVERHEAD: Final = 200  # bytes of a queued message beside its payload


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message; `payload` None: it came while the queue was full and was not kept, only its `size` in bytes."""

    topic: str
    payload: bytes | None
    received: float  # monotonic seconds
    size: int = 0


class Signal(Enum):
    """What else the intake must know, in order with the messages."""

    CONNECTED = "connected"
    LOST = "lost"


Item: TypeAlias = Arrival | Signal


class Inbox:
    """First in, first out, bounded by bytes. A message that finds it full is replaced by a mark of a few bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, *, always: bool = False) -> bool:
        """Add an item; False when only the mark of it was kept. `always`: may use twice the bound."""
        with self._changed:
            kept = True
            if isinstance(item, Arrival):
                size = len(item.payload or b"") + _OVERHEAD
                if self._bytes + size > self._max_bytes * (2 if always else 1):
                    item = Arrival(item.topic, None, item.received, len(item.payload or b""))
                    size, kept = _OVERHEAD, False
                self._bytes += size
            self._items.append(item)
            self._changed.notify()
            return kept

    def get(self, timeout: float) -> Item | None:
        """The next item; None after `timeout` seconds or when the inbox is closed."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, Arrival):
                self._bytes -= len(item.payload or b"") + _OVERHEAD
            return item

    @property
    def size_bytes(self) -> int:
        """Bytes held."""
        return self._bytes

    @property
    def closed(self) -> bool:
        """True when nothing will come any more and nothing is left."""
        return self._closed and not self._items

    def close(self) -> None:
        """Nothing will come any more; what is there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()
