"""`make bench-platform`: charts over a month and latest values at the API while rows come in, space, roll-ups.

The figure wanted is of 1,000 signals each second for 30 days, 2.6 billion values. The long run loads a tenth of the
signals with the whole month (SIGNALS=1000 loads all), QUICK=1 a hundredth. A chart reads the whole month of its
signals in each case; what differs is the size of the tables around it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import httpx

from bench.history import explorer
from bench.process import Worker
from bench.report import Report, quick

DAYS = 30
SIGNALS = 1_000
RATE = 20_000  # rows a second that come in meanwhile
MONTH_US = DAYS * 86_400_000_000


def _median_ms(times: int, ask: Callable[[], httpx.Response]) -> float:
    ask()
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        ask().raise_for_status()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e3


def _charts(report: Report, hub: Worker, long: int) -> None:
    what = hub.answer()
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
        one = _median_ms(times, ask("/series", ids[1:2], points=800))
        report.add("30 days of one signal as 800 pixels, at the API", one, "ms", target=100, better="lower")
        ten = _median_ms(times, ask("/series", ids[:10], points=800))
        report.add("30 days of ten signals as 800 pixels, at the API", ten, "ms", target=300, better="lower")
        latest = _median_ms(times, ask("/latest", ids))
        report.add(f"latest of {SIGNALS:,} signals, at the API", latest, "ms", target=50, better="lower")
        functions = "mean,max,time_mean,increase"
        for words, more in (
            ("30 local days of one signal, Berlin", {"tz": "Europe/Berlin", "bucket": "1d"}),
            ("30 local days of one signal, Kolkata", {"tz": "Asia/Kolkata", "bucket": "1d"}),
            ("720 local hours of one signal, Berlin", {"tz": "Europe/Berlin", "bucket": "1h"}),
        ):
            spent = _median_ms(times, ask("/aggregate", ids[1:2], functions=functions, **more))
            report.add(f"aggregates: {words}", spent, "ms")
    found = hub.ask("figures")
    if found["error"]:
        raise RuntimeError(found["error"])
    report.add("rows a second that came in meanwhile", found["rate"], "rows/s", target=RATE * 0.99)
    report.add("minutes of signals that waited to be rolled up", found["waiting"], "minutes")
    report.add("largest memory of the hub", found["peak_mib"], "MiB")


def main() -> int:
    """Run; 0 when every target is met."""
    report = Report("platform")
    long = int(os.environ.get("SIGNALS", "10" if quick() else "100"))
    with tempfile.TemporaryDirectory(prefix="bench-platform-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        hub = Worker(
            "bench.history.hub",
            folder=folder,
            days=DAYS,
            signals=SIGNALS,
            long=long,
            others_seconds=60 if quick() else 3_600,
            rate=RATE,
            burst=2_000_000 if quick() else 10_000_000,
        )
        with hub:
            filled = hub.answer()
            note = f"{long} signals of 1 s for 30 days, and a while of the others"
            report.add("values stored", filled["rows"], "values", note=note)
            report.add("append by the virtual clock", filled["append_per_s"], "rows/s")
            report.add("roll-ups computed", filled["roll_per_s"], "rows/s", note="minutes, hours, days")
            size = filled["raw_bytes"] + filled["rollup_bytes"]
            report.add("bytes of a value, roll-ups included", size, "B", target=3.0, better="lower")
            report.add("of these roll-ups", filled["rollup_bytes"], "B")
            _charts(report, hub, long)
    explorer.measure(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
