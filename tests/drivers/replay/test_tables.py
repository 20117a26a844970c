"""CSV and Parquet recordings."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.errors import ConnectionFailed
from lineshaft.model.samples import Quality

from . import recordings
from .recordings import points, rows

MICROS = 1_462_453_200_000_123
EXPECTED = [
    (0, MICROS, 1.5, Quality.GOOD, None),
    (1, MICROS, 0.0, Quality.GOOD, "ACTIVE"),
    (0, MICROS + 1_000_000, 0.0, Quality.BAD_NO_VALUE, None),
    (1, MICROS + 1_000_000, 0.0, Quality.GOOD, "READY"),
]


async def _rows(path: Path, **options: object) -> list[recordings.Row]:
    driver = recordings.driver(path, **options)
    played = await recordings.play(driver, points(["load", "state"]))
    return rows([batch for _, batch in played])


async def test_long_csv(tmp_path: Path) -> None:
    """time,signal,value gives one record per line, in file order."""
    path = tmp_path / "a.csv"
    path.write_text(
        "time,signal,value\n2016-05-05T13:00:00.000123Z,load,1.5\n2016-05-05T13:00:00.000123Z,state,ACTIVE\n"
        "2016-05-05T13:00:01.000123Z,load,UNAVAILABLE\n2016-05-05T13:00:01.000123Z,state,READY\n"
    )
    assert await _rows(path) == EXPECTED


@pytest.mark.parametrize(
    ("unit", "first"), [("us", "1462453200000123"), ("ns", "1462453200000123999"), ("s", "1462453200.000123")]
)
async def test_wide_csv_with_numbers_as_times(tmp_path: Path, unit: str, first: str) -> None:
    """A column per signal gives one record per filled cell; times may be numbers of any unit."""
    path = tmp_path / "b.csv.gz"
    second = {"us": "1462453201000123", "ns": "1462453201000123000", "s": "1462453201.000123"}[unit]
    path.write_bytes(gzip.compress(f"load,when,state,empty\n1.5,{first},ACTIVE,\nnan,{second},READY,\n".encode()))
    assert await _rows(path, time_column="when", time_unit=unit) == EXPECTED


async def test_long_parquet(tmp_path: Path) -> None:
    """Parquet with time, signal and value columns; a null is a missing value."""
    at = [datetime.fromtimestamp(second, UTC).replace(microsecond=123) for second in (1462453200, 1462453201)]
    table = pa.table(
        {
            "time": pa.array([at[0], at[0], at[1], at[1]], pa.timestamp("us", "UTC")),
            "signal": ["load", "state", "load", "state"],
            "value": ["1.5", "ACTIVE", None, "READY"],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert await _rows(tmp_path / "a.parquet") == EXPECTED


async def test_wide_parquet_keeps_types(tmp_path: Path) -> None:
    """Numbers, booleans and large integers keep their value; an empty cell is no record."""
    columns = {"time": [1, 2, 3], "load": [1.5, None, float("nan")], "on": [True, False, None]}
    table = pa.table({**columns, "count": [2**60 + 1, None, 7]})
    pq.write_table(table, tmp_path / "w.parquet")
    driver = recordings.driver(tmp_path / "w.parquet")
    played = await recordings.play(driver, points(["load", "on", "count"]))
    assert rows([batch for _, batch in played]) == [
        (0, 1_000_000, 1.5, Quality.GOOD, None),
        (1, 1_000_000, 1.0, Quality.GOOD, None),
        (2, 1_000_000, float(2**60 + 1), Quality.GOOD, str(2**60 + 1)),
        (1, 2_000_000, 0.0, Quality.GOOD, None),
        (0, 3_000_000, 0.0, Quality.BAD_NO_VALUE, None),
        (2, 3_000_000, 7.0, Quality.GOOD, None),
    ]


async def test_malformed_rows_are_counted(tmp_path: Path) -> None:
    """A row with a wrong time or too few cells is counted and the rest is played."""
    path = tmp_path / "c.csv"
    path.write_text("time,signal,value\n1,load,1\nyesterday,load,2\n3,load\n\n4,load,4\n")
    driver = recordings.driver(path)
    played = await recordings.play(driver, points(["load"]))
    assert [row[2] for row in rows([batch for _, batch in played])] == [1.0, 4.0]
    assert [line for line, _ in driver.statistics.malformed.examples] == [3, 4]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"when,x\n1,2\n", "no column 'time'"),
        ("a.parquet", b"PAR1 this is not parquet", "no readable Parquet"),
        ("a.txt.gz", gzip.compress(b"2016-05-05T13:00:00Z|a|1\n" * 1000, mtime=0)[:40], "damaged"),
        ("a.txt.gz", b"no gzip", "damaged"),
    ],
)
async def test_a_damaged_recording_is_said(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """A recording that cannot be read is refused at connect with the reason, and the test names it too."""
    (tmp_path / name).write_bytes(content)
    driver = recordings.driver(tmp_path / name)
    with pytest.raises(ConnectionFailed, match=words):
        await driver.connect()
    findings = await driver.test_connection()
    assert not findings[0].passed
    assert words in findings[0].detail
