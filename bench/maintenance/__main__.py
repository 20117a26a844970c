"""`python -m bench.maintenance`: every figure of predictive maintenance beside its target and the published one."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # figures are for one core

from bench import waveforms
from bench.maintenance import anomalies, bearings, lives, motors, near_whole, turbofan, wear
from bench.report import Report, quick

AREAS = (
    bearings.measure,
    near_whole.measure,
    motors.measure,
    waveforms.measure,
    lives.measure,
    wear.measure,
    turbofan.measure,
    anomalies.measure,
)


def main() -> int:
    """Measure everything; 0 when each target is met."""
    report = Report("maintenance")
    for measure in AREAS:
        measure(report, quick())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
