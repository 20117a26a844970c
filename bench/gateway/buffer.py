"""How fast the disk buffer takes frames, and gives them back to an uplink that acknowledges at once."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lineshaft.clock import SystemClock
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.store import BufferOptions
from lineshaft.model.samples import Quality, SampleBatch

_UPLINK: Final = "hub"


@dataclass(frozen=True, slots=True)
class BufferFigures:
    """Rows a second, and bytes that a row takes on the disk."""

    written_per_s: float
    drained_per_s: float
    bytes_per_row: float


def measure(frames: int, rows: int) -> BufferFigures:
    """Write so many frames of `rows` samples with a sync at the end, then read, decode and acknowledge all of them."""
    with tempfile.TemporaryDirectory() as folder:
        buffer = Buffer(Path(folder) / "buffer", SystemClock(), [_UPLINK], BufferOptions(8_000_000_000))
        buffer.open()
        ids = buffer.register([SignalKey("d", "a/b", f"s{n}", "measure", "Double", "") for n in range(rows)])
        times = 1_700_000_000_000_000 + np.arange(rows, dtype=np.int64)
        batch = SampleBatch(ids, times, np.arange(rows) * 0.5, np.full(rows, Quality.GOOD, np.uint8))
        began = time.perf_counter()
        for _ in range(frames):
            buffer.append("d", batch)
        buffer.syncing()()
        written, size = time.perf_counter() - began, buffer.bytes
        began, number, out = time.perf_counter(), 0, 0
        while (found := buffer.next_open(_UPLINK, number)) is not None:
            number = found
            frame = buffer.read(number)
            assert frame is not None
            out += frame.rows
            if number % 16 == 0:
                buffer.acknowledge(_UPLINK, range(number - 15, number + 1))
        drained = time.perf_counter() - began
        buffer.close()
    total = frames * rows
    if out != total:
        raise RuntimeError(f"{out} of {total} rows came back")
    return BufferFigures(total / written, total / drained, size / total)
