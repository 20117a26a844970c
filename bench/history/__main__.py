"""`make bench-platform`: every figure of the platform beside its target.

Charts over a month and latest values at the API while rows come in, space, kills of a loaded hub, a full disk, late
data, bad operators, anomalies. The figure wanted is of 1,000 signals each second for 30 days, 2.6 billion values:
SIGNALS=1000 makes all (needs 10 GB of disk, takes about 20 minutes), the long run has a tenth of the signals with the
whole month, QUICK=1 a hundredth. A chart reads the whole month of its signals in each case; what differs is the size of
the tables around it. PARTS=history,record,kills,proofs,anomalies chooses.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.history import record
from bench.history.kills import RESERVE, Outcome, disturbed, may_mount
from bench.history.load import ROWS
from bench.maintenance import anomalies
from bench.process import Worker
from bench.report import Report, median_ms, quick

DAYS = 30
SIGNALS = 1_000
ORIGINALS = 50
"""Signals that are written and rolled up one row after the other; more than that are copied from these."""
KILLS = 20
RATE = 20_000  # rows a second that come in meanwhile
MONTH_US = DAYS * 86_400_000_000


def _charts(report: Report, hub: Worker, long: int) -> None:
    what = hub.answer()
    words = "open a hub over it, after a kill: tables and newest values; count rows"
    report.add(words, sum(what["seconds"].values()), "s", note=f"{what['seconds']['recount']:.2f} s to count")
    report.add("append while roll-ups are computed beside", what["burst_per_s"], "rows/s", target=500_000)
    headers = {"authorization": f"Bearer {what['token']}"}
    base = f"http://127.0.0.1:{what['port']}/api/v1"
    ids, start = what["ids"], what["start"]
    span = {"start": start, "end": start + MONTH_US}
    times = 5 if quick() else 15
    with httpx.Client(base_url=base, headers=headers, timeout=120) as client:

        def ask(path: str, signals: list[int], **more: str | int) -> Callable[[], httpx.Response]:
            joined = ",".join(map(str, signals))
            return lambda: client.get(path, params={"signals": joined, **span, **more})

        hub.ask("figures")
        one = median_ms(times, ask("/series", ids[1:2], points=800))
        report.add("30 days of one signal as 800 pixels, at the API", one, "ms", target=100, better="lower")
        ten = median_ms(times, ask("/series", ids[:10], points=800))
        report.add("30 days of ten signals as 800 pixels, at the API", ten, "ms", target=300, better="lower")
        lane = median_ms(times, ask("/series", [what["state"]], points=800))
        note = "a text each second: the time in each state, by hours"
        report.add("30 days of one state as 800 pixels, at the API", lane, "ms", target=100, better="lower", note=note)
        short = {"start": start, "end": start + MONTH_US // 3}
        lane = median_ms(times, ask("/series", [what["state"]], points=800, **short))
        report.add("10 days of it, by a quarter of an hour", lane, "ms")
        latest = median_ms(times, ask("/latest", ids))
        report.add(f"latest of {SIGNALS:,} signals, at the API", latest, "ms", target=50, better="lower")
        functions = "mean,max,time_mean,increase"
        for words, more in (
            ("30 local days of one signal, Berlin", {"tz": "Europe/Berlin", "bucket": "1d"}),
            ("30 local days of one signal, Kolkata", {"tz": "Asia/Kolkata", "bucket": "1d"}),
            ("720 local hours of one signal, Berlin", {"tz": "Europe/Berlin", "bucket": "1h"}),
        ):
            spent = median_ms(times, ask("/aggregate", ids[1:2], functions=functions, **more))
            report.add(f"aggregates: {words}", spent, "ms")
        days = ask("/aggregate", [what["state"]], functions="time_in_state", tz="Europe/Berlin", bucket="1d")
        report.add("aggregates: time in state of 30 local days, Berlin", median_ms(times, days), "ms")
    found = hub.ask("figures")
    if found["error"]:
        raise RuntimeError(found["error"])
    report.add("rows a second that came in meanwhile", found["rate"], "rows/s", target=RATE * 0.99)
    report.add("minutes of signals that waited to be rolled up", found["waiting"], "minutes")
    report.add("largest memory of the hub", found["peak_mib"], "MiB")


def _history(report: Report) -> None:
    long = int(os.environ.get("SIGNALS", "10" if quick() else "100"))
    with tempfile.TemporaryDirectory(prefix="bench-platform-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        filling = Worker(
            "bench.history.fill",
            folder=folder,
            days=DAYS,
            signals=SIGNALS,
            long=long,
            originals=min(long, ORIGINALS),
            others_seconds=60 if quick() else 3_600,
        )
        with filling:
            filled = filling.answer()
        note = f"{long} signals of 1 s for 30 days, and a while of the others"
        report.add("values stored", filled["rows"], "values", note=note)
        report.add("append by the virtual clock", filled["append_per_s"], "rows/s")
        report.add("roll-ups computed", filled["roll_per_s"], "rows/s", note="minutes, hours, days")
        if filled["copied"]:
            note = f"in {filled['copy_seconds']:.0f} s, by the engine, with their roll-ups"
            report.add("of the values, copied under other names", filled["copied"], "values", note=note)
        size = filled["raw_bytes"] + filled["rollup_bytes"]
        report.add("bytes of a value, roll-ups included", size, "B", target=3.0, better="lower")
        report.add("of these roll-ups", filled["rollup_bytes"], "B")
        burst = 2_000_000 if quick() else 10_000_000
        hub = Worker("bench.history.hub", folder=folder, signals=SIGNALS, rate=RATE, burst=burst)
        with hub:
            _charts(report, hub, long)


def _kills(report: Report) -> None:
    times = 3 if quick() else KILLS
    with tempfile.TemporaryDirectory(prefix="bench-kills-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        root = Path(folder)
        _tell(report, f"{times} times kill -9 under 20,000 rows/s", disturbed(root / "killed", times))
        if not may_mount(root):
            report.add("full disk", None, "", target=0, note="no small file system may be mounted here")
            return
        full = disturbed(root / "full", 0, (RESERVE // 2, 0))
        _tell(report, "full disk under 20,000 rows/s, with a kill", full)
        for one in full.full:
            words = f"full disk, {one.left // 1_000_000} MB left"
            report.add(f"{words}: frames acknowledged meanwhile", one.acknowledged, "", target=0, better="lower")
            report.add(f"{words}: told by health after", one.told_after, "s", note=one.words)
            up = "started on the full disk" if one.up else "cannot start on the full disk; as soon as there is space"
            report.add(f"{words}: ready after kill -9", one.restart, "s", target=10, better="lower", note=up)
            report.add(f"{words}: acknowledges again after there is space", one.back, "s")


def _tell(report: Report, words: str, found: Outcome) -> None:
    note = f"{found.acknowledged * ROWS:,} rows acknowledged"
    report.add(f"{words}: lost or doubled", found.lost, "rows", target=0, better="lower", note=note)
    note = found.difference or f"{found.events} events, and the samples of a computed metric, byte for byte"
    report.add(f"{words}: operators differ", int(bool(found.difference)), "", target=0, better="lower", note=note)
    if found.restarts:
        report.add(f"{words}: restart, median", statistics.median(found.restarts), "s")
        report.add(f"{words}: restart, longest", max(found.restarts), "s", target=10, better="lower")
        report.add(f"{words}: from there to the next acknowledgement", statistics.median(found.back), "s")


PROOFS = (
    ("late data: a shuffled day a day late changes roll-ups, sums, health, events", "tests/hub/operators/test_late.py"),
    ("an operator that raises, hangs, eats memory harms others", "tests/hub/operators/test_live.py::"
     "test_bad_neighbours_are_shown_and_the_others_go_on"),
    ("live differs from backtest", "tests/hub/operators/test_live.py::test_live_and_backtest_give_the_same_bytes"),
    ("days of 23 and 25 hours, shifts over midnight, month ends are wrong", "tests/hub/api/test_aggregate.py"),
)  # fmt: skip


def _proofs(report: Report) -> None:
    """What a test proves better than a figure: how many of its cases fail."""
    for words, test in PROOFS:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        failed = 0 if run.returncode == 0 else max(1, run.stdout.count("\nFAILED"))
        report.add(words, failed, "cases", target=0, better="lower", note=run.stdout.strip().splitlines()[-1])


def _anomalies(report: Report) -> None:
    anomalies.measure(report, quick())


PARTS = {"history": _history, "record": record.measure, "kills": _kills, "proofs": _proofs, "anomalies": _anomalies}


def main() -> int:
    """Run; 0 when every target is met."""
    missed = 0
    for part in os.environ.get("PARTS", ",".join(PARTS)).split(","):
        report = Report(f"platform-{part}")
        PARTS[part](report)
        missed |= report.finish()
    return missed


if __name__ == "__main__":
    sys.exit(main())
