"""What should not have happened: told once, kept to the part where it happened, and that part begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from lineshaft.clock import Clock
from lineshaft.gateway.timing import Backoff
from lineshaft.model.events import Event, Severity

log = structlog.get_logger(__name__)

STEADY: Final = 60.0
"""Seconds of work after which the next fault counts as the first one."""
_TELL_AGAIN: Final = 3600.0  # seconds after which the same fault of a part is told once more
REPORT: Final = "It begins anew by itself. Please report this with the gateway's log, which says where it happened."


class GaveUp(Exception):
    """A library cancelled what was awaited, though nobody had asked this task to end."""


async def fault_of(work: Coroutine[Any, Any, object]) -> Exception | None:
    """What ended `work`, None where it came to its end; only a cancellation of this very task is passed on.

    A task that ended by a cancellation that a library let slip would be gone without a word.
    """
    task = asyncio.current_task()
    asked = 0 if task is None else task.cancelling()
    try:
        await work
    except asyncio.CancelledError as error:
        if task is None or task.cancelling() > asked:
            raise
        gave_up = GaveUp("a request was cancelled by its library")
        gave_up.__cause__ = error
        return gave_up
    except Exception as error:  # noqa: BLE001 - the boundary: the caller tells it
        return error
    return None


class Faults:
    """Of one gateway. event: where they are told."""

    def __init__(self, clock: Clock, event: Callable[[Event], None]) -> None:
        self._clock = clock
        self._event = event
        self._told: dict[str, tuple[str, float]] = {}

    def tell(self, part: str, subject: str, error: Exception) -> None:
        """An event and an entry of the log with the traceback; the same fault of a part is told once an hour."""
        words, now = repr(error), self._clock.monotonic()
        before, at = self._told.get(part, ("", 0.0))
        if words == before and now < at + _TELL_AGAIN:
            return
        self._told[part] = words, now
        log.error("gateway.fault", part=part, exc_info=error)
        details = {"part": part, "error": words, "mend": REPORT}
        text = f"A fault in the gateway: {part} ended with {words[:300]} and begins anew."
        try:
            self._event(Event(self._clock.now_us(), "gateway.fault", subject, text, Severity.MEDIUM, details))
        except Exception:  # the fault may be where events are kept
            log.exception("gateway.fault_not_told", part=part)

    async def keep(self, part: str, subject: str, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Do `work` until it comes to its end or this is cancelled; after a fault again, with growing pauses."""
        backoff = Backoff(1.0, 60.0)
        while True:
            began = self._clock.monotonic()
            fault = await fault_of(work())
            if fault is None:
                return
            self.tell(part, subject, fault)
            if self._clock.monotonic() > began + STEADY:
                backoff.reset()
            await self._clock.sleep_until(self._clock.monotonic() + backoff.next())
