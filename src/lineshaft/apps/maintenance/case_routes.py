"""The API of cases, below /api/v1/maintenance/cases."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from lineshaft.apps.maintenance import bodies, story
from lineshaft.apps.maintenance.parts import App
from lineshaft.apps.maintenance.risk import SEVERITIES, basis_of
from lineshaft.apps.maintenance.store import StoredCase, plain
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, needs
from lineshaft.hub.security.roles import Role
from lineshaft.model.events import Event

router = APIRouter(prefix="/maintenance/cases", tags=["maintenance"])

_AHEAD_US = 300_000_000
"""A clock of a person may be so much ahead."""


@router.get("")
def cases(
    app: App,
    parts: Parts,
    asset: Annotated[str, Query(description="this equipment and all below it")] = "",
    open_only: Annotated[bool, Query(alias="open", description="only those that are open")] = False,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    cursor: Cursor = "",
) -> bodies.Cases:
    """Cases: open ones first, the most severe first, then the newest."""
    found = sorted(app.store.find(asset=asset, open_only=open_only, limit=None), key=_urgency)
    page, more = paged(found, lambda one: one.id, cursor, limit)
    return bodies.Cases(items=[view(one) for one in page], currency=parts.plant.currency, next=more)


@router.get("/{number}")
def case(number: int, app: App, parts: Parts) -> bodies.CaseDetail:
    """One case with its whole story, and the vibration before and after the repair."""
    return _detail(_one(app, number), parts.plant.currency)


@router.post("/{number}/actions", status_code=201, dependencies=[needs(Role.OPERATOR)])
def act(number: int, body: bodies.Action, app: App, parts: Parts, caller: Caller) -> bodies.CaseDetail:
    """Acknowledge, assign, comment, record work, close or reopen; it stands in the events with who did it."""
    one = _one(app, number)
    now = parts.clock.now_us()
    _check(one, body, now)
    details: dict[str, str | int | float | bool | None] = {
        "by": caller.name,
        "case": one.case.opened,
        "fault": one.case.fault,
    }
    more = {"to": body.to, "found": body.found, "cost": body.cost, "hours": body.hours}
    details |= {name: value for name, value in more.items() if value not in ("", None)}
    time = body.time if body.action == "work" and body.time is not None else now
    words = body.words.strip() or _WORDS.get(body.action, "") or body.to
    parts.state.events.add([Event(time, f"{story.ACTION}{body.action}", one.case.asset, words, details=details)])
    app.recorder.retell(one.case.asset)
    return _detail(_one(app, number), parts.plant.currency)


_WORDS = {"acknowledge": "Seen", "close": "Closed", "reopen": "Reopened"}


def _check(one: StoredCase, body: bodies.Action, now: int) -> None:
    """Raises DataError that says what is missing."""
    action = body.action
    if action in ("comment", "work") and not body.words.strip():
        raise DataError(f"{action}: words are missing", hint="say what was seen or done")
    if action == "assign" and not body.to.strip():
        raise DataError("assign: nobody is named", hint="give `to`")
    if action == "close" and not body.found:
        raise DataError("close: it is not said what was found", hint="`found` is confirmed, none or failed")
    if action in ("close", "acknowledge", "assign") and not one.case.open:
        raise DataError(f"the case {one.id} is closed", hint="reopen it first")
    if action == "reopen" and one.case.open:
        raise DataError(f"the case {one.id} is open")
    if body.time is not None and action != "work":
        raise DataError("only work has a time of its own", hint="leave `time` out")
    if body.time is not None and not one.case.opened <= body.time <= now + _AHEAD_US:
        raise DataError("the time of the work is before the case, or in the future", hint="UTC microseconds")


def view(one: StoredCase) -> bodies.CaseView:
    """A case for people."""
    return bodies.CaseView(**_fields(one))


def _detail(one: StoredCase, currency: str) -> bodies.CaseDetail:
    return bodies.CaseDetail(
        **_fields(one),
        entries=[bodies.EntryView(**{**asdict(entry), "details": dict(entry.details)}) for entry in one.case.entries],
        comparison=None if one.comparison is None else bodies.ComparisonView.model_validate(one.comparison),
        currency=currency,
    )


def _fields(one: StoredCase) -> dict[str, Any]:
    return {
        **plain(one.case),
        "id": one.id,
        "severity": one.severity,
        "chance": one.chance,
        "basis": basis_of(one.case),
        "loss": None if one.failure_cost is None else one.chance * one.failure_cost,
        "failure_cost": one.failure_cost,
        "repair_cost": one.repair_cost,
        "last": one.case.entries[-1].words if one.case.entries else "",
        "updated": one.updated,
    }


def _urgency(one: StoredCase) -> tuple[bool, int, int]:
    return not one.case.open, -SEVERITIES.index(one.severity) if one.case.open else 0, -one.case.opened


def _one(app: App, number: int) -> StoredCase:
    found = app.store.one(number)
    if found is None:
        raise NotFound(f"there is no case {number}")
    return found
