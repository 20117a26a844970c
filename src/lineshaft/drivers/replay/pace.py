"""When each record of a recording is due, whatever its clock does."""

from __future__ import annotations

from collections.abc import Sequence

_SET_BACK_US = 86_400_000_000
"""A clock that goes back by more than this was set; by less, it is a device whose clock is late."""


class Pace:
    """Counts the recorded microseconds that a player has to let pass before a record.

    Time never runs back: a record older than one before it is due at once. A pause longer than `max_gap_us` is
    cut to it, so that one wild time stamp cannot stop a replay. The opening snapshot is due at once.
    """

    def __init__(self, start_us: int, opening: int, max_gap_us: int) -> None:
        self._reached = start_us
        self._opening = opening
        self._max_gap = max_gap_us
        self._waited = 0
        self._seen = 0

    def offsets(self, times: Sequence[int]) -> list[int]:
        """Microseconds from the start until each record is due; call with consecutive records."""
        offsets = []
        reached, waited = self._reached, self._waited
        for time in times:
            self._seen += 1
            if self._seen > self._opening:
                if time > reached:
                    waited += min(time - reached, self._max_gap)
                    reached = time
                elif time < reached - _SET_BACK_US:
                    reached = time
            offsets.append(waited)
        self._reached, self._waited = reached, waited
        return offsets
