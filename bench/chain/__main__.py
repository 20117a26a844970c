"""`python -m bench.chain`: all figures of the chain, printed beside their targets; see docs/guide/performance.md."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import drivers_modbus, drivers_opcua, peers
from bench.chain import brokers, gateway, ingest
from bench.chain.publisher import NODES, ROWS_PER_MESSAGE, SIGNALS
from bench.dataset import machine_values
from bench.process import Worker
from bench.report import Report, quick

TARGET_INGEST: Final = 500_000
"""Values a second from MQTT to committed rows; it holds for the embedded broker, the default, and for Mosquitto."""
BROKERS: Final[tuple[tuple[brokers.Kind, str], ...]] = (("embedded", "embedded broker"), ("mosquitto", "Mosquitto"))

PEERS: Final = (("InfluxDB 1", peers.influxdb), ("VictoriaMetrics", peers.victoriametrics))


def main() -> int:
    """Measure everything; 0 when each target is met."""
    report = Report("chain")
    small = quick()
    _modbus(report, 1.6 if small else 8.0)
    _opcua(report, 1.6 if small else 8.0)
    _stores(report, values=1_500_000 if small else 4_000_000, rounds=1 if small else 3)
    _queries(report, days=1 if small else 30, times=5 if small else 9)
    return report.finish()


def _modbus(report: Report, seconds: float) -> None:
    found = gateway.modbus(seconds)
    report.add("Modbus: gateway to disk buffer, one core", found.tags_per_s, "tags/s", target=50_000)
    report.add("Modbus: gateway, CPU for 1,000 tags", found.cpu_ms_per_1000, "ms", better="lower")
    report.add("Modbus: gateway, memory (peak)", found.peak_mib, "MiB", better="lower")
    if quick():
        return
    alone = drivers_modbus.measure(seconds)
    report.add("Modbus: driver alone", alone["modbus_tags_per_s"], "tags/s")
    report.add("Modbus: driver alone, CPU for 1,000 tags", alone["modbus_cpu_ms_per_1000_tags"], "ms", better="lower")


def _opcua(report: Report, seconds: float) -> None:
    full, paced = gateway.opcua(seconds, ("1ms", "100ms"))
    report.add("OPC UA: gateway to disk buffer, one core", full.tags_per_s, "changes/s", target=20_000)
    report.add("OPC UA: gateway, CPU for 1,000 changes", full.cpu_ms_per_1000, "ms", better="lower")
    note = f"{paced.tags_per_s:,.0f} changes/s offered"
    report.add(
        "OPC UA: gateway at 20,000 changes/s, share of a core", paced.cpu_share * 100, "%", better="lower", note=note
    )
    report.add("OPC UA: gateway, memory (peak)", full.peak_mib, "MiB", better="lower")
    if quick():
        return
    alone = drivers_opcua.measure(2 * seconds)
    report.add("OPC UA: driver alone", alone["opcua_changes_per_s"], "changes/s", note="the server sets the pace")
    report.add(
        "OPC UA: driver alone, CPU for 1,000 changes", alone["opcua_cpu_ms_per_1000_changes"], "ms", better="lower"
    )


def _stores(report: Report, values: int, rounds: int) -> None:
    """Ingest through both brokers and the peers on the same values, in turn, so that a busy moment hits all of them."""
    dataset = machine_values(SIGNALS, values // SIGNALS)
    bodies = peers.line_protocol(dataset)
    ours: dict[str, list[ingest.IngestRun]] = {name: [] for _, name in BROKERS}
    theirs: dict[str, list[peers.Outcome]] = {name: [] for name, _ in PEERS}
    for number in range(rounds):
        for kind, name in BROKERS:
            if kind == "embedded" or brokers.mosquitto() is not None:
                ours[name].append(ingest.run(kind, values))
        for name, peer in PEERS:
            with tempfile.TemporaryDirectory() as folder:
                found = peer(dataset, bodies, Path(folder) / "peer", settle=number == rounds - 1 and not quick())
            theirs[name] += [] if found is None else [found]
    rate = 0.0
    for name, runs in ours.items():
        rate = max(rate, _ingest(report, name, runs))
    for name, outcomes in theirs.items():
        _peer(report, name, outcomes, rate)


def _ingest(report: Report, name: str, runs: Sequence[ingest.IngestRun]) -> float:
    """Values a second."""
    title = f"Ingest: MQTT to committed rows, {name}"
    if not runs:
        report.add(title, None, "values/s", note="not installed")
        return 0.0
    found = _middle(runs)
    note = f"median of {len(runs)}; {NODES} nodes, {SIGNALS:,} signals, {ROWS_PER_MESSAGE:,} metrics a message"
    report.add(title, found.values_per_s, "values/s", target=TARGET_INGEST, note=note)
    _profile(report, found, name)
    return found.values_per_s


def _middle(runs: Sequence[ingest.IngestRun]) -> ingest.IngestRun:
    """The run with the median rate."""
    rate = statistics.median_low(run.values_per_s for run in runs)
    return next(run for run in runs if run.values_per_s == rate)


def _profile(report: Report, run: ingest.IngestRun, name: str) -> None:
    """Where CPU time goes: hub by stage, broker, publisher; in seconds for a million values, and as shares."""
    stages = {
        "MQTT receive": run.threads["receive"],
        "decode": run.stages["decode"],
        "sessions, frames": run.threads["take apart"] - run.stages["decode"],
        "journal": run.stages["journal"],
        "insert": run.stages["insert"],
        "rest of commit": run.threads["commit"] - run.stages["journal"] - run.stages["insert"],
        "engine's own threads": run.hub_cpu - sum(run.threads.values()),
        "broker process": run.broker_cpu,
        "test publisher": run.publisher_cpu,
    }
    whole = sum(stages.values())
    for stage, seconds in stages.items():
        unit, note = "s CPU/M values", f"{seconds / whole:.0%}"
        if stage in run.walls:  # waiting for the disk and for a core included
            note += f", {run.walls[stage]:.2f} s of the clock"
        report.add(f"  {name}: {stage}", seconds, unit, better="lower", note=note)
    report.add(f"  {name}: hub memory (peak)", run.hub_mib, "MiB", better="lower", note="without page and API")
    report.add(f"  {name}: bytes on the wire", run.wire_bytes_per_value, "B/value", better="lower")
    report.add(f"  {name}: bytes on disk, merged", run.disk_bytes_per_value, "B/value", better="lower")
    report.add(f"  {name}: message to commit, median", run.latency_p50, "s", better="lower", note="window always full")


def _peer(report: Report, name: str, outcomes: Sequence[peers.Outcome], rate: float) -> None:
    if not outcomes:
        report.add(f"{name}: same values over HTTP", None, "values/s", note="not installed")
        return
    speed = statistics.median_low(outcome.values_per_second for outcome in outcomes)
    cpu = statistics.median_low(outcome.cpu_per_million for outcome in outcomes)
    report.add(f"{name}: same values over HTTP", speed, "values/s", note=f"median of {len(outcomes)}")
    report.add(f"  {name}: CPU of its process", cpu, "s CPU/M values", better="lower")
    if outcomes[-1].bytes_per_value is not None:
        report.add(f"  {name}: bytes on disk, merged", outcomes[-1].bytes_per_value, "B/value", better="lower")
    report.add(f"  Lineshaft from MQTT / {name} from HTTP", rate / speed, "x", note="the faster broker")


def _queries(report: Report, days: int, times: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker("bench.chain.queries", folder=folder, days=days, times=times) as worker,
    ):
        found = worker.answer()
    note = f"{found['rows']:,.0f} rows stored"
    report.add(f"Query: 1 signal, {days} days of 1 s, 800 points", found["range_ms"], "ms", better="lower", note=note)
    report.add(f"Query: 10 signals, {days} days of 1 s, 800 points", found["ten_ms"], "ms", better="lower")
    report.add("Query: 1 signal, last hour, 800 points", found["hour_ms"], "ms", better="lower")
    report.add("Query: 1 signal, last hour, every row", found["raw_ms"], "ms", better="lower")
    report.add("Query: latest of 1,000 signals", found["latest_ms"], "ms", better="lower")
    report.add("Historian: append alone", found["append_per_s"], "values/s", note="one block after the other")
    report.add("Historian: memory (peak)", found["peak_mib"], "MiB", better="lower")


if __name__ == "__main__":
    sys.exit(main())
