"""CSV and Parquet recordings, long (time, signal, value) or wide (time and one column per signal)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from lineshaft.drivers.records import CHUNK, Chunks, Malformed, Records, iso_time
from lineshaft.errors import DataError


class TableForm(Protocol):
    """What has to be known to read a table. Long form when signal and value column are both there, else wide."""

    @property
    def time_column(self) -> str:
        """Column with the time."""
        ...

    @property
    def signal_column(self) -> str:
        """Column with the item's name, in long form."""
        ...

    @property
    def value_column(self) -> str:
        """Column with the value, in long form."""
        ...

    @property
    def time_unit(self) -> str:
        """Unit of times that are plain numbers since 1970: s, ms, us or ns."""
        ...


class _Reader(Protocol):
    """What csv.reader gives."""

    line_num: int

    def __next__(self) -> list[str]: ...

    def __iter__(self) -> Iterator[list[str]]: ...


_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
BURSTS = 16
"""Rows of a Parquet file that are read at a time when it has lists of numbers."""
_FARTHEST_US = 253_402_300_799_000_000  # the year 9999
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_csv(
    lines: Iterable[str], options: TableForm, malformed: Malformed, delimiter: str = ",", decimal: str = "."
) -> Chunks:
    """Parse a CSV with a header line. Raises DataError when the header lacks the time column."""
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        yield from _csv_records(rows, options, malformed, decimal)
    except csv.Error as error:
        raise DataError(f"line {rows.line_num}: {error}") from error


def _csv_records(rows: _Reader, options: TableForm, malformed: Malformed, decimal: str) -> Chunks:
    header = [name.strip() for name in next(rows, [])]
    time_at, long = _form(header, options)
    signal_at, value_at = (header.index(options.signal_column), header.index(options.value_column)) if long else (0, 0)
    records = Records()
    for row in rows:
        if not row:
            continue
        try:
            if len(row) != len(header):
                raise ValueError("a cell is missing or too many")
            time = cell_time(row[time_at], options.time_unit)
        except ValueError:
            malformed.add(rows.line_num, ",".join(row))
            continue
        if long:
            records.add(row[signal_at], time, number_point(row[value_at], decimal))
        else:
            for index, cell in enumerate(row):
                if index != time_at and cell:
                    records.add(header[index], time, number_point(cell, decimal))
        if records.full:
            yield records
            records = Records()
    yield records


def read_parquet(path: Path, options: TableForm, malformed: Malformed) -> Chunks:
    """Read a Parquet file row group by row group. Raises DataError when it is damaged or lacks the time column."""
    parquet: Any = import_module("pyarrow.parquet")
    arrow: Any = import_module("pyarrow")
    row_number = 0
    try:
        with parquet.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            time_at, long = _form(header, options)
            others = (
                [options.signal_column, options.value_column] if long else [h for h in header if h != header[time_at]]
            )
            lists = any(
                arrow.types.is_list(field.type) or arrow.types.is_large_list(field.type) for field in file.schema_arrow
            )
            for batch in file.iter_batches(BURSTS if lists else CHUNK):
                columns = {name: batch.column(name) for name in [options.time_column, *others]}
                times = parquet_times(columns.pop(options.time_column), options.time_unit)
                cells = [_raw_column(columns[name]) for name in others]
                records = Records()
                for time, *row in zip(times, *cells, strict=True):
                    row_number += 1
                    if time is None or (long and row[0] is None):
                        malformed.add(row_number, str(row))
                    elif long:
                        records.add(str(row[0]), time, row[1])
                    else:
                        for name, raw in zip(others, row, strict=True):
                            if raw is not None:
                                records.add(name, time, raw)
                yield records
    except arrow.ArrowException as error:
        raise DataError(f"{path} is no readable Parquet file: {error}") from error


def number_point(cell: str, decimal: str) -> str:
    """A number with a decimal comma, as one with a point; other cells stay."""
    return cell.replace(decimal, ".") if decimal != "." and _COMMA_NUMBER.fullmatch(cell) else cell


def _form(header: list[str], options: TableForm) -> tuple[int, bool]:
    """Place of the time column, and whether the table is long."""
    if options.time_column not in header:
        raise DataError(f"no column '{options.time_column}'", hint=f"time_column is one of: {', '.join(header)}")
    return header.index(options.time_column), {options.signal_column, options.value_column} <= set(header)


def cell_time(text: str, unit: str) -> int:
    """A cell -> UTC microseconds. Raises ValueError."""
    moment = _plain_time(text, unit)
    if abs(moment) > _FARTHEST_US:
        raise ValueError("no time of this millennium or the one before")
    return moment


def _plain_time(text: str, unit: str) -> int:
    try:
        return int(text) * 10**6 // _PER_SECOND[unit]
    except ValueError:
        pass
    try:
        return round(float(text) * 10**6 / _PER_SECOND[unit])
    except (ValueError, OverflowError):
        return iso_time(text)


def parquet_times(column: Any, unit: str) -> list[int | None]:
    """A time column of any type -> UTC microseconds, None where it cannot be read."""
    arrow: Any = import_module("pyarrow")
    if arrow.types.is_timestamp(column.type):
        micros: list[int | None] = (
            column.cast(arrow.timestamp("us", column.type.tz), safe=False).cast("int64").to_pylist()
        )
        return micros
    times: list[int | None] = []
    for cell in column.to_pylist():
        try:
            times.append(None if cell is None else cell_time(str(cell), unit))
        except ValueError:
            times.append(None)
    return times


def _raw_column(column: Any) -> list[str | None]:
    """Cells as a recording would write them; None where there is none."""
    return [_raw(cell) for cell in column.to_pylist()]


def _raw(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, list):
        return " ".join("nan" if one is None else repr(one) for one in cell)
    return cell.isoformat() if isinstance(cell, datetime) else str(cell)
