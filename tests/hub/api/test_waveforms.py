"""Bursts over the API."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest

from hub.api.conftest import ASSET, Hub
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Datatype, Signal, SignalKind
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

START = 1_750_000_000_000_000
SECOND = 1_000_000
RATE = 25_600.0
TIME = np.arange(16_384) / RATE


def bearing(seed: int = 1) -> np.ndarray:
    """m/s2: a shaft at 25 Hz, and shocks 100 times a second that ring at 4 kHz."""
    values = 2.0 * np.sin(2 * np.pi * 25 * TIME) + np.random.default_rng(seed).normal(0, 0.3, len(TIME))
    for at in np.arange(0, TIME[-1], 1 / 100.0):
        late = TIME - at
        values += np.where(late >= 0, 30 * np.exp(-900 * late) * np.sin(2 * np.pi * 4000 * late), 0.0)
    return values


def wave_of(hub: Hub, name: str = "burst", unit: str = "m/s2") -> int:
    signal = Signal(ASSET, name, SignalKind.WAVEFORM, Datatype.FLOAT, unit)
    return int(hub.state.register([BornSignal(signal, "acme/gw", "monitor")])[0])


def put(hub: Hub, signal: int, time: int, values: np.ndarray, speed: float | None = 1500.0) -> None:
    wave = Waveform.of(np.rint(values * 1000).astype(int), RATE, speed, scale=0.001)
    hub.historian.append(SampleBatch.of_waves([signal], [time], [wave]), f"{signal}-{time}")


async def test_bursts_are_listed_and_read_in_three_forms(hub: Hub) -> None:
    """A list without samples; then samples as JSON, Arrow and binary that agree."""
    signal = wave_of(hub)
    put(hub, signal, START, bearing(1))
    put(hub, signal, START + SECOND, bearing(2), None)
    async with hub.client() as client:
        page = (await client.get(f"/api/v1/waveforms?signal={signal}&start=0&end={2**60}")).json()
        assert page["unit"] == "m/s2"
        assert [item["time"] for item in page["items"]] == [START, START + SECOND]
        assert [item["speed"] for item in page["items"]] == [1500.0, None]
        assert "value" not in page["items"][0]
        place = f"/api/v1/waveforms/{page['items'][0]['id']}"
        as_json = (await client.get(place)).json()
        arrow = pa.ipc.open_stream(io.BytesIO((await client.get(f"{place}?format=arrow")).content)).read_all()
        binary = np.frombuffer((await client.get(f"{place}?format=binary")).content, "<f4")
    assert (as_json["rate"], as_json["whole"], as_json["problem"]) == (RATE, True, "")
    np.testing.assert_allclose(as_json["value"], bearing(1), atol=5.1e-4)
    np.testing.assert_allclose(arrow.column("value").to_numpy(), as_json["value"], rtol=1e-6)
    np.testing.assert_allclose(binary, as_json["value"], rtol=1e-6)
    assert arrow.schema.metadata[b"rate"] == b"25600.0"


async def test_spectrum_and_envelope_name_what_is_in_the_burst(hub: Hub) -> None:
    """The shaft stands in the spectrum with its amplitude, in mm/s too; the shocks stand in the envelope."""
    signal = wave_of(hub)
    put(hub, signal, START, bearing())
    async with hub.client() as client:
        place = f"/api/v1/waveforms/{signal}-{START}/spectrum"
        plain = (await client.get(place)).json()
        velocity = (await client.get(f"{place}?kind=velocity")).json()
        envelope = (await client.get(f"{place}?kind=envelope&low=3000&high=5000")).json()
        chosen = (await client.get(f"{place}?kind=envelope")).json()
    peak = int(np.argmax(plain["amplitude"][: int(1000 / plain["step"])]))
    assert peak * plain["step"] == pytest.approx(25, abs=1.6)
    assert plain["amplitude"][peak] == pytest.approx(2.0, rel=0.1)
    assert velocity["unit"] == "mm/s"
    assert velocity["amplitude"][peak] == pytest.approx(2000 / (2 * np.pi * 25), rel=0.15)
    for found in (envelope, chosen):
        line = 1 + int(np.argmax(found["amplitude"][1 : int(300 / found["step"])]))
        assert line * found["step"] == pytest.approx(100, abs=2)
        assert found["unit"] == ""
    assert envelope["band"] == [3000, 5000]
    assert 0 <= chosen["band"][0] < chosen["band"][1] <= RATE / 2


async def test_zoom_and_cepstrum_read_between_the_lines(hub: Hub) -> None:
    """A tone between two lines of the spectrum is read to a hundredth of Hz with its amplitude, in mm/s too; shocks 100
    times a second stand at 10 ms in the cepstrum; nobody who is not signed in gets either."""
    signal = wave_of(hub)
    put(hub, signal, START, bearing())
    put(hub, signal, START + SECOND, 2 * np.sin(2 * np.pi * 200.37 * TIME))
    async with hub.client(Role.VIEWER) as client, hub.client(None) as stranger:
        place = f"/api/v1/waveforms/{signal}-{START + SECOND}/zoom?low=195&high=205&lines=1001"
        zoom = (await client.get(place)).json()
        velocity = (await client.get(f"{place}&kind=velocity")).json()
        found = (await client.get(f"/api/v1/waveforms/{signal}-{START}/cepstrum")).json()
        short = (await client.get(f"/api/v1/waveforms/{signal}-{START}/cepstrum?longest=0.05")).json()
        for path in (place, f"/api/v1/waveforms/{signal}-{START}/cepstrum"):
            assert (await stranger.get(path)).status_code == 401
    at = int(np.argmax(zoom["amplitude"]))
    assert (zoom["start"], zoom["step"], zoom["unit"]) == (195, pytest.approx(0.01), "m/s2")
    assert zoom["start"] + at * zoom["step"] == pytest.approx(200.37, abs=0.02)
    assert zoom["amplitude"][at] == pytest.approx(2, rel=0.01)
    assert velocity["amplitude"][at] == pytest.approx(2000 / (2 * np.pi * 200.37), rel=0.01)
    assert len(short["level"]) == int(0.05 * RATE) + 1
    first = round(0.005 / found["step"])
    assert found["step"] * (first + int(np.argmax(found["level"][first : 3 * first]))) == pytest.approx(0.01, abs=1e-4)


async def test_a_waterfall_has_one_spectrum_per_burst(hub: Hub) -> None:
    """All on one grid, the tone of each in its place."""
    signal = wave_of(hub)
    for at in range(5):
        put(hub, signal, START + at * SECOND, 3 * np.sin(2 * np.pi * 1000 * (at + 1) * TIME))
    async with hub.client() as client:
        query = f"signal={signal}&start={START}&end={START + 9 * SECOND}&lines=100&highest=10000"
        found = (await client.get(f"/api/v1/waveforms/spectra?{query}")).json()
    assert [int(np.argmax(row)) for row in found["amplitude"]] == [10, 20, 30, 40, 50]
    assert found["time"] == [START + at * SECOND for at in range(5)]


async def test_a_burst_that_cannot_be_judged_says_why(hub: Hub) -> None:
    """Half a burst and a clipped one are shown, with the reason in words."""
    signal = wave_of(hub)
    put(hub, signal, START, np.clip(bearing(), -3, 3))
    whole = Waveform.of(np.rint(bearing() * 1000).astype(int), RATE)
    half = next(whole.pieces(20_000))
    hub.historian.append(SampleBatch.of_waves([signal], [START + SECOND], [half]), "half")
    async with hub.client() as client:
        clipped = (await client.get(f"/api/v1/waveforms/{signal}-{START}")).json()
        assert "clipped" in clipped["problem"]
        (item,) = (
            await client.get(f"/api/v1/waveforms?signal={signal}&start={START + SECOND}&end={START + 2 * SECOND}")
        ).json()["items"]
        assert item["samples"] == 10_000 < item["total"]


async def test_bursts_that_were_none_are_counted_with_their_reasons(hub: Hub) -> None:
    """Bad samples of the range are counted; the reason is told, also one that began before; another signal's is not."""
    signal, other = wave_of(hub), wave_of(hub, "other")
    put(hub, signal, START, bearing())
    for at in (1, 2, 5):
        bad = SampleBatch.of([signal], START + at * SECOND, np.nan, Quality.BAD_DEVICE)
        hub.historian.append(bad, f"bad-{at}")
    away = SampleBatch.of([signal], START + 3 * SECOND, np.nan, Quality.BAD_COMMUNICATION)
    hub.historian.append(away, "away")
    for at, name, reason in ((1, "burst", "a sample is NaN"), (2, "other", "no numbers")):
        details = {"signal": f"{ASSET}/{name}", "reason": reason, "address": "ns=1;s=vib", "mend": "look at it"}
        when, words = START + at * SECOND, f"of no use: {reason}"
        hub.state.events.add([Event(when, "waveform.malformed", "acme/gw/monitor", words, details=details)])
    async with hub.client() as client:

        async def refused(of: int, start: int, end: int) -> tuple[int, list[str]]:
            query = f"signal={of}&start={START + start * SECOND}&end={START + end * SECOND}"
            found = (await client.get(f"/api/v1/waveforms/refused?{query}")).json()
            return found["count"], [one["reason"] for one in found["items"]]

        assert await refused(signal, 0, 9) == (3, ["a sample is NaN"])
        assert await refused(signal, 4, 9) == (1, ["a sample is NaN"])
        assert await refused(signal, 6, 9) == (0, [])
        assert await refused(other, 0, 9) == (1, ["no numbers"])


