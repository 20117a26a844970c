"""`lineshaft rul`: a model is learned, kept in a safe file, and pointed at another one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lineshaft.cli import app
from lineshaft.commands.rul import read_model
from lineshaft.errors import DataError

pytest.importorskip("sklearn")


def run(*arguments: object) -> Any:
    result = CliRunner().invoke(app, ["rul", *map(str, arguments), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def turbofan(units: int, cut: int, seed: int) -> tuple[str, list[int]]:
    """Text of the C-MAPSS form, 26 columns without a header, and the cycles that are left of each unit."""
    random = np.random.default_rng(seed)
    lines, left = [], []
    for unit in range(1, units + 1):
        n = int(random.integers(130, 200))
        rest = int(random.integers(5, cut)) if cut else 0
        wear = (np.arange(n) / n) ** 3
        sensors = wear[:, None] * np.linspace(1, 3, 21) + random.normal(0, 0.1, (n, 21))
        lines += [" ".join(map(str, (unit, i + 1, 0.0, 0.0, 100.0, *np.round(sensors[i], 4)))) for i in range(n - rest)]
        left.append(rest)
    return "\n".join(lines) + "\n", left


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rul")
    (folder / "train.txt.gz").write_bytes(gzip.compress(turbofan(8, 0, 1)[0].encode()))
    assert run("train", folder / "train.txt.gz", "--out", folder / "m.npz", "--cap", 80)["machines"] == 8
    return folder / "m.npz"


def test_a_model_is_pointed_at_another_file(model: Path, tmp_path: Path) -> None:
    """Trained on text in gzip, asked about a CSV with names: predictions, scores in both conventions, a CSV of them."""
    text, left = turbofan(6, 60, 2)
    names = ["unit_id", "cycle", *(f"op_setting_{i}" for i in (1, 2, 3)), *(f"sensor_{i}" for i in range(1, 22))]
    (tmp_path / "test.csv").write_text(",".join(names) + "\n" + text.replace(" ", ","))
    (tmp_path / "rul.txt").write_text("\n".join(map(str, left)))
    options = ("--truth", tmp_path / "rul.txt", "--csv", tmp_path / "out.csv")
    found = run("predict", model, tmp_path / "test.csv", *options)
    assert len(found["predictions"]) == 6
    assert found["scores"]["cut at 80"]["rmse"] < 15
    assert found["scores"]["as it is"]["rmse"] >= found["scores"]["cut at 80"]["rmse"]
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 7


def test_a_file_that_is_no_model_or_no_table_is_named(model: Path, tmp_path: Path) -> None:
    """A pickle, a text, a table that lacks columns: each is refused with its name."""
    (tmp_path / "train.txt").write_text(turbofan(1, 0, 1)[0])
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for name in ("pickle.npy", "train.txt"):
        with pytest.raises(DataError, match=name):
            read_model(tmp_path / name)
    (tmp_path / "few.csv").write_text("unit_id,cycle,sensor_1\n1,1,0.5\n")
    with pytest.raises(DataError, match="sensor_2"):
        run("predict", model, tmp_path / "few.csv")
    (tmp_path / "words.csv").write_text("unit_id,cycle,sensor_1\n1,1,half\n")
    with pytest.raises(DataError, match="no table"):
        run("train", tmp_path / "words.csv", "--out", tmp_path / "x.npz")
