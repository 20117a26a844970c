"""Lesson n: elsewhere half of what is written is gone without an error."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.testing import FieldDevice
from lineshaft.wire.notes import DropNote, EventNote, LedgerNote


async def test_nothing_is_dropped_silently(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Whatever entered the gateway arrived, or has a step that left it out, or a drop record with a reason."""
    signals = [f"s{n}" for n in range(50)]
    device = FieldDevice(**dict.fromkeys(signals, 1.0))
    keys = {"buffer": {"max_size": "40KB"}, "ledger_interval": "200ms"}
    site = plant({"press": [*signals[:-1], {"name": "s49", "deadband": 10}]}, poll="10ms", gateway=keys)
    broker.stop()
    async with running(site, {"press": device}, broker.port, folder) as gateway:
        for step in range(300):
            device.values |= dict.fromkeys(signals, float(step))
            before = device.reads
            await until(lambda before=before: device.reads > before)
        assert gateway.status().buffer.dropped_rows > 0
        broker.start()
        await until(host.client.is_connected)
        host.state(True)
        await until(lambda: gateway.status().buffer.rows == 0, 60)
        shown = {name: gateway.pipeline_of(f"acme/north/hall/press/{name}") for name in signals}
    arrived = Counter(row[0].rpartition("/")[2] for rows in host.frames.values() for row in rows)
    dropped: Counter[str] = Counter()
    for note in host.notes:
        if isinstance(note, DropNote):
            assert all(drop.reason == "buffer size" for drop in note.drops)
            dropped.update({drop.signal.rpartition("/")[2]: drop.rows for drop in note.drops})
    totals: dict[str, int] = {}
    for note in host.notes:
        if isinstance(note, LedgerNote):
            totals |= {path.rpartition("/")[2]: total for path, total in note.totals.items()}
    assert {name: arrived[name] + dropped[name] for name in signals} == totals
    for name, one in shown.items():
        assert one.rows_in == one.rows_out + sum(one.dropped.values()), name
        assert one.rows_out <= totals[name]
    assert shown["s49"].dropped["exception"] > 0
    alarms = [note.event for note in host.notes if isinstance(note, EventNote)]
    assert any(event.kind == "buffer.dropped" for event in alarms)
