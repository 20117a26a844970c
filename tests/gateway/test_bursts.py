"""Features of bursts at the gateway, and which bursts are sent whole."""

from __future__ import annotations

import numpy as np
import pytest
from tests.gateway.helpers import plant

from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform
from lineshaft.wire.sparkplug import SparkplugType

RATE = 25_600.0
MINUTE = 60_000_000
START = 1_750_000_000_000_000
TIME = np.arange(8192) / RATE


def tone(amplitude: float = 10.0, hertz: float = 160.0, seed: int = 1) -> np.ndarray:
    """A sine in m/s2 with a little noise."""
    noise = np.random.default_rng(seed).normal(0, 0.01, len(TIME))
    return amplitude * np.sin(2 * np.pi * hertz * TIME) + noise


def made(unit: str = "m/s2", **more: object) -> tuple[Pipeline, dict[str, int]]:
    """The pipeline of a plant with a speed and a waveform; handles by name."""
    keep = more.pop("keep", {})
    wave = {"rate": RATE, "keep": keep, **more.pop("waveform", {})}
    burst = {"name": "burst", "kind": "waveform", "unit": unit, "asset": "hall/pump", "waveform": wave, **more}
    rule = {"id": "hot", "asset": "hall/pump", "inputs": {"x": "hall/pump/speed"}, "when": "x > 2000", "message": "!"}
    checked = plant({"pump": [burst, {"name": "speed", "unit": "1/min", "asset": "hall/pump"}]}, edge_rules=[rule])
    plan = make_plan(checked)
    handles = {item.signal.name: handle for handle, item in enumerate(plan.signals)}
    return Pipeline(plan.table, plan.computations, plan.rules, plan.bursts), handles


def row(handle: int, samples: np.ndarray, time: int = START, quality: int = Quality.GOOD) -> SampleBatch:
    return SampleBatch.of_waves([handle], [time], [Waveform.of(samples, RATE)], quality)


def values(batch: SampleBatch, handles: dict[str, int]) -> dict[str, float]:
    names = {handle: name for name, handle in handles.items()}
    return {names[s]: v for s, v in zip(batch.signals.tolist(), batch.values.tolist(), strict=True)}


def test_a_waveform_brings_its_features_without_a_word_of_configuration() -> None:
    """Kind and unit are enough: RMS, velocity, peak, crest, kurtosis and envelope are signals of their own."""
    checked = plant({"pump": [{"name": "burst", "kind": "waveform", "unit": "gn"}]})
    plan = make_plan(checked)
    found = [(item.signal.name, item.signal.unit, item.wire_type) for item in plan.signals]
    double = SparkplugType.DOUBLE
    assert found == [
        ("burst", "gn", SparkplugType.BYTES),
        ("burst_rms", "gn", double),
        ("burst_velocity_rms", "mm/s", double),
        ("burst_peak", "gn", double),
        ("burst_crest", "", double),
        ("burst_kurtosis", "", double),
        ("burst_envelope_rms", "gn", double),
    ]
    assert plan.signals[0].signal.kind is SignalKind.WAVEFORM
    assert plan.devices[0].points == ()
    assert [point.handle for point in plan.devices[0].waves] == [0]


@pytest.mark.parametrize(("unit", "per"), [("m/s2", 1.0), ("gn", 9.80665), ("mm/s2", 0.001)])
def test_features_do_not_depend_on_the_unit_of_the_sensor(unit: str, per: float) -> None:
    """A sine of 10 m/s2 at 160 Hz has the same velocity in whatever unit the acceleration comes."""
    pipeline, handles = made(unit)
    out = values(pipeline.update(row(handles["burst"], tone() / per)), handles)
    assert out["burst_rms"] * per == pytest.approx(10 / np.sqrt(2), rel=1e-3)
    assert out["burst_peak"] * per == pytest.approx(10, rel=0.01)
    assert out["burst_velocity_rms"] == pytest.approx(1000 * 10 / np.sqrt(2) / (2 * np.pi * 160), rel=0.02)
    assert out["burst_crest"] == pytest.approx(np.sqrt(2), rel=0.01)
    assert out["burst_kurtosis"] == pytest.approx(1.5, rel=0.01)