async def test_mistakes_of_the_caller_are_named(hub: Hub) -> None:
    """An unknown burst, a signal that is no waveform, half a band, a quantity that has no velocity."""
    current = wave_of(hub, "phase", "A")
    put(hub, current, START, bearing())
    async with hub.client() as client:
        for path, status, words in (
            ("/waveforms/nonsense", 404, "not the id"),
            (f"/waveforms/{current}-5", 404, "no waveform"),
            ("/waveforms/99999-5", 404, "no signal 99999"),
            (f"/waveforms?signal={int(hub.ids[0])}&start=0&end=1", 422, "not a waveform"),
            (f"/waveforms?signal={current}&start=5&end=5", 422, "not before"),
            (f"/waveforms/{current}-{START}/spectrum?kind=envelope&low=5", 422, "belong together"),
            (f"/waveforms/{current}-{START}/spectrum?kind=envelope&low=5000&high=90000", 422, "does not ascend"),
            (f"/waveforms/{current}-{START}/zoom?low=50&high=40", 422, "ascends"),
            (f"/waveforms/{current}-{START}/zoom?low=50&high=90000", 422, "ascends"),
            (f"/waveforms/{current}-{START}/zoom?low=50&high=60&kind=envelope", 422, "kind"),
            (
                f"/waveforms/{current}-{START}/zoom?low=50&high=60&kind=velocity",
                422,
                "neither acceleration nor velocity",
            ),
            (f"/waveforms/{current}-{START}/spectrum?kind=velocity", 422, "neither acceleration nor velocity"),
        ):
            answer = await client.get(f"/api/v1{path}")
            assert (answer.status_code, words in answer.text) == (status, True), answer.text


async def test_bursts_can_be_imported_once(hub: Hub) -> None:
    """An Arrow stream with a column of samples: stored once however often it is sent, and listed."""
    samples = pa.array([[1, 2, 3, 4], [5, 6, 7, 8]], pa.list_(pa.int16()))
    columns = [pa.array([f"{ASSET}/shock"] * 2), pa.array([START, START + SECOND]), samples, pa.array([1000.0] * 2)]
    batch = pa.record_batch(columns, ["path", "time", "samples", "rate"])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    async with hub.client() as client:
        for stored in (2, 0):
            done = await client.post("/api/v1/import", content=sink.getvalue())
            assert (done.status_code, done.json()["stored"]) == (200, stored), done.text
        signal = hub.state.catalogue.by_path(f"{ASSET}/shock").id
        page = (await client.get(f"/api/v1/waveforms?signal={signal}&start=0&end={2**60}")).json()
        assert [item["samples"] for item in page["items"]] == [4, 4]
        value = (await client.get(f"/api/v1/waveforms/{signal}-{START}")).json()["value"]
    assert value == [1, 2, 3, 4]
