"""The past: at a plant's resolution, and without a seam to the present."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.simulator.helpers import DAY, HOUR, MONDAY, demo

from lineshaft.config.models import Plant, SimulatorConfig
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import Quality
from lineshaft.simulator.bursts import SAMPLES
from lineshaft.simulator.channels import channels_of, waves_of
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.history import EVENTS, SCHEMA, WAVES, Rules, generate_history

END = MONDAY + 3 * DAY + 9 * HOUR + 3_000_000  # in the early shift, between two steps
SITE = "brennweg/weiler"


class Past:
    """Three days of history, and the factory right after them."""

    def __init__(self, plant: Plant) -> None:
        self.factory = Factory(plant, MONDAY)
        self.progress: list[float] = []
        batches = list(generate_history(self.factory, END, progress=self.progress.append))
        self.table = pa.Table.from_batches([batch for batch in batches if batch.schema == SCHEMA])
        self.bursts = pa.Table.from_batches([batch for batch in batches if batch.schema == WAVES])
        self._paths = pc.cast(self.table["path"], pa.string())

    def rows(self, path: str) -> pa.Table:
        """The rows of one signal, by time."""
        return self.table.filter(pc.equal(self._paths, f"{SITE}/{path}"))

    def column(self, path: str, name: str) -> np.ndarray:
        return np.asarray(self.rows(path)[name].to_numpy())


@pytest.fixture(scope="module")
def past() -> Past:
    return Past(demo())


def test_every_signal_has_a_past(past: Past, plant: Plant) -> None:
    """No signal of the plant is left out, paths are full ones, and nothing lies outside of the asked time."""
    seen = set(pc.unique(past.table["path"]).to_pylist())
    assert seen == {channel.full_path for channel in channels_of(plant)}
    assert past.table.schema == SCHEMA
    assert pc.min(past.table["time"]).as_py() >= MONDAY
    assert pc.max(past.table["time"]).as_py() <= END
    assert pc.unique(past.table["quality"]).to_pylist() == [Quality.GOOD]


def test_every_waveform_has_sparse_bursts(past: Past, plant: Plant) -> None:
    """Three bursts a day of every monitored bearing, with its speed, and no two alike."""
    assert set(past.bursts["path"].to_pylist()) == {channel.full_path for channel in waves_of(plant)}
    for channel in waves_of(plant):
        own = past.bursts.filter(pc.equal(past.bursts["path"], channel.full_path))
        assert set(np.diff(own["time"].to_numpy()).tolist()) == {8 * HOUR}
        assert {len(samples) for samples in own["samples"].to_pylist()} == {SAMPLES}
        assert len({tuple(samples) for samples in own["samples"].to_pylist()}) == len(own) == 10


def test_rows_ascend(past: Past, plant: Plant) -> None:
    """Each signal's rows are in time order and no instant occurs twice."""
    for channel in channels_of(plant):
        assert np.all(np.diff(past.column(channel.path, "time")) > 0), channel.path


def test_measures_are_kept_by_the_minute_and_finer_at_the_end(past: Past) -> None:
    """A measure has a row a minute, and one every ten seconds in the last day."""
    times = past.column("utilities/metering/main-meter/voltage-l1", "time")
    old, new = times[times < END - DAY - 60_000_000], times[times > END - DAY + 60_000_000]
    assert set(np.diff(old) // 1_000_000) <= set(range(60, 601, 60))
    assert np.median(np.diff(old)) == 60_000_000
    assert np.median(np.diff(new)) == 10_000_000


def test_states_are_kept_exactly(past: Past) -> None:
    """State rows are changes at their own instants, never a repetition."""
    path = "machining/line-1/cnc-101/state"
    times, values = past.column(path, "time"), past.column(path, "value")
    assert len(values) > 300
    assert np.all(np.diff(values) != 0)
    assert np.any(times % 10_000_000 != 0)


def test_text_is_text(past: Past) -> None:
    """Serial numbers are in the text column with their zeros; numbers have no text."""
    serials = past.rows("machining/line-1/cnc-101/serial")
    texts = serials["text"].to_pylist()
    assert all(text == "" or text.startswith("000") for text in texts)
    assert pc.all(pc.is_nan(serials["value"])).as_py()
    assert past.rows("machining/line-1/cnc-101/power")["text"].null_count > 0
    assert past.rows("utilities/heating/boiler-1/model")["text"].to_pylist() == ["Kessel K200"]


def test_progress_ends_at_one(past: Past) -> None:
    """The progress callback tells a growing share that ends at one."""
    assert past.progress == sorted(past.progress)
    assert past.progress[-1] == 1.0


def test_no_seam(past: Past, plant: Plant) -> None:
    """The first live second goes on where the past ended: counters, temperatures, levels, serials, states."""
    live = past.factory.advance_to(END + 1_000_000)
    for channel in channels_of(plant):
        value = live[channel.path][-1]
        if channel.signal.name in ("serial", "product", "program", "model"):
            assert value == past.rows(channel.path)["text"].to_pylist()[-1], channel.path
        elif channel.kind is SignalKind.COUNTER:
            last = past.column(channel.path, "value")[-1]
            assert last <= value <= last + 12, channel.path
        elif "temperature" in channel.signal.name or channel.signal.name in ("level", "tool-life"):
            assert value == pytest.approx(past.column(channel.path, "value")[-1], abs=2.0), channel.path


def test_rules_change_the_resolution(plant: Plant) -> None:
    """Coarser rules keep less."""
    rows = [
        sum(batch.num_rows for batch in generate_history(Factory(plant, MONDAY), MONDAY + 8 * HOUR, rules))
        for rules in (Rules(), Rules(measure_s=300, recent_s=60))
    ]
    assert rows[1] < rows[0] / 3


def test_what_people_did_is_part_of_the_past(plant: Plant) -> None:
    """A bearing that wears is spoken about and changed; a past that is too short for it has none of that."""
    factory = Factory(plant, MONDAY)
    assert [one.action for one in factory.deeds] == ["acknowledge", "assign", "comment", "work", "comment"]
    assert [one.time for one in factory.deeds] == sorted(one.time for one in factory.deeds)
    factory.advance_to(factory.deeds[0].time - HOUR)
    told = [b for b in generate_history(factory, factory.deeds[2].time) if b.schema == EVENTS]
    rows = [row for batch in told for row in batch.to_pylist()]
    assert [row["kind"].rpartition(".")[2] for row in rows] == ["acknowledge", "assign", "comment"]
    assert rows[1]["subject"] == "brennweg/weiler/utilities/cooling-water/pump-1"
    short = plant.model_copy(update={"simulator": SimulatorConfig(history=3 * 86400.0)})
    assert Factory(short, MONDAY).deeds == ()
