"""What a child process tells its supervisor: one line of JSON on the standard output among its log lines."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import Literal

_PREFIX = "@lineshaft "
SUPERVISED = "LINESHAFT_SUPERVISED"
"""Environment variable that says to a process that a supervisor reads its output and holds its input open."""


@dataclass(frozen=True, slots=True)
class Message:
    """ready: the part serves; progress: `done` goes from 0 to 1; notice: words for people; link: the set-up link."""

    kind: Literal["ready", "progress", "notice", "link"]
    words: str = ""
    done: float = 0.0


def tell(message: Message) -> None:
    """Send a message to the supervisor; without one, words for people go to the standard output as they are."""
    if os.environ.get(SUPERVISED):
        sys.stdout.write(f"{_PREFIX}{json.dumps(asdict(message))}\n")
    elif message.kind in ("notice", "link") and message.words:
        sys.stdout.write(f"{message.words}\n")
    sys.stdout.flush()


def understand(line: str) -> Message | None:
    """The message in a line of a child's output, or None when it is a log line."""
    if not line.startswith(_PREFIX):
        return None
    try:
        return Message(**json.loads(line.removeprefix(_PREFIX)))
    except (ValueError, TypeError):
        return None
