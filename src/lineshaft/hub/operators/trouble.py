"""Why an operator fails on an asset, since when, how often it was tried, and the events that say so."""

from __future__ import annotations

from typing import Final

from lineshaft.clock import MICROSECONDS
from lineshaft.hub.state.events import FAILING, RECOVERED
from lineshaft.hub.state.operators import Key, Trouble
from lineshaft.model.events import Event, Severity

_PAUSES: Final = (10.0, 60.0, 300.0)  # seconds after a failure; the last one again and again


def failed(before: Trouble | None, error: str, hint: str, now: int) -> Trouble:
    """One more failure at `now` (UTC microseconds); `before`: None when it worked until now."""
    if before is None:
        return Trouble(error, hint, now, now, 1)
    return Trouble(error, hint, before.since, now, before.failures + 1)


def pause(trouble: Trouble) -> float:
    """Seconds until it is tried again."""
    return _PAUSES[min(trouble.failures, len(_PAUSES)) - 1]


def failing_event(key: Key, name: str, trouble: Trouble) -> Event:
    """That the operator `key` has begun to fail on the asset `name`: what happened and what to do."""
    operator, asset = key
    error = trouble.error.rstrip(".")
    words = f"The operator {operator} fails on {name}: {error}. It finds nothing there until it works again"
    if trouble.hint:
        words += f"; {trouble.hint}"
    details = {"operator": operator, "error": trouble.error, "hint": trouble.hint}
    return Event(trouble.since, FAILING, asset, f"{words}.", Severity.MEDIUM, details)


def recovered_event(key: Key, name: str, trouble: Trouble, now: int) -> Event:
    """That it works again, how long it had not, and that nothing is missing."""
    operator, asset = key
    seconds = max(0, now - trouble.since) // MICROSECONDS
    times = "once" if trouble.failures == 1 else f"{trouble.failures} times"
    words = f"The operator {operator} works again on {name}; it failed {times} in {_span(seconds)}."
    words += " The rows since then are worked in."
    details: dict[str, str | int | float | bool | None] = {
        "operator": operator,
        "failures": trouble.failures,
        "seconds": seconds,
        "error": trouble.error,
    }
    return Event(now, RECOVERED, asset, words, Severity.INFO, details)


def _span(seconds: int) -> str:
    """In words, rounded to what matters."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{seconds} s"
