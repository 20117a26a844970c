"""The health operator: learns, warns, names the signal, and comes back after a repair."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset, Output
from lineshaft.operators.builtin import OPERATORS
from lineshaft.testing import OperatorContract, OperatorSetup, run_whole

PATH = "acme/north/hall/line-1/pump-1"
START = 1_750_000_000_000_000
MINUTE = 60_000_000
OPTIONS = {
    "features": ["vibration", "motor/temperature"],
    "operating": ["speed"],
    "window": "10min",
    "persistence": 3,
    "learn": "20h",
    "failure_index": 60,
}


def asset() -> Asset:
    signals = (
        Signal(PATH, "vibration", unit="mm/s"),
        Signal(f"{PATH}/motor", "temperature", unit="degC"),
        Signal(PATH, "speed", unit="1/min"),
    )
    return Asset(Equipment(PATH, "Pump 1", Level.ASSET, "pump"), signals)


def recording(hours: int = 60, wear_from: int | None = 30, repair: int | None = 50) -> SampleBatch:
    """A row of each signal every five minutes; two speeds; the vibration grows from one hour on, to a repair."""
    n = hours * 12
    random = np.random.default_rng(1)
    hour = np.arange(n) / 12
    speed = np.where(hour % 4 < 2, 1500.0, 3000.0)
    worn = np.zeros(n) if wear_from is None else np.clip(hour - wear_from, 0, None) * 0.15
    if repair is not None:
        worn[hour >= repair] = 0
    vibration = speed / 1500 * (1 + worn) * np.exp(random.normal(0, 0.05, n))
    temperature = 40 + speed / 300 + random.normal(0, 0.5, n)
    rows = np.stack([vibration, temperature, speed], axis=1)
    return SampleBatch.of(np.tile([0, 1, 2], n), START + np.repeat(np.arange(n), 3) * 5 * MINUTE, rows.ravel())


def setup_of(rows: SampleBatch) -> OperatorSetup:
    return OperatorSetup(OPERATORS["machine-health"], OPTIONS, asset(), rows)


def found(rows: SampleBatch) -> Output:
    return run_whole(setup_of(rows).operator(), [rows])


class TestHealth(OperatorContract):
    @pytest.fixture
    def setup(self) -> OperatorSetup:
        return setup_of(recording(40))


def test_wear_rises_through_the_stages_and_a_repair_ends_it() -> None:
    """Learned, watch, alarm, danger with the vibration as the cause and the day it left normal; then back to normal."""
    events = found(recording()).events
    kinds = [event.kind.removeprefix("maintenance.health.") for event in events]
    assert kinds[0] == "learned"
    assert kinds[1] in ("watch", "alarm")
    assert "danger" in kinds
    assert kinds[-1] == "normal"
    first = events[1]
    hours = (first.time - START) / MINUTE / 60
    assert 30 < hours < 35
    assert "vibration" in first.message
    assert "2025-06-1" in str(first.details["left_normal"])
    danger = next(event for event in events if event.kind.endswith("danger"))
    assert "P10 to P90" in danger.message or "too early" in danger.message


def test_a_change_of_speed_is_no_wear() -> None:
    """Sixty healthy hours under two speeds: nothing but that it has learned."""
    output = found(recording(wear_from=None))
    assert [event.kind for event in output.events] == ["maintenance.health.learned"]
    assert len(output.samples) > 100
    assert float(output.samples.values.max()) < 2.5


def test_an_asset_without_the_signals_has_no_health() -> None:
    """The operator is made only where all its signals are."""
    spec = OPERATORS["machine-health"]
    bare = Asset(asset().equipment, asset().signals[:1])
    assert spec.create(spec.options.model_validate(OPTIONS), bare) is None


def test_it_foretells_every_day_and_says_what_is_left() -> None:
    """The record has claims with a date to come true, calm days besides, and lives or 'too early'."""
    spoken = found(recording()).predictions
    faults = [one for one in spoken if one.kind == "failure"]
    lives = [one for one in spoken if one.kind == "remaining_life"]
    assert {one.alarm for one in faults} == {True, False}
    assert all((one.due is not None) == one.alarm for one in faults)
    days = {one.time // (24 * 60 * MINUTE) for one in faults}
    assert days == set(range(min(days), max(days) + 1))
    assert any("too early" in one.words for one in lives)
    assert {one.version for one in spoken} == {spoken[0].version}
    assert {one.model for one in spoken} == {"machine-health"}
