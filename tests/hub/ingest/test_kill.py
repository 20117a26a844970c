"""Ingest under kill -9: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.model.samples import SampleBatch

from ..mqtt import Mosquitto
from .edge import Edge, Tag, until

START = 1_750_000_000_000_000
KILLS = 5
ROWS = 500
TESTS = Path(__file__).parents[2]


def start_worker(folder: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hub.ingest.worker", str(folder), str(port)]
    log = folder / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(command, cwd=TESTS, stdout=output, stderr=output, text=True)
    until(lambda: "ready\n" in log.read_text() or worker.poll() is not None, 60)
    assert worker.poll() is None, log.read_text()
    return worker


def end(worker: subprocess.Popen[str], how: int) -> None:
    worker.send_signal(how)
    worker.wait(60)


@pytest.mark.slow
def test_five_kills_lose_nothing_and_repeat_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    """A publisher that repeats what is not acknowledged finds every row in the historian exactly once."""
    edge = Edge(broker.port, "gw1", {"plc": [Tag(f"hall/line/m{index}/value") for index in range(20)]}).start()
    stop = threading.Event()
    sent = 0

    def publish() -> None:
        nonlocal sent
        repeated = time.monotonic()
        while not stop.is_set():
            if len(edge.unacknowledged) < 50:
                sent += 1
                times = START + (sent * ROWS + np.arange(ROWS)) * 1000
                edge.frame("plc", sent, SampleBatch.of(np.arange(ROWS) % 20, times, np.arange(ROWS, dtype=float)))
            if time.monotonic() - repeated > 0.5:
                edge.resend()
                repeated = time.monotonic()
            stop.wait(0.003)

    publisher = threading.Thread(target=publish)
    publisher.start()
    chance = random.Random(5)  # noqa: S311
    for _ in range(KILLS):
        worker = start_worker(tmp_path, broker.port)
        before = len(edge.acknowledged)
        until(lambda: len(edge.acknowledged) > before, 60)  # noqa: B023
        time.sleep(chance.uniform(0.0, 0.5))
        end(worker, 9)
    stop.set()
    publisher.join()
    worker = start_worker(tmp_path, broker.port)
    deadline = time.monotonic() + 60
    while edge.unacknowledged and time.monotonic() < deadline:
        edge.resend()
        time.sleep(0.5)
    end(worker, 15)
    edge.close()
    assert not edge.unacknowledged
    historian = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    historian.open()
    rows = [series.times for series in historian.read(range(1, 21), 0, 2**60)]
    historian.close()
    times = np.sort(np.concatenate(rows))
    assert len(times) == sent * ROWS
    np.testing.assert_array_equal(times, START + (ROWS + np.arange(sent * ROWS)) * 1000)
