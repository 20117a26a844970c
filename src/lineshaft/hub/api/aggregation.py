"""Aggregates by local hour, day, shift or month, as columns for JSON."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np

from lineshaft.analytics.buckets import Buckets
from lineshaft.analytics.calendar import Span, spans
from lineshaft.analytics.oee.calendar import Calendar, shifts_between
from lineshaft.errors import DataError
from lineshaft.hub.api.columns import numbers
from lineshaft.model.samples import Float64Array, Int64Array

Bucket = Literal["15min", "1h", "1d", "1w", "month", "shift", "all"]
MOST_BUCKETS: Final = 5_000
_HOUR: Final = 3.6e9  # microseconds


def _nothing_known(values: Float64Array, buckets: Buckets) -> Float64Array:
    return np.where(buckets.count > 0, values, np.nan)


FUNCTIONS: Final[Mapping[str, Callable[[Buckets], Float64Array]]] = {
    "mean": lambda buckets: buckets.mean,
    "min": lambda buckets: buckets.low,
    "max": lambda buckets: buckets.high,
    "first": lambda buckets: buckets.first,
    "last": lambda buckets: buckets.last,
    "sum": lambda buckets: buckets.total,
    "std": lambda buckets: buckets.deviation,
    "time_mean": lambda buckets: buckets.time_mean(),
    "time_mean_linear": lambda buckets: buckets.time_mean(linear=True),
    "integral": lambda buckets: buckets.step / _HOUR,
    "integral_linear": lambda buckets: np.where(np.isnan(buckets.step), np.nan, buckets.linear / _HOUR),
    "increase": lambda buckets: _nothing_known(buckets.increase, buckets),
}
"""Name -> one number for each bucket. An integral is in the signal's unit times hours: kW become kWh."""
STATES: Final = "time_in_state"
"""The function that gives seconds in each state."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: aggregates of the local units that touch [start, end), UTC microseconds."""

    start: int
    end: int
    bucket: Bucket
    zone: zoneinfo.ZoneInfo
    functions: tuple[str, ...]
    calendar: Calendar | None  # for shifts

    def spans(self) -> list[Span]:
        """The buckets. Raises DataError when there are too many, or shifts without a calendar."""
        found: list[Span] = []
        if self.bucket == "all":
            found = [Span(self.start, self.end)]
        elif self.bucket == "shift":
            if self.calendar is None:
                raise DataError("there is no shift calendar for these signals", hint="section calendars of the plant")
            shifts = shifts_between(self.calendar, self.start, self.end)
            found = [Span(shift.start, shift.end, shift.id) for shift in shifts]
        else:
            for span in spans(self.bucket, self.start, self.end, self.zone):
                found.append(span)
                if len(found) > MOST_BUCKETS:
                    break
        if len(found) > MOST_BUCKETS:
            raise DataError(f"more than {MOST_BUCKETS} buckets", hint="a shorter range or a larger bucket")
        return found


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The time zone. Raises DataError."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(f"tz: {name!r} is not an IANA time zone", hint="like Europe/Berlin or UTC") from None


def functions_of(text: str) -> tuple[str, ...]:
    """Function names from 'mean,max'. Raises DataError."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in FUNCTIONS and name != STATES:
            raise DataError(f"functions: {name!r} is not known", hint=", ".join([*FUNCTIONS, STATES]))
    if not names:
        raise DataError("no function asked for", hint=", ".join([*FUNCTIONS, STATES]))
    return names


def edges_of(buckets: Sequence[Span]) -> Int64Array:
    """All starts and ends, ascending, each once."""
    return np.unique(np.array([edge for span in buckets for edge in (span.start, span.end)], np.int64))


def body(request: Request, buckets: Sequence[Span], signals: Sequence[int], found: Sequence[Buckets]) -> dict[str, Any]:
    """AggregatePage: `found` holds one entry for each signal, over `edges_of(buckets)`."""
    edges = edges_of(buckets).tolist()
    place = {pair: row for row, pair in enumerate(pairwise(edges))}
    rows = np.array([place[(span.start, span.end)] for span in buckets], np.int64)
    return {
        "timezone": request.zone.key,
        "bucket": request.bucket,
        "start": [span.start for span in buckets],
        "end": [span.end for span in buckets],
        "name": [span.name for span in buckets],
        "series": [_series(signal, one, rows, request.functions) for signal, one in zip(signals, found, strict=True)],
    }


def _series(signal: int, found: Buckets, rows: Int64Array, functions: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: numbers(FUNCTIONS[name](found)[rows]) for name in functions if name in FUNCTIONS}
    if STATES in functions:
        states = [found.states[row] for row in rows.tolist()]
        values[STATES] = [{name: length / 1e6 for name, length in sorted(one.items())} for one in states]
    return {
        "signal": signal,
        "samples": found.count[rows].tolist(),
        "uncertain": found.uncertain[rows].tolist(),
        "bad": (found.rows - found.count)[rows].tolist(),
        "gap_seconds": (found.missing[rows] / 1e6).tolist(),
        "values": values,
    }
