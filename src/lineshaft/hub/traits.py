"""What roll-ups must know of signals: their kind says how long a value is held and what is a state."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.rollup import FOREVER
from lineshaft.clock import MICROSECONDS
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.model.samples import Int64Array, UInt32Array


class CatalogueTraits:
    """Implements historian.roller.Traits; thread-safe.

    A measure is held for `gap` seconds, because silence of that length means that nobody knows; a counter, a state or a
    text stays what it is until its next row.
    """

    def __init__(self, catalogue: SqlCatalogue, gap: float) -> None:
        self._catalogue = catalogue
        self._gap = round(gap * MICROSECONDS)
        self._lock = threading.Lock()
        self._version = -1
        self._gaps: Int64Array = np.zeros(0, np.int64)
        self._stateful: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def gaps(self, signals: UInt32Array) -> Int64Array:
        """int64[n]: longest time that a value is held, microseconds."""
        self._load(signals)
        return self._gaps[signals]

    def stateful(self, signals: UInt32Array) -> NDArray[np.bool_]:
        """bool[n]: time in state is wanted of these."""
        self._load(signals)
        return self._stateful[signals]

    def _load(self, signals: UInt32Array) -> None:
        highest = int(signals.max(initial=0))
        with self._lock:
            if self._version == self._catalogue.version and highest < len(self._gaps):
                return
            version, found = self._catalogue.version, self._catalogue.signals()
            size = max([highest, *(one.id for one in found)]) + 1
            gaps, stateful = np.full(size, self._gap, np.int64), np.zeros(size, np.bool_)
            for one in found:
                signal = one.born.signal
                stateful[one.id] = signal.kind is SignalKind.STATE
                if not _fades(signal):
                    gaps[one.id] = FOREVER
            self._gaps, self._stateful, self._version = gaps, stateful, version


def _fades(signal: Signal) -> bool:
    """Whether silence makes the value unknown."""
    return signal.kind in (SignalKind.MEASURE, SignalKind.WAVEFORM) and not signal.datatype.is_text
