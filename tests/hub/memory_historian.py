"""A historian in memory: the contract of hub.historian.base on plain arrays, for tests and the development server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lineshaft.analytics.buckets import Buckets, aggregate
from lineshaft.analytics.rollup import FOREVER, of_rows, ordered
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.base import Counts, Level, Series, StoredWave
from lineshaft.hub.historian.repeats import repeats_of
from lineshaft.model.samples import Int64Array, SampleBatch
from lineshaft.model.waveforms import Waveform, joined

SCHEMA = pa.schema(
    [
        ("signal", pa.uint32()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("quality", pa.uint8()),
    ]
)


class MemoryHistorian:
    """Keeps one sorted batch per signal. `broken = True` makes it a store that does not answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[int, list[SampleBatch]] = {}
        self._tokens: set[str] = set()
        self.broken = False

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def append(self, batch: SampleBatch, token: str) -> None:
        self._answer()
        with self._lock:
            if token in self._tokens:
                return
            self._tokens.add(token)
            order = np.argsort(batch.signals, kind="stable")
            ids, starts = np.unique(batch.signals[order], return_index=True)
            for signal, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
                self._parts.setdefault(signal, []).append(batch.take(rows))

    def stored(self, batch: SampleBatch, any_quality: NDArray[np.bool_]) -> NDArray[np.bool_]:
        self._answer()
        signals = np.unique(batch.signals).tolist()

        def rows_at(part: SampleBatch) -> SampleBatch:
            return SampleBatch.concat(self._rows(signal) for signal in np.unique(part.signals).tolist())

        return repeats_of(batch, any_quality, self.counts(signals), rows_at)

    def mend(self, batch: SampleBatch) -> None:
        self._answer()

    def waveforms(self, signals: Sequence[int], start: int, end: int, limit: int) -> list[StoredWave]:
        self._answer()
        found = []
        for signal in signals:
            for time, parts in sorted(self._bursts(signal).items()):
                if start <= time < end:
                    first = parts[0][1]
                    found.append(
                        StoredWave(
                            signal, time, first.rate, first.speed, first.total,
                            sum(len(wave) for _, wave in parts), float(parts[0][0].values[0]),
                            int(parts[0][0].qualities[0]),
                        )
                    )  # fmt: skip
        return found[:: -(-len(found) // limit)] if found else []

    def bursts(self, signal: int, times: Sequence[int]) -> dict[int, Waveform]:
        self._answer()
        found = self._bursts(signal)
        return {time: _there([wave for _, wave in found[time]]) for time in times if time in found}

    def _bursts(self, signal: int) -> dict[int, list[tuple[SampleBatch, Waveform]]]:
        """The pieces of each burst by its time, each with its row."""
        rows = self._rows(signal)
        found: dict[int, dict[int, tuple[SampleBatch, Waveform]]] = {}
        for row, wave in enumerate([] if rows.waves is None else rows.waves.tolist()):
            if wave is not None:
                time = int(rows.times[row]) - wave.lag
                found.setdefault(time, {})[wave.offset] = (rows.take(slice(row, row + 1)), wave)
        return {time: [parts[offset] for offset in sorted(parts)] for time, parts in found.items()}

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        self._answer()
        found = []
        for signal in signals:
            rows = self._rows(signal)
            first, last = np.searchsorted(rows.times, (start, end))
            if before and first > 0:
                first -= 1
            rows = rows.take(slice(int(first), int(last)))
            mode = "raw"
            if points is not None and len(rows) > points and rows.texts is None:
                rows, mode = _extremes(rows, points // 2), "minmax"
            found.append(Series(signal, mode, rows.times, rows.values, rows.qualities, rows.texts))  # type: ignore[arg-type]
        return found

    def aggregate(
        self, signals: Sequence[int], edges: Int64Array, *, until: int | None = None, gap: int | None = None
    ) -> list[Buckets]:
        self._answer()
        gap = FOREVER if gap is None else gap
        return [aggregate(of_rows(ordered(self._rows(one))), edges, gap, until=until, stateful=True) for one in signals]

    def latest(self, signals: Sequence[int] | None = None) -> SampleBatch:
        self._answer()
        wanted = list(self._parts) if signals is None else signals
        return SampleBatch.concat(self._rows(signal).take(slice(-1, None)) for signal in wanted)

    def rows(self, signals: Sequence[int], start: int, end: int) -> Iterator[pa.RecordBatch]:
        self._answer()
        for signal in sorted(signals):
            rows = self._rows(signal)
            first, last = np.searchsorted(rows.times, (start, end))
            for at in range(int(first), int(last), 50_000):
                part = rows.take(slice(at, min(at + 50_000, int(last))))
                texts = pa.nulls(len(part), pa.string()) if part.texts is None else pa.array(part.texts, pa.string())
                time = pa.array(part.times).cast(SCHEMA.field("time").type)
                columns = [pa.array(part.signals), time, pa.array(part.values), texts, pa.array(part.qualities)]
                yield pa.record_batch(columns, schema=SCHEMA)

    def counts(self, signals: Sequence[int] | None = None, start: int | None = None, end: int | None = None) -> Counts:
        self._answer()
        wanted = sorted(self._parts) if signals is None else sorted(signals)
        times = [self._rows(signal).times for signal in wanted]
        low = -(2**62) if start is None else start
        high = 2**62 if end is None else end
        times = [one[(one >= low) & (one < high)] for one in times]
        return Counts(
            np.array(wanted, np.uint32),
            np.array([len(one) for one in times], np.int64),
            np.array([one[0] if len(one) else 0 for one in times], np.int64),
            np.array([one[-1] if len(one) else 0 for one in times], np.int64),
        )

    def delete_before(self, time: int, signals: Sequence[int] | None = None) -> None:
        self._answer()
        for signal in list(self._parts) if signals is None else signals:
            rows = self._rows(signal)
            self._parts[signal] = [rows.take(rows.times >= time)]

    def retract(self, signals: Sequence[int], after: int) -> None:
        self._answer()
        for signal in signals:
            rows = self._rows(signal)
            self._parts[signal] = [rows.take(rows.times <= after)]

    def forget_rollups(self, level: Level, time: int, signals: Sequence[int] | None = None) -> None:
        self._answer()

    def size_bytes(self) -> int:
        self._answer()
        return sum(21 * len(part) for parts in self._parts.values() for part in parts)

    def _rows(self, signal: int) -> SampleBatch:
        with self._lock:
            parts = self._parts.get(signal, [])
            if len(parts) > 1:
                rows = SampleBatch.concat(parts)
                if np.any(np.diff(rows.times) < 0):
                    rows = rows.take(np.argsort(rows.times, kind="stable"))
                self._parts[signal] = parts = [rows]
            return parts[0] if parts else SampleBatch.empty()

    def _answer(self) -> None:
        if self.broken:
            raise StoreUnavailable("the historian does not answer")


def _extremes(rows: SampleBatch, buckets: int) -> SampleBatch:
    edges = np.linspace(rows.times[0], rows.times[-1] + 1, buckets + 1)
    cuts = np.unique(np.searchsorted(rows.times, edges))
    keep: list[int] = []
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        values = rows.values[low:high]
        keep += sorted({low + int(np.argmin(values)), low + int(np.argmax(values))})
    return rows.take(np.array(keep))


def _there(parts: list[Waveform]) -> Waveform:
    """The burst; of half a one its first piece."""
    return joined(parts) if sum(len(part) for part in parts) == parts[0].total else parts[0]
