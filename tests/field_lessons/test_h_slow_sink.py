"""Lesson h: elsewhere memory grows to gigabytes while the sink is slow or dead."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto
from tests.memory import held

from lineshaft.testing import FieldDevice

SIGNALS = [f"s{n}" for n in range(400)]
BOUND = 3_000_000


async def test_a_slow_sink_leaves_memory_flat_and_the_disk_bounded(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A host that takes everything and acknowledges nothing: the buffer stays in its bound, and twice as many samples
    and more take no more memory."""
    host.acknowledge = False
    device = FieldDevice(**dict.fromkeys(SIGNALS, 1.0))
    site = plant(
        {"press": SIGNALS}, poll="5ms", pipeline={"report": "all"}, gateway={"buffer": {"max_size": f"{BOUND}B"}}
    )
    async with running(site, {"press": device}, broker.port, folder) as gateway:

        def rows() -> int:
            return gateway.status().devices[0].rows

        def memory() -> int:
            for kept in (host.frames, host.notes, host.log.seen):  # the host of the test keeps what it saw
                kept.clear()
            return held()

        tracemalloc.start()
        try:
            await until(lambda: rows() > 150_000, 240)  # beyond what the bound holds and the window lets out
            before = memory()
            await until(lambda: rows() > 400_000, 240)
            after = memory()
        finally:
            tracemalloc.stop()
        status = gateway.status()
        assert after - before < 20_000_000
        assert status.buffer.bytes <= BOUND
        assert status.buffer.dropped_rows > 0
        assert sum(file.stat().st_size for file in (folder / "buffer").glob("*.seg")) <= BOUND + 500_000
