"""`lineshaft anomaly` on CSV files with and without labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import recordings
from typer.testing import CliRunner

from lineshaft.cli import app
from lineshaft.errors import ConfigError, DataError


def run(*arguments: object) -> Any:
    result = CliRunner().invoke(app, ["anomaly", *map(str, arguments), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def write(path: Path, n: int, fault: int | None = None, *, label: bool = True) -> Path:
    random = np.random.default_rng(n)
    flow = np.cumsum(random.normal(0, 0.05, n)) * 0.2 + random.normal(0, 1, n)
    pressure = 2 * flow + random.normal(0, 0.1, n)
    if fault is not None:
        pressure[fault:] += 2
    lines = ["timestamp,flow,pressure" + (",label" if label else "")]
    for i in range(n):
        state = f",{int(fault is not None and i >= fault)}" if label else ""
        lines.append(f"2026-01-{1 + i // 1440:02d} {i // 60 % 24:02d}:{i % 60:02d}:00,{flow[i]},{pressure[i]}{state}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_labelled_file_is_scored(tmp_path: Path) -> None:
    """The fault's window is hit by both detectors soon after it opens; the score of each row is written."""
    found = run(write(tmp_path / "a.csv", 900, 700), "--train", 400, "--csv", tmp_path / "scores.csv")
    assert [one["method"] for one in found["detectors"]] == ["baseline", "forecast"]
    for one in found["detectors"]:
        assert one["verdict"]["hit"] == one["verdict"]["windows"] == 1
        assert one["verdict"]["delay"] <= 1200
        assert one["alarms"][-1]["signals"]
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 901


def test_normal_can_come_from_another_file(tmp_path: Path) -> None:
    """With a file of normal rows every row is judged; windows come from a JSON by file name."""
    normal, data = write(tmp_path / "n.csv", 600, label=False), write(tmp_path / "d.csv", 300, 150, label=False)
    (tmp_path / "w.json").write_text(json.dumps({"x/d.csv": [["2026-01-01 02:30:00", "2026-01-01 05:00:00"]]}))
    found = run(data, "--train-file", normal, "--labels", tmp_path / "w.json")
    assert found["detectors"][0]["verdict"]["hit"] == 1
    assert found["detectors"][0]["learned_rows"] == 0


def test_the_failures_of_the_ambient_temperature_are_hit() -> None:
    """NAB: both labelled windows, learned from the first 15 % alone, with less than one false alarm a month."""
    folder = recordings("nab")
    found = run(folder / "ambient_temperature_system_failure.csv", "--labels", folder / "windows.json")
    verdict = found["detectors"][0]["verdict"]
    assert verdict["hit"] == verdict["windows"] == 2
    assert verdict["per_month"] < 1


def test_bad_input_is_named(tmp_path: Path) -> None:
    """A word among numbers with its line, a column that is not there, nothing left to judge."""
    path = write(tmp_path / "a.csv", 100)
    with pytest.raises(ConfigError, match="leaves 0"):
        run(path, "--train", 100)
    with pytest.raises(ConfigError, match="speed"):
        run(path, "--operating", "speed")
    path.write_text(path.read_text().replace("timestamp", "when"))
    with pytest.raises(DataError, match=r"a\.csv:2"):
        run(path)
    (tmp_path / "empty.csv").write_text("time,a\n")
    with pytest.raises(DataError, match="no rows"):
        run(tmp_path / "empty.csv")
