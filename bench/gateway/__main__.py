"""`python -m bench.gateway`: the figures of the edge gateway beside their targets; see docs/guide/performance.md.

PARTS=speed,others,steps,fuzz chooses. The long run takes about eight minutes on two cores, and 15 at most where nothing
has to be installed: fuzzing stops by itself after FUZZ_S, and a decoder that did not get its million by then is a miss.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import steps
from bench.chain import gateway as chain
from bench.fuzz.targets import TARGETS, attempt
from bench.gateway import buffer, others
from bench.gateway.worker import GatewayFigures, run
from bench.process import Worker
from bench.report import Report, quick
from lineshaft.gateway.steps.base import SignalSteps
from lineshaft.gateway.steps.door import SwingingDoor
from lineshaft.model.samples import Quality, SampleBatch

TARGET_TAGS: Final = 50_000
TARGET_STEPS: Final = 5_000_000
NEURON: Final = "Neuron, in C, publishes 15,000 tags/s at 124 % of a core"
DEVICES, TAGS_EACH = 500, 30
FUZZ_S: Final = 480.0
"""All decoders together take so long at most; a million inputs for each are about 460 s of one core."""


def main() -> int:
    """Measure everything, or the PARTS that are named; 0 when each target is met."""
    wanted = [name.strip() for name in os.environ.get("PARTS", ",".join(PARTS)).split(",")]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"PARTS: {', '.join(unknown)} is none of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    report = Report("gateway" if set(wanted) == set(PARTS) else f"gateway-{'-'.join(wanted)}")
    with tempfile.TemporaryDirectory() as name:
        for part in wanted:
            PARTS[part](report, Path(name), quick())
    return report.finish()


def _speed(report: Report, folder: Path, small: bool) -> None:
    _one_core(report, 1.5 if small else 8.0)
    _many(report, folder, 3.0 if small else 20.0)
    _large(report, folder, 2.0 if small else 10.0)


def _others(report: Report, folder: Path, small: bool) -> None:
    _beside(report, folder, 3.0 if small else 20.0)


def _inside(report: Report, folder: Path, small: bool) -> None:
    _steps(report)
    _door(report, 200 if small else 5_000)
    _buffer(report, 500 if small else 10_000)


def _one_core(report: Report, seconds: float) -> None:
    found = chain.modbus(seconds)
    note = "four devices of 2,500 tags, read without a pause, to the disk buffer"
    report.add("Modbus: tags/s on one core", found.tags_per_s, "tags/s", target=TARGET_TAGS, note=note)
    report.add("Modbus: CPU for 1,000 tags", found.cpu_ms_per_1000, "ms", better="lower")


@contextmanager
def _field() -> Iterator[int]:
    with Worker("bench.gateway.field") as field:
        yield field.answer()["port"]


def _figures(folder: Path, name: str, seconds: float, devices: int, broker: int | None, **what: Any) -> GatewayFigures:
    more = {} if broker is None else {"broker": broker}
    with _field() as port:
        return run(folder / name, seconds, driver="modbus-tcp", ports=[port] * devices, **what, **more)


def _many(report: Report, folder: Path, seconds: float) -> None:
    """500 devices of 30 tags at 1 s: to the buffer alone, and on to a broker; and 1,000 polls a second."""
    wanted = DEVICES * TAGS_EACH
    title = f"{DEVICES} devices of {TAGS_EACH} tags at 1 s"
    alone = _figures(folder, "alone", seconds, DEVICES, None, tags=TAGS_EACH, poll=1.0)
    report.add(f"{title}, to the buffer", alone.tags_per_s, "tags/s", target=0.98 * wanted, note="every value kept")
    report.add("  share of a core", 100 * alone.cpu_share, "%", better="lower")
    report.add("  memory (peak)", alone.peak_mib, "MiB", better="lower")
    with others.broker(folder / "many") as port:
        if port is None:
            report.add(f"{title}, published", None, "tags/s", note="Mosquitto is not installed")
            return
        sent = _figures(folder, "sent", seconds, DEVICES, port, tags=TAGS_EACH, poll=1.0)
        report.add(
            f"{title}, published", sent.tags_per_s, "tags/s", target=0.98 * wanted, note="Sparkplug to Mosquitto"
        )
        report.add("  share of a core", 100 * sent.cpu_share, "%", target=124, better="lower", note=NEURON)
        report.add("  polls that came late", sent.late, "polls", better="lower")
        report.add("  memory (peak)", sent.peak_mib, "MiB", better="lower")
        fast = _figures(folder, "fast", seconds, 100, port, tags=TAGS_EACH, poll=0.1)
        note = f"{fast.tags_per_s / TAGS_EACH:,.0f} polls/s"
        report.add("100 devices of 30 tags at 0.1 s, published", fast.tags_per_s, "tags/s", note=note)
        report.add("  share of a core", 100 * fast.cpu_share, "%", better="lower")
        report.add("  waiting in the buffer at the end", fast.pending, "values", better="lower")


def _large(report: Report, folder: Path, seconds: float) -> None:
    found = _figures(folder, "large", seconds, 10, None, tags=1_000, poll=1.0)
    report.add("10,000 tags at 1 s: memory of the gateway (peak)", found.peak_mib, "MiB", better="lower")
    report.add("  share of a core", 100 * found.cpu_share, "%", better="lower")


def _beside(report: Report, folder: Path, seconds: float) -> None:
    """1,000 tags at 1 s through this gateway and through others, each with its own way to the same broker."""
    with others.broker(folder / "beside") as broker, _field() as device:
        if broker is None:
            return
        own = run(
            folder / "own", seconds, driver="modbus-tcp", ports=[device], tags=others.TAGS, poll=1.0, broker=broker
        )
        title = "1,000 Modbus tags at 1 s, published: "
        report.add(title + "Lineshaft", own.tags_per_s, "values/s", note="kept on the disk until they are delivered")
        report.add("  share of a core", 100 * own.cpu_share, "%", better="lower")
        report.add("  memory", own.peak_mib, "MiB", better="lower")
        for name, peer, words in (
            ("thingsboard-gateway", others.thingsboard, "buffer in memory"),
            ("Node-RED", others.node_red, "in blocks of 125 by hand, no buffer, one message a block"),
        ):
            found = peer(device, broker, folder / name, seconds)
            if found is None:
                report.add(title + name, None, "values/s", note="not installed")
                continue
            report.add(title + name, found.values_per_s, "values/s", note=words)
            report.add("  share of a core", 100 * found.cpu_share, "%", better="lower")
            report.add("  memory", found.memory_mib, "MiB", better="lower")


def _steps(report: Report) -> None:
    for case in steps.CASES:
        if case.name.startswith("usual chain"):
            rate, _ = steps.speed(case, steps.batches(case.wave))
            report.add(f"Steps, {case.name}", rate, "values/s", target=TARGET_STEPS, note="one core, by CPU time")


def _door(report: Report, rows: int) -> None:
    """The largest error of what a swinging door leaves out, in bounds, over random walks with jumps and plateaus."""
    generator, bound, worst, out, total = np.random.default_rng(3), 0.5, 0.0, 0, 0
    for _ in range(20):
        walk = np.cumsum(generator.normal(0, 0.3, rows)) + 20 * (generator.random(rows) < 0.01)
        walk[generator.random(rows) < 0.2] = walk[0]
        times = steps.T0 + np.cumsum(generator.integers(1, 5_000_000, rows))
        table = steps.table(SignalSteps(door=True), deadband=np.full(steps.SIGNALS, bound))
        door = SwingingDoor(table)
        signals = np.zeros(rows, np.uint32)
        batch = SampleBatch(signals, times, walk, np.full(rows, Quality.GOOD, np.uint8))
        kept = SampleBatch.concat([door.update(batch), door.flush(np.zeros(1, np.uint32))])
        line = np.interp(times.astype(float), kept.times.astype(float), kept.values)
        worst = max(worst, float(np.abs(line - walk).max()) / bound)
        out, total = out + len(kept), total + rows
    note = f"{total:,} values, {out / total:.0%} sent"
    report.add("Swinging door: largest error", worst, "bounds", target=1.000001, better="lower", note=note)


def _buffer(report: Report, frames: int) -> None:
    for rows in (30, 1_000):
        found = buffer.measure(frames, rows)
        report.add(f"Buffer: written, frames of {rows} values", found.written_per_s, "values/s")
        report.add("  drained", found.drained_per_s, "values/s", note=f"{found.bytes_per_row:.1f} bytes a value")


def _fuzz(report: Report, folder: Path, small: bool) -> None:
    """Every decoder in a process of its own, so that one's memory is not another's."""
    inputs, until = 500 if small else 1_000_000, time.time() + FUZZ_S
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as pool:
        for outcome in pool.map(partial(attempt, inputs=inputs, until=until), range(len(TARGETS))):
            note = f"{outcome.refused:,} refused, {outcome.per_s:,.0f}/s, memory {outcome.grown / 2**20:+.1f} MiB"
            done = 0 if outcome.failure else outcome.inputs
            report.add(f"Fuzz: {outcome.name}", done, "inputs", target=inputs, note=outcome.failure or note)


PARTS: Final[dict[str, Callable[[Report, Path, bool], None]]] = {
    "speed": _speed,
    "others": _others,
    "steps": _inside,
    "fuzz": _fuzz,
}

if __name__ == "__main__":
    sys.exit(main())
