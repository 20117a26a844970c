"""A real CNC's day goes through gateway, MQTT and hub record for record."""

from __future__ import annotations

import collections
import csv
import gzip
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.chain.harness import chain, wait_for
from tests.conftest import recordings

from lineshaft.model.samples import Quality

HEAD = """
plant: {enterprise: nist, site: sms, name: NIST machine, timezone: America/New_York}
pipeline: {report: all, heartbeat: null}
gateway: {ledger_interval: 1s}
"""


def records(path: Path) -> list[tuple[str, int]]:
    """(data item, UTC microseconds) of each record, read with nothing of ours."""
    found = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            if len(row) < 3:
                continue
            base, _, fraction = row[0].rstrip("Z").partition(".")
            moment = datetime.fromisoformat(base + "+00:00")
            found.append((row[1], int(moment.timestamp()) * 1_000_000 + int((fraction + "000000")[:6])))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("day", ["Mazak03-20160505-20160506", "Mazak03-20190130-20190131"])
def test_a_real_day_is_stored_record_for_record(tmp_path: Path, day: str) -> None:
    """Every record is there once with its own time; a time stamp that goes back is kept and marked."""
    data = recordings("nist_sms")
    log = data / "raw" / f"{day}.txt.gz"
    speed = os.environ.get("NIST_SPEED", "3000")
    described = subprocess.run(
        [sys.executable, "-m", "lineshaft.drivers.replay.describe", str(data / "Devices.xml"), str(log), "Mazak03",
         "lab/turning/mazak-qt", "--speed", speed],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    wanted = records(log)
    with chain(tmp_path / "chain", HEAD) as made:
        (made.plant / "mazak.yaml").write_text(described)
        made.start()
        wait_for(lambda: made.arrived("nist/sms/lab") >= len(wanted), 500, "the whole day", 0.5)
        signals = [item for item in made.described() if item["path"].startswith("nist/sms/lab")]
        table = made.rows([item["id"] for item in signals])
        sources = {item["path"]: item["source"]["address"].removeprefix("item ") for item in signals}
    assert len(table) == len(wanted)
    items = [sources[path] for path in table["path"].to_pylist()]
    times = np.asarray(table["time"].cast(pa.int64())).tolist()
    assert collections.Counter(zip(items, times, strict=True)) == collections.Counter(wanted)
    marked = [
        pair
        for pair, quality in zip(zip(items, times, strict=True), table["quality"].to_pylist(), strict=True)
        if quality in (Quality.UNCERTAIN_CLOCK, Quality.BAD_CLOCK)
    ]
    assert collections.Counter(marked) == collections.Counter(_backward(wanted))
    assert bool(marked) == (day == "Mazak03-20190130-20190131"), "the other day's clock never goes back"


def _backward(wanted: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Records older than the one before them of the same item."""
    last: dict[str, int] = {}
    back = []
    for item, time in wanted:
        if time < last.get(item, time):
            back.append((item, time))
        last[item] = time
    return back
