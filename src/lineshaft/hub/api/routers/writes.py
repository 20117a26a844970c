"""Values set on devices: ask for it, take it back, and the audit log of every attempt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from lineshaft.errors import DataError
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Desk, Parts, Services, needs
from lineshaft.hub.commands import ROLE, Commands
from lineshaft.hub.state.writes import WriteRecord

router = APIRouter(tags=["writes"])

Value = Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(min_length=1, max_length=1000)]


class NewWrite(BaseModel):
    """A value to set."""

    model_config = ConfigDict(extra="forbid")

    value: Value = Field(description="in the signal's unit; a state by its raw value or word, as the bounds say")
    reason: str = Field("", max_length=500, description="why, in a few words; needed")
    expected: Value | None = Field(None, description="set it only while it still has this value")
    dry_run: bool = Field(False, description="go the whole way but stop before the device")


class NewUndo(BaseModel):
    """A value to set back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500, description="why, in a few words; needed")
    dry_run: bool = Field(False, description="go the whole way but stop before the device")


class WriteView(BaseModel):
    """One attempt to set a value."""

    id: str
    time: int
    signal: str = Field(description="path")
    signal_id: int | None
    node: str
    user: str
    role: str
    via: str = Field(description="session, token, or sparkplug for a command of another host")
    reason: str
    dry_run: bool
    value: float | str | None
    expected: float | str | None
    before: float | str | None = Field(description="read from the device before the write")
    after: float | str | None = Field(description="read back behind it")
    outcome: str = Field(description="sent, done, dry-run, refused, failed, unconfirmed or unanswered")
    message: str
    hint: str
    finished: int | None
    undo_of: str = Field(description="id of the attempt that this one takes back")
    can_undo: bool


class WritePage(BaseModel):
    """Attempts, newest first; `next` is the cursor of the next page."""

    items: list[WriteView]
    next: str | None


@router.post("/signals/{signal}/writes", status_code=202)
def set_value(signal: int, body: NewWrite, parts: Parts, desk: Desk, caller: Caller) -> WriteView:
    """Ask the gateway to set a value. The answer is the attempt, sent or refused; `GET /writes/{id}` says how it ended.

    Needs the role engineer, and of a token that it may write; who may not is in the audit log, too.
    """
    found = parts.state.catalogue.by_id(signal)
    if found is None:
        raise NotFound(f"there is no signal {signal}")
    record = desk.write(caller, found, body.value, body.reason, expected=body.expected, dry_run=body.dry_run)
    return _view(record, parts, desk)


@router.post("/writes/{write}/undo", status_code=202)
def undo(write: str, body: NewUndo, parts: Parts, desk: Desk, caller: Caller) -> WriteView:
    """Set the value from before, unless it was changed since."""
    return _view(desk.undo(caller, _known(write, parts), body.reason, dry_run=body.dry_run), parts, desk)


@router.get("/writes", dependencies=[needs(ROLE)])
def audit(
    parts: Parts,
    desk: Desk,
    signal: Annotated[str, Query(description="path of a signal or equipment; it and all below it")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(description="`next` of the page before")] = "",
) -> WritePage:
    """The audit log: every attempt to set a value, also the refused ones."""
    found = parts.state.writes.find(signal=signal, limit=limit, before=_before(cursor))
    more = len(found) == limit
    items = [_view(one, parts, desk) for one in found]
    return WritePage(items=items, next=f"{items[-1].time}-{items[-1].id}" if more else None)


@router.get("/writes/{write}", dependencies=[needs(ROLE)])
def one_write(write: str, parts: Parts, desk: Desk) -> WriteView:
    """One attempt, and how it ended."""
    return _view(_known(write, parts), parts, desk)


def _known(write: str, parts: Services) -> WriteRecord:
    record = parts.state.writes.get(write)
    if record is None:
        raise NotFound(f"there is no write {write}")
    return record


def _before(cursor: str) -> tuple[int, str] | None:
    time, _, record = cursor.partition("-")
    if not cursor:
        return None
    if not time.isdecimal():
        raise DataError("this cursor was not made by this hub")
    return int(time), record


def _view(record: WriteRecord, parts: Services, desk: Commands) -> WriteView:
    signal = parts.state.catalogue.by_path(record.signal)
    return WriteView(
        id=record.id,
        time=record.time,
        signal=record.signal,
        signal_id=None if signal is None else signal.id,
        node=record.node,
        user=record.user,
        role=record.role,
        via=record.via,
        reason=record.reason,
        dry_run=record.dry_run,
        value=record.value,
        expected=record.expected,
        before=record.before,
        after=record.after,
        outcome=desk.outcome(record),
        message=record.message,
        hint=record.hint,
        finished=record.finished,
        undo_of=record.undo_of,
        can_undo=desk.undoable(record),
    )
