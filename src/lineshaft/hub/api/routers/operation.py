"""How the hub itself does: sources, ledger, events and health."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from lineshaft.errors import StoreUnavailable, Unsupported
from lineshaft.hub.api.models import (
    Alive,
    CheckView,
    DropView,
    EventPage,
    EventView,
    Health,
    LedgerPage,
    LedgerView,
    Sources,
    SourceView,
)
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, mark, marked, paged
from lineshaft.hub.api.services import Caller, Check, Parts, Services, needs
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.events import StoredEvent
from lineshaft.hub.state.ledger import LedgerRow
from lineshaft.hub.state.sources import Source

router = APIRouter(tags=["operation"])
alive = APIRouter(tags=["operation"])

SUMS = ("arrived", "duplicates", "dropped", "pending", "unexplained")


@alive.get("/alive")
def is_alive() -> Alive:
    """The process answers; needs no credentials and tells nothing else."""
    return Alive()


@router.get("/sources")
def sources(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Sources:
    """Gateways and devices: state, last value, rate, buffer, errors in words."""
    by_device: dict[tuple[str, str], list[int]] = {}
    for one in parts.state.catalogue.signals():
        by_device.setdefault((one.born.node, one.born.device), []).append(one.id)
    found, more = paged(parts.state.sources.all(), lambda one: f"{one.node}/{one.device}", cursor, limit)
    return Sources(items=[_source(one, by_device, parts) for one in found], next=more)


@router.get("/ledger")
def ledger(
    parts: Parts,
    asset: Annotated[str, Query(description="signals of this equipment and all below it")] = "",
    signal: Annotated[str, Query(description="path or id of one signal")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> LedgerPage:
    """The gap ledger: what was expected, what arrived, and why anything is missing."""
    if signal.isdigit():
        known = parts.state.catalogue.by_id(int(signal))
        signal = signal if known is None else known.path
    waiting = {one.node for one in parts.state.sources.all() if not one.device and _still_has(one)}
    rows = [_account(row, waiting) for row in parts.state.ledger.rows(asset, signal)]
    total = {name: sum(getattr(row, name) for row in rows) for name in SUMS}
    total["expected"] = sum(row.expected or 0 for row in rows)
    page, more = paged(rows, lambda row: row.signal, cursor, limit)
    return LedgerPage(items=list(page), total=total, next=more)


@router.get("/events")
def events(
    parts: Parts,
    since: Annotated[int | None, Query(description="UTC microseconds")] = None,
    until: Annotated[int | None, Query(description="UTC microseconds, not included")] = None,
    subject: Annotated[str, Query(description="a path; it and all below it")] = "",
    kind: Annotated[str, Query(description="how the kind begins, like operator.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = "",
) -> EventPage:
    """Events, newest first."""
    before = marked(cursor)
    found = parts.state.events.find(since=since, until=until, subject=subject, kind=kind, limit=limit, before=before)
    items = [event_view(one) for one in found]
    more = len(items) == limit
    return EventPage(items=items, next=mark(items[-1].time, items[-1].id) if more else None)


@router.get("/health")
def health(parts: Parts) -> Health:
    """Every part: pass, warn or fail, in words, and how to mend it."""
    checks = [_state_check(parts), _historian_check(parts), _catalogue_check(parts), *_sources_check(parts)]
    for more in parts.checks:
        checks += more()
    worst = max(checks, key=lambda check: ("pass", "warn", "fail").index(check.state)).state
    views = [CheckView(part=one.part, state=one.state, words=one.words, mend=one.mend) for one in checks]
    return Health(state=worst, checks=views, figures=dict(parts.figures()))


@router.get("/restart")
def restart_view(parts: Parts) -> dict[str, Any]:
    """What waits until the hub starts anew, and about how long that takes."""
    restart = parts.restart
    if restart is None:
        return {"possible": False, "waiting": [], "seconds": None}
    return {"possible": True, "waiting": list(restart.waiting()), "seconds": round(restart.seconds(), 1)}


@router.post("/restart", status_code=202, dependencies=[needs(Role.ENGINEER)])
def restart_hub(parts: Parts, caller: Caller) -> dict[str, Any]:
    """End in order and start again with the plant folder as it is now; gateways keep what they have meanwhile."""
    if parts.restart is None:
        raise Unsupported("this hub cannot start itself anew", hint="start its process again by hand")
    parts.restart.ask(caller.name)
    return {"seconds": round(parts.restart.seconds(), 1)}


def event_view(one: StoredEvent) -> EventView:
    """An event as the API shows it."""
    event = one.event
    return EventView(
        id=one.id,
        time=event.time,
        kind=event.kind,
        subject=event.subject,
        message=event.message,
        severity=event.severity,
        details=dict(event.details),
    )


def _source(one: Source, by_device: dict[tuple[str, str], list[int]], parts: Services) -> SourceView:
    owned = [
        numbers
        for (node, device), numbers in by_device.items()
        if node == one.node and (not one.device or device == one.device)
    ]
    ids = np.array([number for numbers in owned for number in numbers], np.uint32)
    newest = parts.stream.latest(ids).times
    buffer: dict[str, Any] = one.details.get("buffer") or {}
    oldest = buffer.get("oldest")
    return SourceView(
        node=one.node,
        device=one.device,
        name=str(one.details.get("name") or one.device or one.node.rpartition("/")[2]),
        protocol=str(one.details.get("protocol") or ""),
        state=one.state,
        since=one.since,
        updated=one.updated,
        last=int(newest.max()) if len(newest) else None,
        rate=round(parts.stream.rates(ids), 3),
        signals=len(ids),
        buffer_rows=buffer.get("rows"),
        oldest_age=None if oldest is None else max(0.0, (parts.clock.now_us() - oldest) / 1e6),
        error=str(one.details.get("error") or ""),
        hint=str(one.details.get("hint") or ""),
        details=dict(one.details),
    )


def _still_has(one: Source) -> bool:
    """Whether a gateway may still bring what is missing."""
    rows = (one.details.get("buffer") or {}).get("rows")
    return one.state != "online" or rows is None or rows > 0


def _account(row: LedgerRow, waiting: set[str]) -> LedgerView:
    pending = row.missing if row.node in waiting else 0
    return LedgerView(
        signal=row.path,
        id=row.signal,
        expected=row.expected,
        arrived=row.arrived,
        duplicates=row.duplicates,
        dropped=row.dropped,
        pending=pending,
        unexplained=row.missing - pending,
        drops=[DropView(rows=one.rows, first=one.first, last=one.last, reason=one.reason) for one in row.drops],
    )


def _state_check(parts: Services) -> Check:
    try:
        count = parts.state.accounts.count()
    except StoreUnavailable as error:
        return Check("state database", "fail", str(error), "see that the database runs and its disk has room")
    return Check("state database", "pass", f"answers; {count} users")


def _historian_check(parts: Services) -> Check:
    try:
        size = parts.historian.size_bytes()
    except StoreUnavailable as error:
        return Check("historian", "fail", str(error), "see that ClickHouse runs and its disk has room")
    return Check("historian", "pass", f"answers; {size / 1e6:,.1f} MB on disk")


def _catalogue_check(parts: Services) -> Check:
    """Samples are stored by id, so a historian with another hub's state database would show wrong names."""
    ids = parts.stream.known().tolist()
    nameless = sum(parts.state.catalogue.by_id(number) is None for number in ids)
    if nameless:
        words = f"the historian has {nameless} signals that the state database does not know"
        return Check("catalogue", "fail", words, "the two belong together: restore both from the same backup")
    return Check("catalogue", "pass", f"{len(parts.state.catalogue.signals()):,} signals")


def _sources_check(parts: Services) -> Sequence[Check]:
    found = parts.state.sources.all()
    if not found:
        return [Check("sources", "warn", "no gateway has reported yet", "start a gateway: lineshaft gateway PLANT")]
    return [_source_check(one) for one in found if one.state != "online"] or [
        Check("sources", "pass", f"all {len(found)} gateways and devices are online")
    ]


def _source_check(one: Source) -> Check:
    name = f"device {one.device}" if one.device else f"gateway {one.node}"
    words = str(one.details.get("error") or f"is {one.state}")
    return Check(name, "warn", words, str(one.details.get("hint") or "see that it is powered and on the network"))
