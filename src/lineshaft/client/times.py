"""Moments as people write them, and as tables hold them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from lineshaft.errors import DataError

When = datetime | str | int
"""A moment: a datetime or ISO 8601 text with a time zone, or UTC microseconds."""
_MOMENTS: Final = (
    "time", "since", "start", "end", "held_start", "held_end", "created", "position", "last_value", "opened", "closed",
    "finished", "planned_start", "planned_end", "actual_start", "actual_end", "recorded", "last_seen", "failing_since",
    "next_try", "began", "ended", "updated",
)  # fmt: skip
"""Columns of the API that are UTC microseconds."""


def microseconds(when: When) -> int:
    """UTC microseconds of a moment. Raises DataError for one without a time zone."""
    if isinstance(when, int) and not isinstance(when, bool):
        return when
    try:
        moment = pd.Timestamp(when)
    except (ValueError, TypeError) as error:
        raise DataError(f"{when!r} is no time", hint="ISO 8601 with a zone, like 2026-01-31T06:00:00+01:00") from error
    if moment.tzinfo is None:
        raise DataError(f"{when!r} has no time zone", hint="add one: ...Z for UTC, or +01:00")
    return int(moment.tz_convert("UTC").as_unit("us").to_numpy().astype(np.int64))


def span(start: When, end: When) -> dict[str, int]:
    """`start` and `end` of a call. Raises DataError when it is no range."""
    first, last = microseconds(start), microseconds(end)
    if first >= last:
        raise DataError(f"start {start} is not before end {end}")
    return {"start": first, "end": last}


def with_moments(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns that are microseconds become times in UTC; 0 and null become no time."""
    for name in _MOMENTS:
        if name in frame and not isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            frame[name] = pd.to_datetime(numbers.where(numbers != 0), unit="us", utc=True)
    return frame
