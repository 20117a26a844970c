"""Commands to set a value: who may, why, within which bounds; noted before they are sent to the gateway."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from lineshaft.clock import MICROSECONDS, Clock
from lineshaft.errors import AccessDenied, DataError
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.hub.state.state import State
from lineshaft.hub.state.writes import SENT, WriteRecord
from lineshaft.model.events import Event, Severity
from lineshaft.wire.writes import SetValue, WriteCommand

ROLE: Final = Role.ENGINEER
LIFE: Final = 30
"""Seconds after which a command is not carried out any more."""
ANSWER: Final = 60
"""Seconds after the deadline from which on no answer is a finding: the device's own time is over, too."""
UNANSWERED: Final = "unanswered"
_UNDOABLE: Final = ("done", "unconfirmed")

Send = Callable[[str, WriteCommand], bool]
"""Gives a command to a node (group/edge node); False when there is no connection."""


class Commands:
    """Every call may block (database), so the event loop calls it in a thread."""

    def __init__(self, state: State, send: Send, clock: Clock) -> None:
        self._state = state
        self._send = send
        self._clock = clock

    def write(
        self,
        caller: Principal,
        signal: CataloguedSignal,
        value: SetValue,
        reason: str,
        *,
        expected: SetValue | None = None,
        dry_run: bool = False,
        undo_of: str = "",
    ) -> WriteRecord:
        """Ask the gateway to set a value; gives the attempt as it is noted, sent or refused.

        Raises AccessDenied and DataError (no reason) when the attempt was refused for what the caller is or said.
        """
        now = self._clock.now_us()
        deadline = now + LIFE * MICROSECONDS
        record = WriteRecord(
            uuid.uuid4().hex, now, signal.path, signal.born.node, caller.name, caller.role, caller.via,
            reason.strip(), dry_run, value, deadline, expected, undo_of=undo_of,
        )  # fmt: skip
        self._check_caller(record, caller)
        if words := self._refusal(signal, value):
            return self._refuse(record, words)
        self._state.writes.add(record)
        command = WriteCommand(
            record.id, record.signal, value, deadline, caller.name, record.reason, expected, dry_run
        )  # fmt: skip
        if self._send(record.node, command):
            return record
        words, hint = "the hub has no connection to the broker", "see the page Health"
        self._state.writes.finish(record.id, "refused", words, hint, now)
        return self._told(replace(record, outcome="refused", message=words, hint=hint, finished=now))

    def undo(self, caller: Principal, record: WriteRecord, reason: str, *, dry_run: bool = False) -> WriteRecord:
        """Set the value from before an attempt, unless it was changed since. Raises as `write`."""
        signal = self._state.catalogue.by_path(record.signal)
        if signal is None or not self.undoable(record) or record.before is None:
            raise DataError("this cannot be taken back", hint="only a value that was set can be")
        expected = record.value if record.after is None else record.after
        return self.write(
            caller, signal, record.before, reason, expected=expected, dry_run=dry_run, undo_of=record.id
        )  # fmt: skip

    def undoable(self, record: WriteRecord) -> bool:
        """Whether the value from before is known and may be set again."""
        signal = self._state.catalogue.by_path(record.signal)
        written = record.outcome in _UNDOABLE and not record.dry_run and record.before is not None
        return written and signal is not None and bool(signal.born.writable)

    def outcome(self, record: WriteRecord) -> str:
        """What became of an attempt until now."""
        overdue = self._clock.now_us() > record.deadline + ANSWER * MICROSECONDS
        return UNANSWERED if record.outcome == SENT and overdue else record.outcome

    def _check_caller(self, record: WriteRecord, caller: Principal) -> None:
        refusal: AccessDenied | DataError | None = None
        if not caller.role.covers(ROLE):
            refusal = AccessDenied(f"this needs the role {ROLE}; {caller.name} has {caller.role}")
        elif not caller.may_write:
            refusal = AccessDenied("this API token may not set values", hint="make a token that may write to devices")
        elif not record.reason:
            refusal = DataError("a reason is needed", hint="say in a few words why")
        if refusal is not None:
            self._refuse(record, str(refusal), refusal.hint)
            raise refusal

    def _refusal(self, signal: CataloguedSignal, value: SetValue) -> str:
        """What the hub knows against it; the gateway judges again, by what it knows itself."""
        bounds = bounds_of(signal)
        if bounds is None:
            return "this signal cannot be set: its gateway does not allow it"
        allowed = bounds.get("allowed")
        if allowed and value not in allowed:
            return f"{value} is not one of {', '.join(map(str, allowed))}"
        if not allowed and not isinstance(value, str) and not bounds["low"] <= value <= bounds["high"]:
            return f"{value:g} is not within {bounds['low']:g} and {bounds['high']:g}"
        gateway = next(
            (one for one in self._state.sources.all() if (one.node, one.device) == (signal.born.node, "")), None
        )
        if gateway is None or gateway.state not in ("online", "degraded"):
            return "the gateway is not online"
        return ""

    def _refuse(self, record: WriteRecord, message: str, hint: str = "") -> WriteRecord:
        refused = replace(record, outcome="refused", message=message, hint=hint, finished=record.time)
        self._state.writes.add(refused)
        return self._told(refused)

    def _told(self, record: WriteRecord) -> WriteRecord:
        """A refusal of the hub is an event like one of the gateway."""
        name = record.signal.rpartition("/")[2]
        words = f"{name} was not set to {record.value} by {record.user}: {record.message}"
        details = {"write": record.id, "value": record.value, "by": record.user, "reason": record.reason}
        event = Event(record.time, "write.refused", record.signal, words, Severity.LOW, details)
        self._state.events.add([event])
        return record


def bounds_of(signal: CataloguedSignal) -> dict[str, Any] | None:
    """Within which bounds a signal may be set, as its gateway says; None when it may not."""
    try:
        bounds = json.loads(signal.born.writable) if signal.born.writable else None
    except ValueError:
        return None
    known = isinstance(bounds, dict) and (bounds.get("allowed") or {"low", "high"} <= bounds.keys())
    return bounds if known else None
