"""A waveform that cannot be trusted says so; severity zones are data."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.analytics.vibration.sensor import clipped_part, sensor_problems
from lineshaft.analytics.vibration.severity import zone_tables
from lineshaft.config.reference import severity_zones

RATE = 10_000.0
NOISE = np.random.default_rng(1).normal(0, 2.0, 10_000)


def with_gap(values: np.ndarray) -> np.ndarray:
    return np.concatenate((values[:4000], np.full(500, values[4000]), values[4500:]))


@pytest.mark.parametrize(
    ("wave", "kind"),
    [
        (np.clip(NOISE, -3, 3), "clipped"),
        (np.clip(NOISE, -9, 3.5), "clipped"),
        (np.full(1000, 9.81), "constant"),
        (np.where(np.arange(10_000) == 5, np.nan, NOISE), "non_finite"),
        (with_gap(NOISE), "dropout"),
        (NOISE + 50 * (np.arange(10_000) > 5000), "offset_jump"),
        (NOISE * 1e5, "implausible"),
        (NOISE * 1e-6, "implausible"),
        (np.array([]), "empty"),
        (NOISE[:5000], "short"),
    ],
)
def test_every_sensor_fault_is_named(wave: np.ndarray, kind: str) -> None:
    """Each way in which a waveform lies has its own kind and its words."""
    found = sensor_problems(wave, RATE, expected=10_000 if kind == "short" else None)
    assert [problem.kind for problem in found] == [kind]
    assert found[0].words


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("counts", [0, 16])
def test_a_working_sensor_is_trusted(scale: float, counts: int) -> None:
    """Noise and a sine, in floating point or in the counts of a converter of 16 bits, have no problem."""
    sine = np.sin(2 * np.pi * 29.7 * np.arange(10_000) / RATE)
    for wave in (NOISE * scale, sine * scale):
        step = 20 * scale / 2**counts
        assert sensor_problems(np.round(wave / step) * step if counts else wave, RATE) == ()
    assert clipped_part(NOISE) == 0.0


def test_zones_come_from_data_with_their_edition() -> None:
    """Group 2 on a rigid support: 2.8 mm/s is still B, more is C; the worse of velocity and displacement counts."""
    tables = severity_zones()
    rigid = next(table for table in tables if table.group.startswith("2") and table.support == "rigid")
    assert "ISO 20816-3" in rigid.edition
    assert [rigid.zone(v) for v in (1.4, 1.5, 2.8, 2.9, 4.6)] == ["A", "B", "B", "C", "D"]
    assert rigid.zone(1.0, 80.0) == "D"
    assert rigid.changed(2.0, 1.2)
    assert not rigid.changed(1.5, 1.2)
    assert rigid.alarm(1.0) == pytest.approx(1.7)
    assert rigid.alarm(3.5) == pytest.approx(3.5)


def test_a_table_out_of_order_is_refused() -> None:
    """Edited boundaries that do not ascend are named with their group."""
    row = {"group": "mine", "support": "rigid", "velocity_mm_s": [2, 1, 3]}
    with pytest.raises(ValueError, match="mine rigid"):
        zone_tables({"editions": [{"edition": "ours", "groups": [row]}]})
