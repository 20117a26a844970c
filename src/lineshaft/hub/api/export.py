"""Turns streamed rows of the historian into CSV, Parquet or Arrow, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from lineshaft.hub.state.catalogue import CataloguedSignal

Format = Literal["csv", "parquet", "arrow"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
ROW_GROUP = 200_000

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("text", pa.string()),
        ("quality", pa.uint8()),
    ]
)


class _Pipe:
    """A file that hands on what is written to it."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def flush(self) -> None:
        """Nothing is held back."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """No."""
        return False

    def seekable(self) -> bool:
        """No."""
        return False

    def close(self) -> None:
        """Nothing to do."""


def pieces(rows: Iterator[pa.RecordBatch], signals: Sequence[CataloguedSignal], format_: Format) -> Iterator[bytes]:
    """The file, piece by piece. `rows` is what Historian.rows gives for `signals`."""
    tables = _tables(rows, signals)
    if format_ == "csv":
        return _csv(tables)
    return _parquet(tables) if format_ == "parquet" else _arrow(tables)


def _tables(rows: Iterator[pa.RecordBatch], signals: Sequence[CataloguedSignal]) -> Iterator[pa.Table]:
    ids = pa.array([one.id for one in signals], pa.uint32())
    paths = pa.array([one.path for one in signals], pa.string())
    units = pa.array([one.born.signal.unit for one in signals], pa.string())
    for batch in rows:
        place = pc.index_in(batch.column("signal").cast(pa.uint32()), value_set=ids)
        value = batch.column("value").cast(pa.float64())
        yield pa.table(
            [
                paths.take(place),
                batch.column("time").cast(SCHEMA.field("time").type),
                pc.if_else(pc.is_nan(value), pa.scalar(None, pa.float64()), value),
                units.take(place),
                batch.column("text").cast(pa.string()),
                batch.column("quality").cast(pa.uint8()),
            ],
            schema=SCHEMA,
        )


def _csv(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    pipe = _Pipe()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    yield ",".join(SCHEMA.names).encode() + b"\r\n"
    for table in tables:
        # %S of a microsecond time has six digits behind the point: ISO 8601 with 'Z'
        time = pc.strftime(table.column("time"), format="%Y-%m-%dT%H:%M:%SZ")
        place = SCHEMA.get_field_index("time")
        pyarrow.csv.write_csv(table.set_column(place, "time", time), pipe, options)
        yield pipe.take()


def _parquet(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    pipe = _Pipe()
    with pq.ParquetWriter(pipe, SCHEMA, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        for table in tables:
            waiting.append(table)
            if sum(len(one) for one in waiting) >= ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
                yield pipe.take()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    yield pipe.take()


def _arrow(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    pipe = _Pipe()
    with pa.ipc.new_stream(pipe, SCHEMA) as writer:
        for table in tables:
            writer.write_table(table)
            yield pipe.take()
    yield pipe.take()
