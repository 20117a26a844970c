"""A burst in the document of a JSON API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lineshaft.drivers.base import ReadsWaveforms, WavePoint
from lineshaft.drivers.http.options import HttpAddress, WebhookAddress
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality

from .api import Api
from .test_poll import connected
from .test_webhook import client, listening


def at(text: str) -> HttpAddress:
    return HttpAddress.model_validate(text)


async def test_a_burst_is_read_with_rate_and_time() -> None:
    """Samples, rate and time of one document; an absent one is a bad address; text is refused in words."""
    api = Api()
    wave = {"samples": [0.5, -0.5, 0.25], "rate": 4096, "time": "2026-01-02T03:04:05Z"}
    api.documents = {"/api/wave": json.dumps(wave).encode(), "/api/odd": b'{"samples": "none"}'}
    async with connected(api, time="/time") as driver:
        assert isinstance(driver, ReadsWaveforms)
        point = WavePoint(4, at("wave /samples"), rate_address=at("wave /rate"))
        batch = await driver.read_waveform(point)
        assert batch.waves is not None
        assert batch.waves[0].values().tolist() == [0.5, -0.5, 0.25]
        assert (batch.waves[0].rate, batch.times.tolist()) == (4096.0, [1_767_323_045_000_000])
        absent = await driver.read_waveform(WavePoint(4, at("gone /samples"), rate=1.0))
        assert absent.qualities.tolist() == [Quality.BAD_ADDRESS]
        with pytest.raises(DataError, match="list of numbers"):
            await driver.read_waveform(WavePoint(4, at("odd /samples"), rate=1.0))


async def test_a_burst_can_be_posted(tmp_path: Path) -> None:
    """A posted document brings numbers and a burst in one batch; one whose burst is none is refused in words."""
    async with listening(tmp_path) as (driver, url, batches), client() as http:
        driver.expect_waveforms((WavePoint(9, WebhookAddress(value="/wave"), rate=1000.0, samples=3),))
        assert (await http.post(url, content=b'{"v": 1, "wave": [1, 2, 3]}')).status_code == 204
        assert (await http.post(url, content=b'{"v": 2}')).status_code == 204
        refused = await http.post(url, content=b'{"v": 3, "wave": [1, 2]}')
        assert (refused.status_code, "half a waveform" in driver.statistics.last_error) == (400, True)
    assert [batch.signals.tolist() for batch in batches] == [[5, 9], [5]]
    assert batches[0].waves is not None
    assert batches[0].waves[1].values().tolist() == [1.0, 2.0, 3.0]
