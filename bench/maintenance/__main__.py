"""`python -m bench.maintenance [PART ...]`: figures of predictive maintenance beside target and published one.

Without parts everything is measured; with parts, each of which takes a few minutes, their figures replace the old ones.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")  # figures are for one core

from bench import waveforms
from bench.maintenance import anomalies, bearings, fleet, lives, motors, near_whole, turbofan, wear
from bench.report import Report, quick

PARTS = {
    "bearings": bearings.measure,
    "near_whole": near_whole.measure,
    "motors": motors.measure,
    "waveforms": waveforms.measure,
    "fleet": fleet.measure,
    "lives": lives.measure,
    "wear": wear.measure,
    "turbofan": turbofan.measure,
    "anomalies": anomalies.measure,
}


def main(wanted: Sequence[str]) -> int:
    """Measure these parts, or everything; 0 when each target is met, 2 for a part that there is not."""
    if unknown := [name for name in wanted if name not in PARTS]:
        print(f"no part {unknown[0]}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    report = Report("maintenance")
    for name in wanted or PARTS:
        report.begin(name)
        PARTS[name](report, quick())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
