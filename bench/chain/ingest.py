"""One run from MQTT to committed rows: publisher, broker and hub as three processes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chain import brokers
from bench.chain.publisher import NODES, ROWS_PER_MESSAGE, SECONDS_PER_MESSAGE, SIGNALS, node_name
from bench.process import Worker, cpu_seconds

WARM = 0.1
"""Part of the values that is sent before the clock starts."""


@dataclass(frozen=True, slots=True)
class IngestRun:
    """What one run gave.

    CPU in seconds for a million values; `threads` and `stages`: CPU of the hub; `walls`: the clock during a stage.
    """

    values_per_s: float
    values: int
    wire_bytes_per_value: float
    disk_bytes_per_value: float
    hub_cpu: float
    broker_cpu: float
    publisher_cpu: float
    threads: Mapping[str, float]
    stages: Mapping[str, float]
    walls: Mapping[str, float]
    latency_p50: float
    hub_mib: float


def run(kind: brokers.Kind, values: int) -> IngestRun:
    """Send about this many values. Raises RuntimeError when a single one is missing or stored twice."""
    seconds = max(1, values // SIGNALS // SECONDS_PER_MESSAGE) * SECONDS_PER_MESSAGE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with brokers.running(kind, folder / "broker") as broker:
            passwords = [broker.passwords[node_name(number)] for number in range(NODES)]
            with (
                Worker(
                    "bench.chain.hub",
                    folder=str(folder / "hub"),
                    port=broker.port,
                    user=brokers.HUB,
                    password=broker.passwords[brokers.HUB],
                ) as hub,
                Worker(
                    "bench.chain.publisher", port=broker.port, seconds=seconds, warm=WARM, passwords=passwords
                ) as publisher,
            ):
                return _measure(hub, publisher, broker.pid, seconds * SIGNALS)


def _measure(hub: Worker, publisher: Worker, broker_pid: int, values: int) -> IngestRun:
    hub.answer()
    wire = publisher.answer()["bytes_per_value"]
    while not hub.ask("figures")["connected"]:
        time.sleep(0.05)
    publisher.ask("birth")
    publisher.ask("warm")
    before, broker_before, publisher_before = hub.ask("figures"), cpu_seconds(broker_pid), cpu_seconds(publisher.pid)
    sent = publisher.ask("go")
    after = _all_counted(hub, values)
    broker_cpu, publisher_cpu = cpu_seconds(broker_pid), cpu_seconds(publisher.pid)
    stored = hub.ask("merge")
    if stored["rows"] != values or after["lost"]:
        raise RuntimeError(f"{values} values sent, {stored['rows']} stored: {after}")
    millions = sent["rows"] / 1e6
    return IngestRun(
        values_per_s=sent["rows"] / sent["seconds"],
        values=sent["rows"],
        wire_bytes_per_value=wire,
        disk_bytes_per_value=stored["bytes"] / values,
        hub_cpu=(after["cpu"] - before["cpu"]) / millions,
        broker_cpu=(broker_cpu - broker_before) / millions,
        publisher_cpu=(publisher_cpu - publisher_before) / millions,
        threads=_spent(before["threads"], after["threads"], millions),
        stages=_spent(before["stages"]["cpu"], after["stages"]["cpu"], millions),
        walls=_spent(before["stages"]["wall"], after["stages"]["wall"], millions),
        latency_p50=after["latency_p50"],
        hub_mib=after["peak_mib"],
    )


def _all_counted(hub: Worker, values: int) -> dict[str, Any]:
    """Figures once the last block is counted, a moment after its acknowledgement."""
    deadline = time.monotonic() + 5
    while (found := hub.ask("figures"))["rows"] < values and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _spent(before: Mapping[str, Any], after: Mapping[str, Any], millions: float) -> dict[str, float]:
    return {name: (seconds - before.get(name, 0.0)) / millions for name, seconds in after.items()}


__all__ = ["ROWS_PER_MESSAGE", "IngestRun", "run"]
