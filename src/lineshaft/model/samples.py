"""SampleBatch: values in columns, the one type that flows from a driver to the historian."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.waveforms import Waveform

Int64Array = NDArray[np.int64]
UInt32Array = NDArray[np.uint32]
UInt8Array = NDArray[np.uint8]
Float64Array = NDArray[np.float64]
TextArray = NDArray[np.object_]
WaveArray = NDArray[np.object_]


class Quality(IntEnum):
    """Trust in a value, one byte: the top two bits are the class, the rest says why (as OPC does).

    `q & 0xC0` gives the class: 0xC0 good, 0x40 uncertain, 0x00 bad.
    """

    BAD = 0
    BAD_COMMUNICATION = 1  # the device did not answer
    BAD_ADDRESS = 2  # the device has no such register, node or item
    BAD_NO_VALUE = 3  # the device says that it has no value (NaN, UNAVAILABLE, not implemented)
    BAD_DEVICE = 4  # the device says that the value is bad
    BAD_CLOCK = 5  # no value, and the source's time went back
    STALE = 8  # the last known value; its source is gone
    UNCERTAIN = 64
    UNCERTAIN_CLOCK = 65  # the source's time went back or cannot be right
    UNCERTAIN_RANGE = 66  # outside of the range that the sensor can measure
    UNCERTAIN_SENSOR = 67  # a sensor check lowered it
    UNCERTAIN_ESTIMATED = 68  # computed in place of a missing value
    GOOD = 192


GOOD_CLASS = 0xC0
UNCERTAIN_CLASS = 0x40
CLASS_MASK = 0xC0


def quality_word(quality: int) -> str:
    """'good', 'uncertain', 'stale' or 'bad': the word that people see."""
    if quality == Quality.STALE:
        return "stale"
    return {GOOD_CLASS: "good", UNCERTAIN_CLASS: "uncertain"}.get(quality & CLASS_MASK, "bad")


@dataclass(frozen=True, slots=True, eq=False)
class SampleBatch:
    """Parallel columns; row i is one sample.

    signals    uint32[n]  handle of the signal: an index in the gateway's plan, or the historian's signal id
    times      int64[n]   UTC microseconds, the source's own time where it has one
    values     float64[n] the number; NaN where the sample is text or has no value
    qualities  uint8[n]   see Quality
    texts      object[n] of str | None, or None when no row has text. A text sample has its text here.
               An integer that a double cannot hold exactly (|x| > 2**53) has its digits here
               and the nearest double in `values`.
    waves      object[n] of Waveform | None, or None when no row has one. A burst of fast samples is here and its
               RMS about the mean in `values`.

    Rows keep the order in which they were observed. A batch is never changed in place.
    """

    signals: UInt32Array
    times: Int64Array
    values: Float64Array
    qualities: UInt8Array
    texts: TextArray | None = None
    waves: WaveArray | None = None

    def __len__(self) -> int:
        return len(self.signals)

    @staticmethod
    def empty() -> SampleBatch:
        """A batch without rows."""
        return SampleBatch(
            np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
        )

    @staticmethod
    def of(
        signals: Any,
        times: Any,
        values: Any,
        qualities: Any = Quality.GOOD,
        texts: Sequence[str | None] | TextArray | None = None,
    ) -> SampleBatch:
        """Build a batch from sequences or scalars; scalars are repeated to the length of `signals`.

        Raises ValueError when the columns differ in length.
        """
        ids = np.atleast_1d(np.asarray(signals, np.uint32))
        n = len(ids)
        columns = (np.asarray(times, np.int64), np.asarray(values, np.float64), np.asarray(qualities, np.uint8))
        time: Int64Array = np.array(np.broadcast_to(columns[0], n)) if columns[0].ndim == 0 else columns[0]
        value: Float64Array = np.array(np.broadcast_to(columns[1], n)) if columns[1].ndim == 0 else columns[1]
        quality: UInt8Array = np.array(np.broadcast_to(columns[2], n)) if columns[2].ndim == 0 else columns[2]
        text_column: TextArray | None = None
        if texts is not None:
            text_column = np.empty(len(texts), object)
            text_column[:] = texts
        lengths = {n, len(time), len(value), len(quality)}
        if text_column is not None:
            lengths.add(len(text_column))
        if len(lengths) != 1:
            raise ValueError(f"columns of different length: {sorted(lengths)}")
        return SampleBatch(ids, time, value, quality, text_column)

    @staticmethod
    def concat(batches: Iterable[SampleBatch]) -> SampleBatch:
        """Join batches in the given order."""
        parts = [batch for batch in batches if len(batch)]
        if not parts:
            return SampleBatch.empty()
        if len(parts) == 1:
            return parts[0]
        texts: TextArray | None = None
        if any(part.texts is not None for part in parts):
            texts = np.concatenate(
                [part.texts if part.texts is not None else np.full(len(part), None, object) for part in parts]
            )
        waves: WaveArray | None = None
        if any(part.waves is not None for part in parts):
            waves = np.concatenate(
                [part.waves if part.waves is not None else np.full(len(part), None, object) for part in parts]
            )
        return SampleBatch(
            np.concatenate([part.signals for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.qualities for part in parts]),
            texts,
            waves,
        )

    @staticmethod
    def of_waves(
        signals: Sequence[int], times: Sequence[int], waves: Sequence[Waveform], qualities: Any = Quality.GOOD
    ) -> SampleBatch:
        """One row per burst; `times` are those of its own first sample."""
        batch = SampleBatch.of(signals, times, [wave.rms() for wave in waves], qualities)
        column: WaveArray = np.empty(len(waves), object)
        column[:] = waves
        return replace(batch, waves=column)

    def take(self, rows: NDArray[Any] | slice) -> SampleBatch:
        """The rows picked by a boolean mask, an index array or a slice, in that order."""
        texts = None if self.texts is None else self.texts[rows]
        if texts is not None and not any(text is not None for text in texts):
            texts = None
        waves = None if self.waves is None else self.waves[rows]
        if waves is not None and not any(wave is not None for wave in waves):
            waves = None
        return SampleBatch(self.signals[rows], self.times[rows], self.values[rows], self.qualities[rows], texts, waves)

    def is_text(self) -> NDArray[np.bool_]:
        """bool[n]: True where the row carries text."""
        if self.texts is None:
            return np.zeros(len(self), np.bool_)
        return np.array([text is not None for text in self.texts], np.bool_)

    def is_wave(self) -> NDArray[np.bool_]:
        """bool[n]: True where the row carries a burst."""
        if self.waves is None:
            return np.zeros(len(self), np.bool_)
        return np.array([wave is not None for wave in self.waves], np.bool_)

    @property
    def wave_bytes(self) -> int:
        """Bytes of all bursts."""
        return 0 if self.waves is None else sum(wave.nbytes for wave in self.waves if wave is not None)
