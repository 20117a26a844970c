"""The API of orders, below /api/v1/oee/orders."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request

from lineshaft.apps.oee.bodies import Moment, Orders
from lineshaft.apps.oee.order_files import LONGEST_FILE, Names, Read, RowError, read_orders
from lineshaft.apps.oee.order_store import Changes
from lineshaft.apps.oee.order_view import actual_times, order_rows
from lineshaft.apps.oee.orders import Order, place_of, state_of
from lineshaft.apps.oee.parts import Oee, Parts
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, needs
from lineshaft.hub.configuration import Conflict
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/oee/orders", tags=["oee"])
_MOST_SHOWN = 2000


@router.get("")
def orders(
    oee: Parts,
    path: Annotated[str, Query(description="equipment path; all when empty")] = "",
    start: Annotated[int | None, Query(description="UTC µs; orders whose plan or work ends after it")] = None,
    end: Annotated[int | None, Query(description="UTC µs; orders whose plan or work begins before it")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_SHOWN)] = _MOST_SHOWN,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """The plan with actual times and parts, by planned start, a page at a time."""
    machine = oee.setup.machines.get(path)
    found = oee.store.orders.find(path, start, end, machine.line if machine else "")
    page, more = paged(found, lambda one: one.id, cursor, limit)
    return {"items": order_rows(oee.reports, page, oee.clock.now_us()), "more": more is not None, "next": more}


@router.put("", dependencies=[needs(Role.ENGINEER)])
def put_orders(body: Orders, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Add orders to the plan, or change those with the same id. The same body twice changes nothing."""
    new, errors = [], []
    for row, one in enumerate(body.items, 1):
        path = place_of(oee.setup, one.path)
        if path is None:
            errors.append(RowError(row, "path", f"{one.path!r} is no machine and no line of OEE, or names several"))
        elif one.start >= one.end:
            errors.append(RowError(row, "end", "is not after the start"))
        else:
            new.append((row, Order(one.id, path, one.product, one.quantity, one.start, one.end, one.cycle, one.crew)))
    changes = take(oee, Read(tuple(new), (), tuple(errors)), caller.name)
    return {"items": len(body.items), **asdict(changes)}


@router.post("/import", dependencies=[needs(Role.ENGINEER)])
async def import_orders(
    request: Request,
    oee: Parts,
    caller: Caller,
    dry_run: Annotated[bool, Query(description="only say what would change, and what is wrong")] = False,
) -> dict[str, Any]:
    """A CSV or B2MML file as the body. With one mistake in it nothing is imported; all mistakes are named."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > LONGEST_FILE:
            raise DataError(f"the file is longer than {LONGEST_FILE} bytes", hint="split it")
    return await asyncio.to_thread(_import, oee, bytes(data), caller.name, dry_run)


def _import(oee: Oee, data: bytes, by: str, dry_run: bool) -> dict[str, Any]:
    names = Names(lambda text: place_of(oee.setup, text), ZoneInfo(oee.setup.zone))
    read = read_orders(data, names)
    known = {one.id for one in oee.setup.products}
    warnings = [
        asdict(RowError(row, "product", f"{one.product!r} is no product of the plant; it has no ideal cycle"))
        for row, one in read.orders
        if known and one.product not in known
    ]
    errors = [*read.errors, *_refused(oee, read)]
    if dry_run:
        changes = oee.store.orders.put([one for _, one in read.orders], [one for _, one in read.cancelled], by, 0, True)
        shown = [asdict(one) | {"row": row} for row, one in read.orders[:200]]
        return {
            "errors": [asdict(one) for one in sorted(errors, key=lambda one: one.row)],
            "warnings": warnings[:200], "orders": shown, **asdict(changes),
        }  # fmt: skip
    return asdict(take(oee, read, by)) | {"errors": [], "warnings": warnings[:200]}


def take(oee: Oee, read: Read, by: str) -> Changes:
    """All of it, or nothing: raises DataError that names every mistake."""
    errors = sorted([*read.errors, *_refused(oee, read)], key=lambda one: one.row)
    if errors:
        words = "; ".join(f"row {one.row}: {one.field} {one.message}" for one in errors[:5])
        more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
        raise DataError(f"nothing was imported: {words}{more}", hint="ask with dry_run=true for the whole list")
    orders = [one for _, one in read.orders]
    before = oee.store.orders.some([one.id for one in orders])
    changes = oee.store.orders.put(orders, [one for _, one in read.cancelled], by, oee.clock.now_us())
    for one in orders:
        old = before.get(one.id)
        if old is not None and old.began is not None and old.product != one.product:
            oee.recorder.orders_changed(one.path, old.began)
    oee.recorder.tell([one.path for one in orders] or [""])
    return changes


def _refused(oee: Oee, read: Read) -> list[RowError]:
    """Rows that would change what has happened already."""
    ids = [one.id for _, one in read.orders] + [one for _, one in read.cancelled]
    known = oee.store.orders.some(ids)
    actual = actual_times(oee.reports, list(known.values()), oee.clock.now_us())
    wrong = []
    for row, one in read.orders:
        before = known.get(one.id)
        if before is None or before.plan == one.plan:
            continue
        if actual[one.id][1] is not None:
            wrong.append(RowError(row, "id", f"order {one.id} is finished; it cannot change any more"))
        elif actual[one.id][0] is not None and before.path != one.path:
            wrong.append(RowError(row, "path", f"order {one.id} runs on {before.path}; finish it there first"))
    wrong += [
        RowError(row, "id", f"order {one} has begun; it cannot be cancelled")
        for row, one in read.cancelled
        if one in known and actual[one][0] is not None
    ]
    return wrong


@router.delete("/{order:path}", dependencies=[needs(Role.ENGINEER)])
def remove_order(order: str, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Take an order that has not begun out of the plan."""
    _known(oee, order)
    return asdict(take(oee, Read((), ((1, order),), ()), caller.name))


