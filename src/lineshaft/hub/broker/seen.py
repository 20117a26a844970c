"""What the broker saw of each user, kept in a file of the data folder so that the hub can show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

SEEN: Final = "broker.seen.json"
"""Name of the file in the data folder."""
_MOST_USERS: Final = 500  # strangers may try names without end


@dataclass(frozen=True, slots=True)
class Seen:
    """One user. Times are UTC microseconds, 0 for never."""

    connections: int = 0  # now
    address: str = ""  # of the last peer
    came: int = 0
    went: int = 0
    refused: int = 0  # when somebody was last turned away under this name
    reason: str = ""


class SeenBook:
    """Filled by the broker; `save` writes when something has changed."""

    def __init__(self) -> None:
        self._users: dict[str, Seen] = {}
        self._changed = True

    def came(self, user: str, address: str, time: int) -> None:
        """A peer was let in."""
        old = self._users.get(user, Seen())
        self._put(user, replace(old, connections=old.connections + 1, address=address, came=time))

    def went(self, user: str, time: int) -> None:
        """A connection has ended."""
        old = self._users.get(user, Seen())
        self._put(user, replace(old, connections=max(0, old.connections - 1), went=time))

    def refused(self, user: str, address: str, time: int, reason: str) -> None:
        """A peer was turned away."""
        old = self._users.get(user)
        if old is None and len(self._users) >= _MOST_USERS:
            return
        old = old or Seen()
        self._put(user, replace(old, refused=time, reason=f"{reason} (from {address})"))

    def _put(self, user: str, seen: Seen) -> None:
        self._users[user] = seen
        self._changed = True

    def save(self, data_dir: Path) -> None:
        """Write what has changed; a full disk is tried again with the next change."""
        if not self._changed:
            return
        self._changed = False
        draft = data_dir / (SEEN + ".new")
        try:
            draft.write_text(json.dumps({user: asdict(seen) for user, seen in self._users.items()}), "utf-8")
            draft.replace(data_dir / SEEN)
        except OSError:
            self._changed = True


def read_seen(data_dir: Path) -> Mapping[str, Seen]:
    """What was saved last; nothing when there is no such file or it cannot be read."""
    try:
        return {user: Seen(**seen) for user, seen in json.loads((data_dir / SEEN).read_text("utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
