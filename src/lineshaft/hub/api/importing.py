"""Brings rows from elsewhere into the historian, so that the same row twice is stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.hub.api.bursts import bursts_of
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.historian.repeats import repeats_in
from lineshaft.hub.ports import IMPORT_NODE, BornSignal
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Datatype, Signal, SignalKind, valid_id
from lineshaft.model.samples import Quality, SampleBatch

BLOCK_ROWS = 500_000
BLOCK_BURSTS = 500


@dataclass(slots=True)
class Progress:
    """What an import has done so far, in rows and signals."""

    rows: int = 0
    stored: int = 0
    repeated: int = 0
    signals: int = 0
    new_signals: int = 0


def import_rows(batches: Iterator[pa.RecordBatch], historian: Historian, state: State) -> Progress:
    """Store Arrow rows (path, time, value, text, quality; the last two may be absent).

    Batches with a column `samples` (a list of numbers) are bursts: then rate in Hz is needed, speed in 1/min and scale
    may follow, and value is not.
    A row that is stored already, equal in path, time, value, text and quality, is not stored a second time, whatever
    file, order or block it comes in; one that does not tell its quality repeats a row of any. The rows are cut into
    blocks of BLOCK_ROWS however they come, and each block's content is its token: the same stream sent again, also
    after it was cut off half-way, is known without a look at the rows. Unknown paths become signals. Blocks.
    Raises DataError for rows that cannot be used; blocks before them stay stored.
    """
    progress = Progress()
    seen: set[str] = set()
    for block in _blocks(_numbers(batches, lambda batch: _store_bursts(batch, historian, state, progress, seen))):
        _store(block, historian, state, progress, seen)
    progress.signals = len(seen)
    return progress


def _numbers(batches: Iterator[pa.RecordBatch], store: Callable[[pa.RecordBatch], None]) -> Iterator[pa.RecordBatch]:
    """The batches that are no bursts; those that are go to `store`."""
    for batch in batches:
        if "samples" in batch.schema.names:
            store(batch)
        else:
            yield batch


def _store_bursts(
    batch: pa.RecordBatch, historian: Historian, state: State, progress: Progress, seen: set[str]
) -> None:
    table = bursts_of(batch)
    unknown = [path for path in dict.fromkeys(table.paths) if state.catalogue.by_path(path) is None]
    plain = [_born(path, is_text=False).signal for path in unknown]
    signals = [replace(one, kind=SignalKind.WAVEFORM, datatype=Datatype.FLOAT) for one in plain]
    state.register([BornSignal(one, IMPORT_NODE, "") for one in signals])
    ids = [one.id for path in table.paths if (one := state.catalogue.by_path(path)) is not None]
    progress.new_signals += len(unknown)
    seen.update(table.paths)
    for start in range(0, len(ids), BLOCK_BURSTS):
        part = slice(start, start + BLOCK_BURSTS)
        rows = SampleBatch.of_waves(ids[part], table.times[part], table.waves[part], table.qualities[part])
        _append(rows, table.token(part), historian, state, progress)


def _blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    count = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        waiting.append(_normal(batch))
        count += batch.num_rows
        while count >= BLOCK_ROWS:
            table = pa.concat_tables(waiting)
            yield table.slice(0, BLOCK_ROWS)
            waiting = [table.slice(BLOCK_ROWS)]
            count -= BLOCK_ROWS
    if count:
        yield pa.concat_tables(waiting)


def _normal(batch: pa.RecordBatch) -> pa.Table:
    """The five columns in their own types. Raises DataError."""
    names = set(batch.schema.names)
    if not {"path", "time", "value"} <= names:
        raise DataError(
            f"the columns are {', '.join(batch.schema.names) or 'none'}",
            hint="path, time and value are needed, text and quality may follow",
        )
    rows = batch.num_rows
    try:
        time = batch.column("time")
        if pa.types.is_timestamp(time.type):
            time = time.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        quality = batch.column("quality") if "quality" in names else pa.nulls(rows)
        table = pa.table(
            {
                "path": batch.column("path").cast(pa.string()),
                "time": time.cast(pa.int64()),
                "value": pc.fill_null(batch.column("value").cast(pa.float64()), float("nan")),
                "text": batch.column("text").cast(pa.string()) if "text" in names else pa.nulls(rows, pa.string()),
                "quality": quality.cast(pa.uint8()),
            }
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"a column has the wrong type: {error}") from error
    if table.column("path").null_count or table.column("time").null_count:
        raise DataError("a row without path or time")
    return table


def _store(block: pa.Table, historian: Historian, state: State, progress: Progress, seen: set[str]) -> None:
    encoded = block.column("path").combine_chunks().dictionary_encode()
    paths: list[str] = encoded.dictionary.to_pylist()
    known = [state.catalogue.by_path(path) for path in paths]
    unknown = [path for path, one in zip(paths, known, strict=True) if one is None]
    state.register([_born(path, _is_text(block, path)) for path in unknown])
    ids = np.array([one.id for path in paths if (one := state.catalogue.by_path(path)) is not None], np.uint32)
    batch = _batch(block, ids[encoded.indices.to_numpy()])
    progress.new_signals += len(unknown)
    seen.update(paths)
    untold = block.column("quality").is_null().to_numpy()
    _append(batch, _token(block), historian, state, progress, untold)


def _append(
    batch: SampleBatch,
    token: str,
    historian: Historian,
    state: State,
    progress: Progress,
    any_quality: NDArray[np.bool_] | None = None,
) -> None:
    """Store those rows of a block that are not stored yet.

    A block whose earlier try was cut off may be stored without the rest of the historian having learnt of it.
    """
    progress.rows += len(batch)
    with state.ledger.importing:
        known = state.ledger.imported(token)
        if known == "done":
            progress.repeated += len(batch)
            return
        loose = np.zeros(len(batch), np.bool_) if any_quality is None else any_quality
        new = ~repeats_in(batch)
        new[new] = ~historian.stored(batch.take(new), loose[new])
        fresh = batch.take(new)
        signals, rows = np.unique(fresh.signals, return_counts=True)
        state.ledger.begin_import(token, signals, rows.astype(np.int64))
        if len(fresh):
            historian.append(fresh, token)
        if known == "again":
            historian.mend(batch.take(~new))
        state.ledger.end_import(token)
    progress.stored += len(fresh)
    progress.repeated += len(batch) - len(fresh)


def _batch(block: pa.Table, signals: Any) -> SampleBatch:
    text = block.column("text")
    texts: Sequence[str | None] | None = None if text.null_count == len(block) else text.to_pylist()
    return SampleBatch.of(
        signals,
        block.column("time").to_numpy(),
        block.column("value").to_numpy(),
        _quality(block).to_numpy(),
        texts,
    )


def _quality(block: pa.Table) -> pa.ChunkedArray:
    """Rows that do not tell their quality are good."""
    return pc.fill_null(block.column("quality"), int(Quality.GOOD))


def _token(block: pa.Table) -> str:
    """A name for the content: equal for equal rows, whatever the layout in memory."""
    digest = hashlib.blake2b(digest_size=16)
    for column in (block.column("time"), block.column("value"), _quality(block)):
        digest.update(column.to_numpy().tobytes())
    for name in ("path", "text"):
        encoded = block.column(name).combine_chunks().dictionary_encode()
        digest.update(repr(encoded.dictionary.to_pylist()).encode())
        digest.update(encoded.indices.fill_null(-1).to_numpy().tobytes())
    return f"import-{digest.hexdigest()}"


def _is_text(block: pa.Table, path: str) -> bool:
    rows = block.filter(pc.equal(block.column("path"), path))
    return bool(rows.column("text").null_count == 0)


def _born(path: str, is_text: bool) -> BornSignal:
    asset, _, name = path.rpartition("/")
    if not asset or not all(valid_id(part) for part in path.split("/")):
        raise DataError(
            f"{path!r} is not a signal path", hint="enterprise/site/area/line/asset/signal, in small letters"
        )
    return BornSignal(Signal(asset, name, datatype=Datatype.STRING if is_text else Datatype.DOUBLE), IMPORT_NODE, "")
