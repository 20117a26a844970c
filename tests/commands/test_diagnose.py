"""`lineshaft diagnose` over files of every form."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat, wavfile
from tests.conftest import recordings
from typer.testing import CliRunner

from lineshaft.analytics.bearings.kinematics import Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, RaceFault, damaged_wave, healthy_wave, in_noise
from lineshaft.cli import app
from lineshaft.errors import ConfigError

RATE = 12_000
ORDERS = fault_orders(Geometry(9, 7.94, 39.04))
GEOMETRY = ("--geometry", "9,7.94,39.04")


def wave(fault: RaceFault | None, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    if fault is None:
        return healthy_wave(29.0, RATE, 2.0, random)
    return in_noise(damaged_wave(Damage(fault, 29.0, ORDERS, resonance=3000), RATE, 2.0, random), 0, random)


def run(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(app, ["diagnose", *map(str, arguments), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def cwru(path: Path, fault: RaceFault | None, number: int = 105) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = wave(fault)[:, None]
    savemat(path, {f"X{number}_DE_time": samples, f"X{number}_FE_time": 0.1 * samples, f"X{number}RPM": [[1740]]})


def test_a_folder_of_cwru_files_gives_a_confusion_table(tmp_path: Path) -> None:
    """Labels come from the folders, the speed from the files, the rate from 12k in a name; a flat record is a class."""
    cwru(tmp_path / "12k" / "inner" / "105.mat", "inner")
    cwru(tmp_path / "12k" / "outer" / "130.mat", "outer", 130)
    cwru(tmp_path / "12k" / "ball" / "118.mat", "ball", 118)
    cwru(tmp_path / "12k" / "normal" / "97.mat", None, 97)
    np.save(tmp_path / "12k" / "normal" / "flat.npy", np.ones(20_000))
    found = run(tmp_path, "--bearing", "6205", "--speed", "1740", "--csv", tmp_path / "out.csv")
    assert found["confusion"]["inner_race"]["inner_race"] == 1
    assert found["confusion"]["outer_race"]["outer_race"] == 1
    assert found["confusion"]["rolling_element"]["rolling_element"] == 1
    assert found["confusion"]["healthy"]["healthy"] == 1
    assert found["confusion"]["healthy"]["not diagnosable"] == 1
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(rows) == 5
    assert all(row["words"] for row in rows)
    shown = CliRunner().invoke(app, ["diagnose", str(tmp_path), "--bearing", "6205", "--speed", "1740"])
    assert "5 of 5" not in shown.stdout
    assert "4 of 5 right" in shown.stdout


def test_the_mfpt_records_are_named(tmp_path: Path) -> None:
    """The right race of both records with its evidence; clipped, the same record is called nothing."""
    folder = recordings("NONCOMMERCIAL_mfpt")
    found = run(folder, "--geometry", "8,0.235,1.245")
    assert {one["label"]: one["verdict"] for one in found["records"]} == {
        "inner_race": "inner_race",
        "outer_race": "outer_race",
    }
    assert all(one["findings"][0]["peaks"] for one in found["records"])


def test_every_form_of_file_is_read(tmp_path: Path) -> None:
    """CSV with a time column, npy, parquet and wav of one damaged bearing give one verdict; labels come from a CSV."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    samples = wave("outer")
    times = np.arange(len(samples)) / RATE
    np.savetxt(tmp_path / "one.csv", np.column_stack((times, samples)), delimiter=",", header="time,x", comments="")
    np.save(tmp_path / "two.npy", samples)
    pq.write_table(pa.table({"time": times, "x": samples}), tmp_path / "three.parquet")
    wavfile.write(tmp_path / "four.wav", RATE, np.int16(samples / np.max(np.abs(samples)) * 30_000))
    labels = tmp_path / "labels.txt"
    rows = "".join(f"{name},Outer,1740,12000\n" for name in ("one.csv", "two.npy", "three.parquet", "four.wav"))
    labels.write_text("file,label,speed,rate\n" + rows)
    found = run(tmp_path, *GEOMETRY, "--labels", labels)
    assert found["confusion"] == {"outer_race": {**dict.fromkeys(found["confusion"]["outer_race"], 0), "outer_race": 4}}


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """No rate, no speed, a file that is none: each is not diagnosable with its reason."""
    np.save(tmp_path / "a.npy", wave("outer"))
    (tmp_path / "b.mat").write_text("no matlab")
    found = run(tmp_path, *GEOMETRY, "--speed", "1740")
    assert [one["not_diagnosable"][0][1] for one in found["records"]] == ["rate", "file"]
    found = run(tmp_path / "a.npy", *GEOMETRY, "--rate", RATE)
    assert found["records"][0]["not_diagnosable"][0][1] == "speed"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "bearing is unknown"),
        (("--geometry", "9,8"), "numbers"),
        (("--bearing", "0815"), "no bearing"),
        (("--orders", "3,5,2,2"), "cage"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    """A bearing that is missing, unknown or impossible is refused with what to do."""
    np.save(tmp_path / "a.npy", wave(None))
    with pytest.raises(ConfigError, match=words):
        run(tmp_path, *options)
