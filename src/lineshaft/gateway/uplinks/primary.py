"""Whether the Sparkplug primary host is online (specification 3.0, STATE messages)."""

from __future__ import annotations

import json

from lineshaft.errors import DataError


class PrimaryHost:
    """Follows the STATE messages of one host application on one broker connection."""

    def __init__(self) -> None:
        self.online = False
        self._last: int | None = None
        self._last_online: int | None = None

    def update(self, payload: bytes) -> None:
        """Take a STATE message; one that is older than what is known is ignored.

        Raises DataError for a payload that is no STATE message of version 3.
        """
        try:
            content = json.loads(payload)
            online, timestamp = content["online"], content["timestamp"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"malformed STATE message: {payload[:100]!r}") from error
        if not isinstance(online, bool) or not isinstance(timestamp, int):
            raise DataError(f"malformed STATE message: {payload[:100]!r}")
        if online:
            if self._last is not None and timestamp < self._last:
                return
            self.online = True
            self._last_online = timestamp
        elif self._last_online is None or timestamp >= self._last_online:
            self.online = False
        self._last = timestamp if self._last is None else max(self._last, timestamp)
