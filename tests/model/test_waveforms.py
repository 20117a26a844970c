"""What a waveform is, and what is refused as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.model.waveforms import Waveform, joined


def test_samples_are_kept_exactly_in_the_least_space() -> None:
    """Counts of a converter stay int16, decimal numbers become int16 and a scale, all else is float32."""
    counts = Waveform.of([1, -32768, 32767], 1000.0, scale=0.5)
    assert counts.samples.dtype == np.int16
    assert counts.values().tolist() == [0.5, -16384.0, 16383.5]
    decimals = Waveform.of([0.125, -1.002, 3.0], 1000.0)
    assert decimals.samples.dtype == np.int16
    np.testing.assert_allclose(decimals.values(), [0.125, -1.002, 3.0], rtol=1e-12)
    assert Waveform.of([100_000, 2], 1000.0).samples.dtype == np.float32
    assert Waveform.of([1 / 3, 2 / 3], 1000.0).samples.dtype == np.float32


@pytest.mark.parametrize(
    ("samples", "rate", "more", "words"),
    [
        ([1.0, 2.0], 0.0, {}, "above 0 Hz"),
        ([1.0, 2.0], float("nan"), {}, "above 0 Hz"),
        ([1.0, float("nan"), 3.0], 100.0, {}, "1 of 3 samples of a waveform are no numbers"),
        ([1.0, float("inf")], 100.0, {}, "no numbers"),
        ([1, 2, 3], 100.0, {"expected": 4096}, "half a waveform: 3 of 4096 samples"),
        ([], 100.0, {}, "2 to"),
        ([[1, 2], [3, 4]], 100.0, {}, "one row of numbers"),
        (["1", "2"], 100.0, {}, "one row of numbers"),
        ([1, 2], 100.0, {"scale": 0.0}, "scale"),
        ([1, 2], 100.0, {"speed": -5.0}, "speed"),
        ([1e300, 2.0], 100.0, {}, "beyond"),
    ],
)
def test_what_is_no_waveform_is_refused_in_words(samples: list[object], rate: float, more: dict, words: str) -> None:
    """Half a burst, NaN, a rate of zero, text and tables each have their own sentence."""
    with pytest.raises(ValueError, match=words):
        Waveform.of(samples, rate, **more)


@given(st.integers(2, 500), st.integers(2, 64), st.randoms(use_true_random=False))
def test_pieces_in_any_order_are_the_whole(count: int, most: int, random: object) -> None:
    """A burst that was cut is the same burst when its pieces are joined; with one missing it is refused."""
    wave = Waveform.of(np.arange(count), 1000.0, 1480.0, scale=0.1)
    parts = list(wave.pieces(most))
    assert all(part.nbytes <= max(most, 2) for part in parts)
    assert [part.lag for part in parts] == [part.offset * 1000 for part in parts]
    random.shuffle(parts)
    whole = joined(parts)
    np.testing.assert_array_equal(whole.samples, wave.samples)
    assert (whole.rate, whole.speed, whole.scale, whole.total) == (1000.0, 1480.0, 0.1, count)
    if len(parts) > 1:
        with pytest.raises(ValueError, match="half a waveform"):
            joined(parts[1:])
