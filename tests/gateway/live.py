"""What the poll engine gives in real time, for tests that wait on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lineshaft.gateway.plan import PlannedDevice
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch


@dataclass
class Seen:
    """What the engine gave: good values by device (NaN for text), and events."""

    good: dict[str, list[float]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def accept(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        values = self.good.setdefault(device.id, [])
        values += [value for value, quality in zip(batch.values, batch.qualities, strict=True) if quality >= 192]
        self.news.set()
        return len(batch)

    def late(self, device: PlannedDevice, batch: SampleBatch) -> int:
        return len(batch)

    def lost(self, device: PlannedDevice) -> None:
        pass

    def position(self, device: PlannedDevice) -> str | None:
        return None

    def event(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    def changed(self, device: PlannedDevice) -> None:
        self.news.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():
                self.news.clear()
                await self.news.wait()
