"""A plant with operators and an edge node that sends the same rows each time, until each frame is acknowledged."""

from __future__ import annotations

import threading
import time
from typing import Final

import numpy as np
from tests.hub.ingest.edge import Edge, Tag

from lineshaft.model.samples import SampleBatch

START: Final = 1_750_000_000_000_000
SECOND: Final = 1_000_000
MACHINES: Final = 20
SECONDS: Final = 25  # of all signals in a frame
ROWS: Final = MACHINES * 2 * SECONDS
RATE: Final = 20_000  # rows a second
MOST: Final = 100  # frames that may wait for their acknowledgement, as in a gateway's window
_PATIENCE: Final = 1.0  # seconds; what is not acknowledged is sent again after one to two of these
PREFIX: Final = "acme/north/hall/line-1/"
PLANT: Final = """
plant: {enterprise: acme, site: north, name: Load, timezone: Europe/Berlin}
operators:
- id: high-pressure
  operator: rule
  assets: ["hall/line-1/machine-*"]
  options:
    id: high-pressure
    inputs: {pressure: pressure, power: power}
    when: pressure > 8.5 and power > 3
    until: pressure < 7.5
    delay: 20s
    message: The pressure is too high
- id: line-power
  operator: total
  assets: ["hall/line-1"]
  options: {name: power-total, signal: power, interval: 10s}
"""


def frame_rows(number: int) -> SampleBatch:
    """Rows of one frame: every signal each second, by time."""
    random = np.random.default_rng(number)
    seconds = np.repeat(number * SECONDS + np.arange(SECONDS), MACHINES * 2)
    signals = np.tile(np.arange(MACHINES * 2), SECONDS)
    values = np.round(7 + 2 * np.sin(seconds / (200.0 + 9 * signals)) + random.normal(0, 0.3, ROWS), 2)
    return SampleBatch.of(signals, START + seconds * SECOND, values)


class Load:
    """Sends frames from 1 on in a thread. `edge.acknowledged` are those that the hub has promised to keep."""

    def __init__(self, port: int, rate: int = RATE, last: int | None = None) -> None:
        names = [f"hall/line-1/machine-{n // 2}/{('pressure', 'power')[n % 2]}" for n in range(MACHINES * 2)]
        self.edge = Edge(port, "gw1", {"plc": [Tag(name) for name in names]}).start()
        self.sent = 1
        self.edge.frame("plc", 1, frame_rows(1))
        self._rate, self._last = rate, last
        self._waited: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Load:
        """Begin to send."""
        self._thread.start()
        return self

    def stop_sending(self) -> None:
        """No new frames; what is not acknowledged is still repeated."""
        self._last = self.sent if self._last is None else self._last

    def close(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()
        self.edge.close()

    @property
    def open_frames(self) -> int:
        """Frames that the hub has not acknowledged."""
        return len(self.edge.unacknowledged)

    @property
    def done(self) -> bool:
        """All frames were sent and acknowledged."""
        return self._last is not None and self.sent >= self._last and not self.open_frames

    def _run(self) -> None:
        began, first = time.monotonic(), self.sent
        due = began + _PATIENCE
        while not self._stopped.wait(0.005):
            now = time.monotonic()
            while self._may_send() and (self.sent - first) * ROWS < (now - began) * self._rate:
                self.sent += 1
                self.edge.frame("plc", self.sent, frame_rows(self.sent))
            if self.open_frames >= MOST:
                began, first = now, self.sent  # what a full window held up is not made up for
            if now >= due:
                due = now + _PATIENCE
                self._repeat()

    def _repeat(self) -> None:
        """Send again what was open at the last look already, oldest first, as a gateway drains its buffer."""
        waiting = dict(self.edge.unacknowledged)
        for number in sorted(waiting.keys() & self._waited):
            device, batch = waiting[number]
            self.edge.data(device, batch, [(number, len(batch))], historical=True)
        self._waited = set(waiting)

    def _may_send(self) -> bool:
        return self.open_frames < MOST and (self._last is None or self.sent < self._last)
