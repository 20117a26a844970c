"""A recording whose every record is known, and the plant that plays it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

START_US = 1_767_225_600_000_000
PREFIX = "acme/here/hall/line/machine/"

HEAD = """
plant: {enterprise: acme, site: here, name: Delivery test, timezone: Europe/Berlin}
equipment:
  - {id: hall, level: area, children: [{id: line, level: line, children: [{id: machine, level: asset}]}]}
"""


@dataclass(frozen=True)
class Recording:
    """`count` records of `signals` signals in turn; record i has value i and a time with microseconds."""

    signals: int
    count: int
    per_second: int

    def times(self) -> np.ndarray:
        return START_US + np.arange(self.count, dtype=np.int64) * (1_000_000 // self.per_second) + 7

    def write(self, path: Path) -> None:
        times = self.times()
        lines = ["time,signal,value"]
        lines += [f"{times[i] / 1e6:.6f},s{i % self.signals:02d},{i}" for i in range(self.count)]
        path.write_text("\n".join(lines) + "\n")

    def device(self, path: Path, speed: str) -> str:
        signals = "\n".join(f"      - {{name: s{i:02d}, address: s{i:02d}, report: all}}" for i in range(self.signals))
        return f"""
  - id: recording
    driver: replay
    asset: hall/line/machine
    connection: {{path: {path}, format: csv, speed: {speed}}}
    signals:
{signals}
"""

    def check(self, table: pa.Table) -> None:
        """Every record is stored once, with its own time and value; nothing else is."""
        values = table["value"].to_numpy()
        order = np.argsort(values, kind="stable")
        counts = np.unique(values, return_counts=True)[1]
        assert counts.max() == 1, f"{int((counts > 1).sum())} records stored twice"
        assert len(values) == self.count, f"{self.count - len(values)} of {self.count} records lost"
        assert (values[order] == np.arange(self.count)).all()
        stored = np.asarray(table["time"].cast(pa.int64()))[order]
        assert (stored == self.times()).all(), "times were changed"
        signals = np.array([path.removeprefix(PREFIX) for path in table["path"].to_pylist()])[order]
        assert (signals == np.array([f"s{i % self.signals:02d}" for i in range(self.count)])).all()