def test_bands_and_a_velocity_sensor() -> None:
    """Bands of the plant are signals too; a sensor of velocity needs no integration and has the same names."""
    pipeline, handles = made(
        "mm/s",
        waveform={"features": ["velocity_rms"], "bands": {"low": [100, 200], "high": [1000, 5000]}},
    )
    out = values(pipeline.update(row(handles["burst"], tone(3.0))), handles)
    assert out["burst_velocity_rms"] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert out["burst_low"] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert out["burst_high"] < 0.1


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.clip(tone(10.0), -4, 4), "clipped"),
        (np.full(8192, 2.5), "does not move"),
        (tone(1e6), "wrong unit"),
        (np.clip(tone(10.0), -50, 9.0) * 1.0, "clipped"),
    ],
)
def test_nothing_is_claimed_of_a_burst_that_a_broken_sensor_gave(samples: np.ndarray, words: str) -> None:
    """Clipped, constant or in the wrong unit: no feature has a value, and an event says why, once."""
    pipeline, handles = made()
    for repeat in range(2):
        out = pipeline.update(row(handles["burst"], samples, START + repeat * MINUTE))
        quality = dict(zip(out.signals.tolist(), out.qualities.tolist(), strict=True))
        assert quality[handles["burst"]] == Quality.UNCERTAIN_SENSOR
        assert quality[handles["burst_rms"]] == Quality.BAD_DEVICE
        assert np.isnan(values(out, handles)["burst_velocity_rms"])
    (event,) = pipeline.take_events()
    assert event.kind == "waveform.unusable"
    assert words in event.message
    out = pipeline.update(row(handles["burst"], tone(), START + 3 * MINUTE))
    assert np.isfinite(values(out, handles)["burst_rms"])
    assert [one.kind for one in pipeline.take_events()] == ["waveform.usable"]


def test_a_value_beyond_the_range_is_clipped() -> None:
    """The range of the sensor counts, though no peak looks cut off."""
    pipeline, handles = made(range=[-9.5, 9.5])
    out = pipeline.update(row(handles["burst"], tone(10.0)))
    assert np.isnan(values(out, handles)["burst_rms"])


def test_the_speed_of_another_signal_goes_with_the_burst() -> None:
    """speed_of: the last good value of a signal of the gateway is the speed of the shaft."""
    pipeline, handles = made(waveform={"speed_of": "hall/pump/speed"})
    pipeline.update(SampleBatch.of([handles["speed"]], START, 1475.0))
    out = pipeline.update(row(handles["burst"], tone(), START + 1))
    (wave,) = [one for one in out.waves if one is not None]
    assert wave.speed == 1475.0


def sent(pipeline: Pipeline, handle: int, samples: np.ndarray, minute: int) -> list[int]:
    out = pipeline.update(row(handle, samples, START + minute * MINUTE))
    return ((out.times[out.is_wave()] - START) // MINUTE).tolist()


def test_every_nth_burst_is_sent_and_features_always() -> None:
    """keep.every: the others are counted as dropped by the step, their features go on."""
    pipeline, handles = made(keep={"every": 3})
    handle = handles["burst"]
    assert [sent(pipeline, handle, tone(seed=i), i) for i in range(7)] == [[0], [], [], [3], [], [], [6]]
    told = pipeline.of(handle)
    assert (told.rows_in, told.rows_out, told.dropped) == (7, 3, {"waveform": 4})
    assert pipeline.of(handles["burst_rms"]).rows_out == 7


def test_a_burst_that_differs_is_sent() -> None:
    """keep.on_change: more than so many percent from the RMS of the last one that was sent."""
    pipeline, handles = made(keep={"every": 0, "on_change": 20})
    sizes = [1.0, 1.1, 1.15, 1.25, 1.3, 0.9]
    got = [sent(pipeline, handles["burst"], tone(size * 10), i) for i, size in enumerate(sizes)]
    assert got == [[0], [], [], [3], [], [5]]


def test_the_bursts_around_a_finding_are_sent() -> None:
    """keep.before and after: the gateway holds the last ones, and an edge rule of the asset releases them, once."""
    pipeline, handles = made(keep={"every": 0, "before": 3, "after": 2})
    handle = handles["burst"]
    assert [sent(pipeline, handle, tone(seed=i), i) for i in range(6)] == [[]] * 6
    out = pipeline.update(SampleBatch.of([handles["speed"]], START + 6 * MINUTE, 2500.0))
    assert ((out.times[out.is_wave()] - START) // MINUTE).tolist() == [3, 4, 5]
    assert [sent(pipeline, handle, tone(seed=i), i) for i in range(7, 11)] == [[7], [8], [], []]
    assert pipeline.of(handle).dropped == {"waveform": 5}


def test_a_bad_row_without_a_burst_passes_and_claims_nothing() -> None:
    """A waveform whose device is gone is bad itself; no feature is computed of it."""
    pipeline, handles = made()
    out = pipeline.update(SampleBatch.of([handles["burst"]], START, np.nan, Quality.BAD_COMMUNICATION))
    assert out.signals.tolist() == [handles["burst"]]
    assert out.qualities.tolist() == [Quality.BAD_COMMUNICATION]
