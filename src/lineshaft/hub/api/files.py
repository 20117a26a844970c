"""Rows of CSV, Parquet and Arrow files as record batches that an import takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from lineshaft.errors import DataError
from lineshaft.hub.api.columns import ARROW

CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
KINDS: Final = (ARROW, PARQUET, CSV)
"""Media types."""
_TYPES: Final = {
    "path": pa.string(),
    "time": pa.string(),
    "value": pa.float64(),
    "text": pa.string(),
    "quality": pa.uint8(),
}


_HINT: Final = "columns path, time (ISO 8601 with Z, or UTC microseconds) and value; text and quality may follow"


@contextmanager
def opened(file: IO[Any], kind: str) -> Iterator[Iterator[pa.RecordBatch]]:
    """Batches of a file of this media type. Raises DataError for what cannot be read, also while batches are taken."""
    try:
        if kind == CSV:
            yield _csv(file)
        elif kind == PARQUET:
            yield _parquet(file)
        else:
            with pa.ipc.open_stream(file) as reader:
                yield iter(reader)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        words = {CSV: "CSV", PARQUET: "a Parquet file"}.get(kind, "an Arrow stream")
        raise DataError(f"the body is not {words} that can be read: {error}", hint=_HINT) from error


def _csv(file: IO[Any]) -> Iterator[pa.RecordBatch]:
    options = pa.csv.ConvertOptions(column_types=_TYPES, strings_can_be_null=True, quoted_strings_can_be_null=False)
    for batch in pa.csv.open_csv(file, convert_options=options):
        if "time" in batch.schema.names:
            place = batch.schema.get_field_index("time")
            batch = batch.set_column(place, "time", _times(batch.column("time")))
        yield batch


def _times(texts: pa.Array) -> pa.Array:
    """UTC microseconds, or ISO 8601 with Z or an offset. Raises DataError."""
    known = texts.drop_null()
    if pc.all(pc.utf8_is_digit(known)).as_py():
        return texts.cast(pa.int64())
    try:
        return texts.cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid as error:
        raise DataError(f"a time cannot be read: {error}", hint="2026-05-01T12:00:00Z, or UTC microseconds") from error


def _parquet(file: IO[Any]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as reader:
        wanted = [name for name in reader.schema_arrow.names if name in _TYPES]
        yield from reader.iter_batches(batch_size=100_000, columns=wanted)
