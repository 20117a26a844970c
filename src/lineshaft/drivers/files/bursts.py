"""A burst out of a file: one column of a CSV or Parquet file whose rows are the samples."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.files.folder import Folder, Found, lines
from lineshaft.drivers.tables import cell_time, number_point, parquet_times
from lineshaft.errors import DataError
from lineshaft.model.samples import SampleBatch

_LEAST_SPAN_US = 1


def bursts_of(folder: Folder, found: Found, points: Sequence[WavePoint]) -> SampleBatch:
    """One row for each waveform that has a column in the file. Blocks; raises DataError.

    Where the file has a time column, its first time is that of the burst, and its spacing the rate where the plant
    says none. Without one the burst ended when the file was written.
    """
    wanted = [point.address.item for point in points]
    columns, times = (_parquet if folder.kind(found.name) == "parquet" else _csv)(folder, found.name, wanted)
    there = [point for point in points if point.address.item in columns]
    if not there:
        raise DataError(f"no column {' or '.join(wanted)}", hint="the address of a waveform in files is its column")
    begin, rate = _clock(times)
    rows = [point.row(columns[point.address.item], begin, found.modified_ns // 1000, rate) for point in there]
    return SampleBatch.concat(rows)


def _clock(times: Sequence[int | None]) -> tuple[int | None, float | None]:
    """(time of the first sample, samples per second) of a time column; None where it does not say it."""
    known = [time for time in times if time is not None]
    if not known:
        return None, None
    span = known[-1] - known[0]
    return known[0], (len(known) - 1) * 1e6 / span if span >= _LEAST_SPAN_US and len(known) == len(times) else None


def _csv(folder: Folder, name: str, wanted: Sequence[str]) -> tuple[dict[str, NDArray[Any]], list[int | None]]:
    options = folder.options
    try:
        with lines(folder.path / name, options.encoding) as text:
            rows = csv.reader(text, delimiter=options.delimiter)
            header = [cell.strip() for cell in next(rows, [])]
            body = [row for row in rows if row]
    except (OSError, EOFError, csv.Error, UnicodeError) as error:
        raise DataError(f"{name} cannot be read: {error}") from error
    if any(len(row) != len(header) for row in body):
        raise DataError(f"half a waveform: a line of {name} ends early")
    columns = {
        item: _numbers([row[header.index(item)] for row in body], options.decimal) for item in wanted if item in header
    }
    at = header.index(options.time_column) if options.time_column in header else None
    return columns, [] if at is None else [_moment(row[at], options.time_unit) for row in body]


def _numbers(cells: Sequence[str], decimal: str) -> NDArray[Any]:
    """int64 where all cells are whole numbers, else float64. Raises DataError."""
    try:
        return np.array([int(cell) for cell in cells])
    except ValueError:
        pass
    try:
        return np.array([float(number_point(cell.strip(), decimal)) for cell in cells])
    except ValueError as error:
        raise DataError(f"a sample is no number: {error}") from error


def _moment(cell: str, unit: str) -> int | None:
    try:
        return cell_time(cell, unit)
    except ValueError:
        return None


def _parquet(folder: Folder, name: str, wanted: Sequence[str]) -> tuple[dict[str, NDArray[Any]], list[int | None]]:
    parquet: Any = import_module("pyarrow.parquet")
    arrow: Any = import_module("pyarrow")
    options = folder.options
    try:
        with parquet.ParquetFile(folder.path / name) as file:
            names = file.schema_arrow.names
            table = file.read([one for one in (*dict.fromkeys(wanted), options.time_column) if one in names])
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{name} is no readable Parquet file: {error}") from error
    columns = {item: table.column(item).to_numpy() for item in wanted if item in names}
    if options.time_column not in names:
        return columns, []
    return columns, parquet_times(table.column(options.time_column).combine_chunks(), options.time_unit)
