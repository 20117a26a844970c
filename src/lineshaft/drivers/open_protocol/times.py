"""The controller's clock: local time without a zone, turned into UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMAT = "%Y-%m-%d:%H:%M:%S"


def to_us(text: str, zone: ZoneInfo, after_us: int = 0) -> int | None:
    """`2001-06-02:09:54:09` in `zone` -> UTC microseconds; None when it is no time.

    In the hour that comes twice in autumn the second one is taken when the first lies before `after_us`.
    """
    try:
        local = datetime.strptime(text.strip(), _FORMAT).replace(tzinfo=zone)
    except ValueError:
        return None
    moment = (local.astimezone(UTC) - _EPOCH) // _MICROSECOND
    if moment < after_us - after_us % 1_000_000:
        later = (local.replace(fold=1).astimezone(UTC) - _EPOCH) // _MICROSECOND
        if later > moment and later >= after_us - after_us % 1_000_000:
            return later
    return moment


def from_us(time_us: int, zone: ZoneInfo) -> str:
    """UTC microseconds as the controller writes them."""
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone).strftime(_FORMAT)
