"""Reads records of vibration from files: .mat of the CWRU and MFPT form, .csv, .npy, .parquet, .wav."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from lineshaft.errors import ConfigError, DataError
from lineshaft.model.samples import Float64Array

_TIME: Final = frozenset({"time", "t", "timestamp", "seconds", "time_s"})
_CWRU_CHANNEL: Final = re.compile(r"^X\d+_(DE|FE|BA)_time$")


@dataclass(frozen=True, slots=True)
class Record:
    """One record and what its file says about it; None where it says nothing.

    rate and speed in Hz
    """

    path: Path
    samples: Float64Array
    rate: float | None = None
    speed: float | None = None
    unit: str | None = None


def find_records(paths: list[Path]) -> list[Path]:
    """Every readable file in the given files and folders, in order. Raises ConfigError when there is none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"{path} does not exist", hint="give a record or a folder of records")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found.extend(one for one in inside if one.is_file() and one.suffix.lower() in READERS)
    if not found:
        raise ConfigError("there is no record here", hint=f"known are {', '.join(READERS)}")
    return found


def read_record(path: Path, channel: str) -> Record:
    """The record in a file. channel: its column, variable or number; the first when empty. Raises DataError."""
    reader = READERS[path.suffix.lower()]
    try:
        return reader(path, channel)
    except (OSError, ValueError, KeyError, IndexError, TypeError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _mat(path: Path, channel: str) -> Record:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path)
    except MatReadError as error:
        raise ValueError(str(error)) from error
    if "bearing" in content and content["bearing"].dtype.names:
        return _mfpt(path, content["bearing"][0, 0])
    channels = {found[1]: name for name in content if (found := _CWRU_CHANNEL.match(name))}
    if channels:
        wanted = channel.upper() or next(iter(sorted(channels, key=("DE", "FE", "BA").index)))
        if wanted not in channels:
            raise ValueError(f"no channel {wanted}; it has {', '.join(sorted(channels))}")
        name = channels[wanted]
        turns = content.get(name.partition("_")[0] + "RPM")
        turns = next((content[key] for key in content if key.endswith("RPM")), None) if turns is None else turns
        speed = None if turns is None else float(np.ravel(turns)[0]) / 60
        return Record(path, np.ravel(content[name]).astype(np.float64), speed=speed, unit="g")
    numbers = {name: value for name, value in content.items() if not name.startswith("__") and np.size(value) > 64}
    return Record(path, _pick({name: np.ravel(value) for name, value in numbers.items()}, channel))


def _mfpt(path: Path, bearing: Any) -> Record:
    def scalar(name: str) -> float | None:
        return float(np.ravel(bearing[name])[0]) if name in bearing.dtype.names else None

    return Record(path, np.ravel(bearing["gs"]).astype(np.float64), scalar("sr"), scalar("rate"), "g")


def _csv(path: Path, channel: str) -> Record:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise ValueError("the file is empty")
    named = not all(_is_number(cell) for cell in rows[0])
    header = [cell.strip() for cell in rows[0]] if named else [str(i) for i in range(len(rows[0]))]
    body = np.array([[_number(cell) for cell in row] for row in rows[1 if named else 0 :] if row], np.float64)
    columns = {name: body[:, i] for i, name in enumerate(header)}
    return _of_columns(path, columns, channel)


def _parquet(path: Path, channel: str) -> Record:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = {name: np.asarray(table[name].to_numpy(), np.float64) for name in table.column_names}
    return _of_columns(path, columns, channel)


def _of_columns(path: Path, columns: Mapping[str, Float64Array], channel: str) -> Record:
    times = next((name for name in columns if name.lower() in _TIME), None)
    rate = None
    if times is not None and len(columns[times]) > 1:
        step = float(np.median(np.diff(columns[times])))
        rate = 1 / step if step > 0 else None
    values = {name: column for name, column in columns.items() if name != times}
    return Record(path, _pick(values, channel), rate)


def _npy(path: Path, channel: str) -> Record:
    array = np.load(path, allow_pickle=False)
    if array.ndim == 1:
        return Record(path, array.astype(np.float64))
    tall = array if array.shape[0] >= array.shape[1] else array.T
    return Record(path, _pick({str(i): tall[:, i] for i in range(tall.shape[1])}, channel))


def _wav(path: Path, channel: str) -> Record:
    from scipy.io import wavfile

    rate, array = wavfile.read(path)
    scale = float(np.iinfo(array.dtype).max) if np.issubdtype(array.dtype, np.integer) else 1.0
    columns = array.reshape(len(array), -1) / scale
    return Record(path, _pick({str(i): columns[:, i] for i in range(columns.shape[1])}, channel), float(rate))


def _pick(columns: Mapping[str, Any], channel: str) -> Float64Array:
    if not columns:
        raise ValueError("there is no column of numbers")
    name = channel or next(iter(columns))
    if name not in columns:
        raise ValueError(f"no channel {name}; it has {', '.join(columns)}")
    return np.asarray(columns[name], np.float64)


def _number(cell: str) -> float:
    return float(cell) if cell.strip() else float("nan")


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


READERS: Final[dict[str, Callable[[Path, str], Record]]] = {
    ".mat": _mat,
    ".csv": _csv,
    ".npy": _npy,
    ".parquet": _parquet,
    ".wav": _wav,
}