@router.post("/{order:path}/start", dependencies=[needs(Role.OPERATOR)])
def start_order(order: str, body: Moment, oee: Parts, caller: Caller) -> dict[str, Any]:
    """An order begins: now, or at a time that is past. The same again changes nothing."""
    found, now = _known(oee, order), oee.clock.now_us()
    at = _past(body.at, now)
    for machine in oee.setup.machines.values():
        if found.runs_on(machine) and machine.config.order:
            raise Conflict(f"{machine.name} names its order by a signal", hint="start the order at the machine")
    if found.began is not None:
        if found.ended is None and body.at is None:
            return _told(found)
        raise Conflict(f"order {order} has begun already", hint="finish it, or plan the rest as a new order")
    running = _running(oee, found)
    if running and not body.finish_running:
        words = ", ".join(one.id for one in running)
        raise Conflict(f"order {words} is running there", hint="finish it first, or send finish_running")
    for one in running:
        oee.store.orders.moment(one, one.began, max(at, one.began or 0), caller.name, now, "order-finished")
    oee.store.orders.moment(found, at, None, caller.name, now, "order-started")
    oee.recorder.orders_changed(found.path, at)
    oee.wake()
    return _told(replace(found, began=at))


@router.post("/{order:path}/finish", dependencies=[needs(Role.OPERATOR)])
def finish_order(order: str, body: Moment, oee: Parts, caller: Caller) -> dict[str, Any]:
    """An order ends: now, or at a time that is past. The same again changes nothing."""
    found, now = _known(oee, order), oee.clock.now_us()
    at = _past(body.at, now)
    if found.began is None:
        raise Conflict(f"order {order} was not started here", hint="start it first")
    if found.ended is not None and body.at is None:
        return _told(found)
    if at <= found.began:
        raise DataError("an order ends after it began")
    before = found.ended or at
    oee.store.orders.moment(found, found.began, at, caller.name, now, "order-finished")
    oee.recorder.orders_changed(found.path, min(before, at))
    oee.wake()
    return _told(replace(found, ended=at))


def _running(oee: Oee, order: Order) -> list[Order]:
    """Orders that people started on a machine of this one, and that have not ended."""
    machines = [one for one in oee.setup.machines.values() if order.runs_on(one)]
    lines = {one.line for one in machines} | {order.path}
    paths = {one.path for one in oee.setup.machines.values() if one.line in lines} if order.path in lines else set()
    now = oee.clock.now_us()
    begun = oee.store.orders.begun(machines, now, now + 1)
    return [one for one in begun if one.ended is None and one.id != order.id and (one.path in paths | lines)]


def _told(order: Order) -> dict[str, Any]:
    return asdict(order) | {"state": state_of(order.began, order.ended)}


def _past(at: int | None, now: int) -> int:
    if at is not None and at > now:
        raise DataError("the time is not past", hint="UTC microseconds; without a time it is now")
    return now if at is None else at


def _known(oee: Oee, order: str) -> Order:
    found = oee.store.orders.get(order)
    if found is None:
        raise NotFound(f"there is no order {order}")
    return found
