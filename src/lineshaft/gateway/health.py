"""How well a device is that answers: which of its signals are bad, and whether it has any value at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.model.samples import CLASS_MASK, Quality, SampleBatch
from lineshaft.wire.notes import DeviceState

_BEHIND: Final = "the server answers: look at the machine behind it, and at the cable between the two"
_QUIET: Final = "look whether the sender still publishes; silence: 0 for a device that may be quiet for long"
_SOME: Final = "look which ones, and whether their addresses are right"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a device does that answers. silent: every one of its signals is bad."""

    state: DeviceState
    error: str
    hint: str
    silent: bool


def quiet_verdict(words: str) -> Verdict:
    """Of a device that is connected and sends nothing."""
    return Verdict("degraded", words, _QUIET, silent=True)


class Health:
    """The last qualities of one device. Its rows have the handles from `first` on: polled signals, then waveforms."""

    def __init__(self, first: int, points: int, waves: int) -> None:
        self._first = first
        self._points = points
        self._bad = np.zeros(points + waves, np.bool_)
        self._faulty = np.zeros(points + waves, np.bool_)  # bad, and not because there is no value just now

    def forget(self) -> None:
        """A new connection: nothing is known."""
        self._bad[:] = self._faulty[:] = False

    def note(self, batch: SampleBatch) -> None:
        """Rows that came from the device."""
        own = batch.signals < self._first + len(self._bad)  # and not a feature of a waveform
        places, qualities = batch.signals[own] - self._first, batch.qualities[own]
        bad = qualities & CLASS_MASK == 0
        self._bad[places], self._faulty[places] = bad, bad & (qualities != Quality.BAD_NO_VALUE)

    def verdict(self, why: str = "") -> Verdict:
        """Degraded by signals that are bad, but not by one that has no value just now unless that is so of all.

        why: what to say in place of counting them.
        """
        bad, total = int(np.count_nonzero(self._bad)), len(self._bad)
        silent = bool(self._points) and bad == total
        if not silent and not self._faulty.any():
            return Verdict("online", "", "", silent=False)
        return Verdict("degraded", why or f"{bad} of {total} signals are bad", _BEHIND if silent else _SOME, silent)
