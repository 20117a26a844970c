"""A trained model at work: on trial it is silent, in use it names the signals, and it sees when its inputs change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lineshaft.analytics.anomaly.drift import count_rows, fit_reference
from lineshaft.analytics.anomaly.model import asset_model, fit_asset
from lineshaft.analytics.window_means import WindowMeans
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import Float64Array, SampleBatch
from lineshaft.operators.base import Asset, Output
from lineshaft.operators.builtin import OPERATORS
from lineshaft.testing import OperatorContract, OperatorSetup, run_whole

PATH = "acme/north/hall/line-1/pump-1"
START = 1_750_000_000_000_000 // 604_800_000_000 * 604_800_000_000
MINUTE = 60_000_000
FEATURES = ("flow", "pressure", "motor/current")


def asset() -> Asset:
    names = (("", "flow"), ("", "pressure"), ("/motor", "current"), ("", "speed"))
    signals = tuple(Signal(PATH + below, name) for below, name in names)
    return Asset(Equipment(PATH, "Pump 1", Level.ASSET, "pump"), signals)


def table(n: int, seed: int) -> Float64Array:
    """Windows of a pump: flow, pressure and current hang together, at two speeds."""
    random = np.random.default_rng(seed)
    speed = np.where(np.arange(n) // 30 % 2 == 0, 1500.0, 3000.0)
    load = np.convolve(random.normal(0, 1, n + 9), np.ones(10) / 3, "valid")
    flow = speed / 100 + load + random.normal(0, 0.1, n)
    pressure = speed / 500 - 0.3 * load + random.normal(0, 0.05, n)
    current = speed / 300 + 0.5 * load + random.normal(0, 0.05, n)
    return np.stack([flow, pressure, current, speed], axis=1)


@pytest.fixture(name="options", scope="module")
def _options() -> dict[str, Any]:
    rows = table(2000, 1)
    model = fit_asset(rows[:, :3], rows[:, 3:], look=144)
    return {
        "model": "pumps",
        "version": 2,
        "features": list(FEATURES),
        "operating": ["speed"],
        "look": "1d",
        "document": model.document(),
    }


def recording(rows: Float64Array) -> SampleBatch:
    """A row of each signal at the start of each window of ten minutes."""
    n, p = rows.shape
    return SampleBatch.of(np.tile(np.arange(p), n), START + np.repeat(np.arange(n), p) * 10 * MINUTE, rows.ravel())


def leaking(n: int = 600, begin: int = 300, end: int = 420) -> Float64Array:
    """From one window to another a leak: the pressure falls, flow and current tell nothing of it."""
    rows = table(n, 2)
    rows[begin:end, 1] -= 1.0
    return rows


def run(options: dict[str, Any], rows: Float64Array, **more: Any) -> Output:
    batch = recording(rows)
    return run_whole(OperatorSetup(OPERATORS["anomaly"], {**options, **more}, asset(), batch).operator(), [batch])


class TestAnomaly(OperatorContract):
    @pytest.fixture
    def setup(self, options: dict[str, Any]) -> OperatorSetup:
        return OperatorSetup(OPERATORS["anomaly"], {**options, "shadow": False}, asset(), recording(leaking()))


@pytest.mark.parametrize("method", ["baseline", "forecast"])
def test_a_leak_is_told_with_the_signal_that_shows_it(options: dict[str, Any], method: str) -> None:
    """In use: raised soon after the leak began, by the pressure, and ended after it; each hour is in the record.

    The slow swing of the load is a false alarm of the baseline, which knows no past; the learned one has none.
    """
    output = run(options, leaking(), shadow=False, method=method, calm=6)
    *false, raised, ended = (event for event in output.events if event.kind.startswith("anomaly."))
    assert len(false) == (2 if method == "baseline" else 0)
    assert (raised.kind, ended.kind) == ("anomaly.raised", "anomaly.ended")
    assert 300 <= (raised.time - START) // (10 * MINUTE) <= 330
    assert 420 <= (ended.time - START) // (10 * MINUTE) <= 440
    shares = {name: value for name, value in raised.details.items() if name.startswith("share ")}
    assert max(shares, key=lambda name: float(shares[name] or 0)) == "share pressure"
    assert 100 <= len(output.predictions) <= 104
    alarms = [one for one in output.predictions if one.alarm and one.time >= raised.time]
    assert alarms[0].time == raised.time
    assert (alarms[0].model, alarms[0].version) == ("pumps", "2")
    assert alarms[0].due is not None
    assert float(alarms[0].value or 0) > 1 >= float(output.predictions[2].value or 9)


def test_on_trial_nobody_is_told(options: dict[str, Any]) -> None:
    """The same predictions as in use, marked as of a trial, and no event."""
    trial, used = run(options, leaking()), run(options, leaking(), shadow=False)
    assert not [event for event in trial.events if event.kind.startswith("anomaly.")]
    assert all(one.shadow for one in trial.predictions)
    assert [(one.time, one.value, one.alarm) for one in trial.predictions] == [
        (one.time, one.value, one.alarm) for one in used.predictions
    ]


def test_an_operation_that_was_never_learned_is_not_judged(options: dict[str, Any]) -> None:
    """Nine thousand turns were not in the training: no alarm, and the words say why."""
    rows = table(60, 3)
    rows[:, 3] = 9000
    output = run(options, rows)
    assert not any(one.alarm or one.value is not None for one in output.predictions)
    assert output.predictions[-1].words.startswith("not judged: none of 6 windows")


def test_inputs_that_left_the_training_are_told_once(options: dict[str, Any]) -> None:
    """The load grows for good: after a look there is one event that names the signals; before it there was none."""
    rows = table(1200, 4)
    rows[500:, :3] += np.array([2.0, -0.6, 1.0])
    output = run(options, rows)
    (drift,) = (event for event in output.events if event.kind == "model.drift")
    assert 500 < (drift.time - START) // (10 * MINUTE) <= 500 + 2 * 144
    assert "pressure" in drift.message
    assert output.predictions[-1].inputs["drifted"] is True


def test_the_index_is_that_of_the_formula() -> None:
    """All rows in the first of ten bins: (1 - 0.1) ln(1 / 0.1) + 9 (0.001 - 0.1) ln(0.001 / 0.1), by hand 6.18."""
    found = fit_reference(np.arange(1000.0)[:, None], 100)
    index = found.index(count_rows(found, np.zeros((200, 1))))
    expected = 0.9 * np.log(10) + 9 * (0.001 - 0.1) * np.log(0.01)
    assert index[0] == pytest.approx(expected, rel=1e-3)
    assert np.isnan(found.index(count_rows(found, np.zeros((49, 1))))[0])
    assert found.index(count_rows(found, np.arange(1000.0)[:, None]))[0] == pytest.approx(0.0, abs=1e-9)


def test_a_document_gives_the_same_scores(options: dict[str, Any]) -> None:
    """A model out of JSON scores as the one that was trained."""
    rows = table(2000, 1)
    model, read = fit_asset(rows[:, :3], rows[:, 3:], look=144), asset_model(options["document"])
    one, other = (each.score(rows[:7, :3], rows[:7, 3:]) for each in (model, read))
    assert (one.baseline, one.forecast) == (other.baseline, other.forecast)


def test_means_do_not_depend_on_how_rows_are_cut() -> None:
    """Windows of one batch and of single rows are the same, bit for bit; a window without rows is passed over."""
    random = np.random.default_rng(6)
    times = np.sort(random.integers(0, 3_000_000, 500))
    batch = SampleBatch.of(random.integers(0, 2, 500), START + times, random.normal(0, 1, 500))
    batch = batch.take((times < 1_000_000) | (times > 1_500_000))
    whole = WindowMeans(50_000, 2).update(batch)
    single = WindowMeans(50_000, 2)
    parts = [window for place in range(len(batch)) for window in single.update(batch.take(slice(place, place + 1)))]
    assert [(one.number, one.time) for one in whole] == [(one.number, one.time) for one in parts]
    np.testing.assert_array_equal([one.means for one in whole], [one.means for one in parts])
    assert len(whole) == 49


def test_a_value_that_is_sent_on_change_holds() -> None:
    """A signal without a sample keeps its last value for so many windows; a bad sample ends it."""
    width = 60_000_000
    rows = [(0, 0, 5.0, 192), (0, 1, 1.0, 192), *((k, 1, 1.0, 192) for k in range(1, 5)), (5, 0, 7.0, 192)]
    rows += [(6, 0, 0.0, 4), (6, 1, 1.0, 192), (7, 1, 1.0, 192), (8, 1, 1.0, 192)]
    batch = SampleBatch.of(
        [row[1] for row in rows], [START + row[0] * width for row in rows], [row[2] for row in rows],
        [row[3] for row in rows],
    )  # fmt: skip
    whole = WindowMeans(width, 2, hold=2).update(batch)
    single = WindowMeans(width, 2, hold=2)
    parts = [window for place in range(len(batch)) for window in single.update(batch.take(slice(place, place + 1)))]
    expected = [5.0, 5.0, 5.0, np.nan, np.nan, 7.0, np.nan, np.nan]
    np.testing.assert_array_equal([one.means[0] for one in whole], expected)
    np.testing.assert_array_equal([one.means[0] for one in parts], expected)
    np.testing.assert_array_equal([one.means[1] for one in whole], [1.0] * 8)
