"""`lineshaft rul`: learns remaining life from histories that ended, and predicts it for machines that still run."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from lineshaft.analytics.remaining_life.estimate import RemainingLife
from lineshaft.analytics.remaining_life.learned import History, LearnedModel, fit_learned, learned_model, model_arrays
from lineshaft.analytics.remaining_life.scores import coverage, root_mean_square, turbofan_score
from lineshaft.commands import output
from lineshaft.errors import ConfigError, DataError
from lineshaft.model.samples import Float64Array

_TURBOFAN: Final = ("unit_id", "cycle", *(f"op_setting_{k}" for k in (1, 2, 3)), *(f"sensor_{k}" for k in range(1, 22)))


def train(data: Path, out: Path, *, cap: float, as_json: bool) -> int:
    """Learn from a file of histories that ended, write the model, and say how wrong it was on machines left out."""
    names, rows = read_table(data)
    signals, operating = columns_of(names, rows)
    histories = histories_of(names, rows, signals, operating)
    try:
        model = fit_learned(histories, signals, operating, cap=cap)
    except ImportError as error:
        raise ConfigError("scikit-learn is not installed", hint="pip install 'lineshaft[hub]'") from error
    except ValueError as error:
        raise DataError(f"{data}: {error}") from error
    model.record["file"] = data.name
    write_model(out, model)
    if as_json:
        output.print_json({"model": str(out), **model.record, "signals": signals, "operating": operating})
    else:
        said = model.record
        output.out().print(
            f"{out}: {said['machines']} machines, {said['cycles']} cycles, {len(signals)} signals, "
            f"{len(model.regimes.centres)} operating regimes\n"
            f"root mean square error on machines left out: {said['error']:.2f} cycles (capped at {cap:g})",
            markup=False,
        )
    return output.ExitCode.OK


def predict(model_path: Path, data: Path, truth: Path | None, *, as_json: bool, csv_file: Path | None) -> int:
    """Predict each machine of a file after its last cycle; with the truth, print the scores in both conventions."""
    model = read_model(model_path)
    names, rows = read_table(data)
    missing = [name for name in (*model.signals, *model.operating) if name not in names]
    if missing:
        raise DataError(f"{data} lacks the columns {', '.join(missing)} that the model needs")
    histories = histories_of(names, rows, model.signals, model.operating)
    found = [(history, model.remaining(history)) for history in histories]
    scores = None if truth is None else score(found, read_truth(truth, len(found)), model.cap)
    if csv_file is not None:
        _write(csv_file, found)
    if as_json:
        lines = [{"unit": h.name, "p10": r.p10, "p50": r.p50, "p90": r.p90, "words": r.words} for h, r in found]
        output.print_json({"predictions": lines, "scores": scores})
        return output.ExitCode.OK
    shown = [(h.name, len(h.signals), f"{r.p10:.0f}", f"{r.p50:.0f}", f"{r.p90:.0f}", r.words) for h, r in found]
    output.table(("unit", "cycles", "P10", "P50", "P90", ""), shown)
    if scores is not None:
        output.table(("truth", "RMSE", "score", "P10-P90 covers"), [(k, *v.values()) for k, v in scores.items()])
    return output.ExitCode.OK


def score(found: list[tuple[History, RemainingLife]], true: Float64Array, cap: float) -> dict[str, dict[str, float]]:
    """RMSE, score and coverage against the truth cut at the cap, and as it is."""
    point = np.array([life.p50 for _, life in found])
    low, high = np.array([life.p10 for _, life in found]), np.array([life.p90 for _, life in found])
    return {
        name: {
            "rmse": round(root_mean_square(values, point), 3),
            "score": round(turbofan_score(values, point), 1),
            "coverage": round(coverage(values, low, high), 3),
        }
        for name, values in ((f"cut at {cap:g}", np.minimum(true, cap)), ("as it is", true))
    }


def read_table(path: Path) -> tuple[list[str], Float64Array]:
    """(names of the columns, float64[n, c]) of a CSV with a header, or of a text file of the C-MAPSS form; .gz too."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    first = text.lstrip().partition("\n")[0]
    try:
        if re.search(r"[a-zA-Z]", first.replace("e", "").replace("E", "")):
            reader = csv.reader(io.StringIO(text))
            names = [name.strip() for name in next(reader)]
            rows = np.array([[float(cell) if cell else np.nan for cell in row] for row in reader if row], np.float64)
        else:
            rows = np.loadtxt(io.StringIO(text), ndmin=2, delimiter="," if "," in first else None)
            names = list(_TURBOFAN)
    except ValueError as error:
        raise DataError(f"{path} is no table of numbers: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise DataError(f"{path} has {rows.shape[-1]} columns; {len(names)} were expected: {', '.join(names)}")
    return names, rows


def histories_of(
    names: list[str], rows: Float64Array, signals: tuple[str, ...], operating: tuple[str, ...]
) -> list[History]:
    """One history per unit, its rows in the order of their cycles."""
    unit, cycle = _key(names, ("unit_id", "unit", "id", "asset")), _key(names, ("cycle", "time", "t"))
    use, under = [names.index(name) for name in signals], [names.index(name) for name in operating]
    found = []
    for number in np.unique(rows[:, unit]):
        own = rows[rows[:, unit] == number]
        own = own[np.argsort(own[:, cycle], kind="stable")]
        found.append(History(f"{number:g}", own[:, use], own[:, under]))
    return found


def write_model(path: Path, model: LearnedModel) -> None:
    """Arrays and a JSON document in one npz; nothing in it can run."""
    document, found = model_arrays(model)
    arrays: dict[str, Any] = {**found, "document": np.array(json.dumps(document))}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_model(path: Path) -> LearnedModel:
    """The model of a file. Raises DataError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
        return learned_model(json.loads(str(arrays.pop("document"))), arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no model of remaining life: {error}") from error


def columns_of(names: list[str], rows: Float64Array) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(signals that move, operating settings that move) by the names of a table's columns."""
    keys = {names[_key(names, ("unit_id", "unit", "id", "asset"))], names[_key(names, ("cycle", "time", "t"))]}
    operating = tuple(name for name in names if name.startswith(("op_", "setting", "operating")))
    spread, mean = np.nanstd(rows, axis=0), np.abs(np.nanmean(rows, axis=0))
    moving = {name for i, name in enumerate(names) if spread[i] > 1e-9 * max(1.0, mean[i])}
    signals = tuple(name for name in names if name not in keys and name not in operating and name in moving)
    return signals, tuple(name for name in operating if name in moving)


def _key(names: list[str], allowed: tuple[str, ...]) -> int:
    for name in allowed:
        if name in names:
            return names.index(name)
    raise DataError(f"there is no column {' or '.join(allowed)}", hint=f"it has {', '.join(names)}")


def read_truth(path: Path, count: int) -> Float64Array:
    """float64[count]: the true remaining cycles of a text file, one per machine. Raises DataError."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    values = np.array([float(word) for word in re.findall(r"[-+.\deE]+", text)])
    if len(values) != count:
        raise DataError(f"{path} has {len(values)} values for {count} machines")
    return values


def _write(path: Path, found: list[tuple[History, RemainingLife]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("unit", "cycles", "p10", "p50", "p90"))
        writer.writerows((h.name, len(h.signals), r.p10, r.p50, r.p90) for h, r in found)
