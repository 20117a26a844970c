"""Bursts of fast samples over the uplinks that speak JSON, against sinks that enforce their bounds."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gateway.helpers import plan_of, until
from tests.gateway.uplinks.brokers import Mosquitto
from tests.gateway.uplinks.gate import gate
from tests.gateway.uplinks.line import START, FastClock, Line, Watcher
from tests.gateway.uplinks.pki import Authority
from tests.gateway.uplinks.test_aws_iot import Service
from tests.gateway.uplinks.test_aws_iot import uplink as aws
from tests.gateway.uplinks.web import endpoint

from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

PRESS = [{"name": "force", "unit": "kN"}, {"name": "burst", "kind": "waveform", "unit": "m/s2"}]
WAVES = tuple(
    Waveform.of(np.random.default_rng(at).integers(-30_000, 30_000, count), 25_600.0, 1480.0, scale=0.01)
    for at, count in enumerate((4096, 200_000, 16_384))
)


def line_of(folder: Path, uplinks: list[dict[str, Any]]) -> Line:
    """A line whose buffer holds a number and bursts, one of them longer than any message."""
    line = Line(folder, uplinks, clock=FastClock(10), plan=plan_of({"press": PRESS}))
    line.buffer.append("press", SampleBatch.of([0], START, 7.5))
    for at, wave in enumerate(WAVES):
        line.buffer.append("press", SampleBatch.of_waves([1], [START + at * 60_000_000], [wave]))
    return line


def put_together(documents: Iterable[dict[str, Any]]) -> list[np.ndarray]:
    """The bursts from the pieces of all documents, by what each piece says of itself, as a foreign receiver would."""
    found: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    for document in documents:
        for sample in document.get("samples", []):
            if "waveform" in sample:
                wave = sample["waveform"]
                assert (wave["encoding"], wave["rate"], wave["speed"], wave["scale"]) == (
                    "int16le", 25_600.0, 1480.0, 0.01,
                )  # fmt: skip
                begin = np.datetime64(sample["timestamp"].rstrip("Z"), "us").astype(np.int64)
                burst = found.setdefault((round((begin - wave["offset"] / 0.0256) / 1000), wave["total"]), {})
                assert wave["offset"] not in burst, "a piece came twice"
                burst[wave["offset"]] = np.frombuffer(b64decode(wave["data"]), "<i2")
    whole = [np.concatenate([parts[at] for at in sorted(parts)]) for _, parts in sorted(found.items())]
    assert [len(one) for one in whole] == [total for _, total in sorted(found)]
    return whole


@pytest.mark.parametrize("most", ["1MB", "20KB"])
async def test_bursts_arrive_over_https_in_bodies_that_fit(authority: Authority, folder: Path, most: str) -> None:
    """Every sample of every burst once, each request with a key of its own, none above the bound."""
    with endpoint(authority.server()) as server:
        https = {"type": "https", "url": server.url, "tls": {"ca_file": str(authority.ca)}, "max_body": most}
        line = line_of(folder, [https])
        async with line.running():
            await until(lambda: line.forwarders["https"].done, 40)
        keys = [request.headers["idempotency-key"] for request in server.requests]
        assert len(set(keys)) == len(keys)
        bursts = put_together(document for request in server.requests for document in request.documents)
    assert all(np.array_equal(one, wave.samples) for one, wave in zip(bursts, WAVES, strict=True))
    assert line.drops() == []


async def test_bursts_fit_into_the_messages_of_a_cloud(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """AWS IoT Core takes 128 KB: a burst of 400 KB goes in pieces, nothing is refused or lost."""
    async with gate(Service(), authority.server(clients=True), broker.port) as door:
        line = line_of(folder, [aws(door.port, authority)])
        async with line.running():
            await until(lambda: line.forwarders["aws"].done, 40)
        assert door.refusals == []
        await until(lambda: len(watcher.documents()) >= 5)
    bursts = put_together(watcher.documents())
    assert all(np.array_equal(one, wave.samples) for one, wave in zip(bursts, WAVES, strict=True))
