"""A recording that begins again at its end."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from lineshaft.drivers.replay import ReplayConnection

from . import recordings
from .recordings import points, rows

STEP = 250_000
SPEED = 100


def _table(path: Path) -> Path:
    lines = [f"2020-01-01T00:00:{n * 0.25:09.6f}Z,{n},{n % 2}" for n in range(20)]
    path.write_text("\n".join(["time,a,b", *lines]) + "\n")
    return path


async def test_rounds_follow_without_a_seam(tmp_path: Path) -> None:
    """Round after round has the recorded values, and times one step apart that never run back."""
    path = _table(tmp_path / "x.csv")
    driver = recordings.driver(path, speed=SPEED, times="shifted", repeat=True)
    batches = [batch for _, batch in await recordings.play(driver, points(["a"]), stop_after=50)]
    seen = [(time, value) for _, time, value, _, _ in rows(batches)]
    assert [value for _, value in seen[:50]] == [n % 20 for n in range(50)]
    assert {later - time for (time, _), (later, _) in pairwise(seen)} == {STEP // SPEED}


async def test_a_round_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A replay that was cut in its second round goes on there, with times of that round."""
    path = _table(tmp_path / "x.csv")
    options = {"speed": SPEED, "times": "shifted", "repeat": True}
    got = await recordings.play(recordings.driver(path, **options), points(["a"]), stop_after=45)
    first = rows([batch for _, batch in got])
    again = recordings.driver(path, **options)
    again.resume(got[-1][0])
    rest = rows([batch for _, batch in await recordings.play(again, points(["a"]), stop_after=3)])
    assert rest[0][2] == (first[-1][2] + 1) % 20
    assert rest[0][1] == first[-1][1] + STEP // SPEED


def test_repeat_needs_shifted_times() -> None:
    """Rounds with the times of the first one would overwrite each other."""
    with pytest.raises(ValidationError, match="repeat needs times: shifted"):
        ReplayConnection.model_validate({"path": "x.csv", "repeat": True})
