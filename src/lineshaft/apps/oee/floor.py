"""The API of the shop floor's own pages: proposals, cycles, change-overs, handover, comparison."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from lineshaft.apps.oee.asked import LONGEST_DETAIL_US, End, Path, Start, check, machine_of
from lineshaft.apps.oee.behind import piece_view, pieces
from lineshaft.apps.oee.bodies import Handover
from lineshaft.apps.oee.changing import change_page
from lineshaft.apps.oee.comparing import compare_page
from lineshaft.apps.oee.cycles import cycle_page
from lineshaft.apps.oee.parts import Parts
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.services import Caller, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/oee", tags=["oee"])


@router.get("/proposals")
def proposals(
    oee: Parts, path: str, start: Annotated[int, Query(description="beginning of the stop, UTC microseconds")]
) -> dict[str, Any]:
    """What a stop may be: from the alarm at its beginning and what people said about stops like it, with the counts."""
    return oee.proposals.of_stop(machine_of(oee, path), start)


@router.get("/cycle-times")
def cycle_times(oee: Parts, path: str, start: Start, end: End) -> dict[str, Any]:
    """Cycle by cycle of one machine: distribution, slow ones, stops within cycles, time and money. At most 32 days."""
    check(oee, path, start, end, LONGEST_DETAIL_US)
    machine = machine_of(oee, path)
    return cycle_page(oee.reports, machine, oee.recorder.story(machine, start, end), start, end)


@router.get("/changeovers")
def changeovers(oee: Parts, start: Start, end: End, path: Path = "") -> dict[str, Any]:
    """From the last good part of a product to the first good part of the next, with phases. At most 32 days."""
    check(oee, path, start, end, LONGEST_DETAIL_US)
    return change_page(oee.reports, oee.recorder, oee.reports.machines(path), start, end)


@router.get("/compare")
def compare(
    oee: Parts, start: Start, end: End, path: Path = "",
    by: Literal["machine", "line", "area", "shift", "crew", "product"] = "machine",
) -> dict[str, Any]:  # fmt: skip
    """Parts beside each other and beside the period before, with the difference of OEE split over its factors."""
    check(oee, path, start, end)
    return compare_page(oee.reports, path, start, end, by)


@router.get("/behind")
def behind(
    oee: Parts, start: Start, end: End, key: Annotated[str, Query(description="the part: `key` of /kpis or /compare")],
    path: Path = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: Cursor = "",
    by: Literal["machine", "line", "area", "product", "order", "day", "shift", "crew", "slot"] = "machine",
) -> dict[str, Any]:  # fmt: skip
    """What the figures of one part are made of: each machine's shift with its own, newest first."""
    check(oee, path, start, end)
    if by == "slot" and not key.isdecimal():
        raise DataError(f"key is {key!r}, not the start of a slot", hint="see `key` of /oee/kpis?by=slot")
    found, complete = pieces(oee.reports, path, start, end, by, key)
    page, more = paged(found, lambda one: f"{one.start} {one.machine}", cursor, limit)
    items = [piece_view(oee.reports, one) for one in page]
    return {"items": items, "count": len(found), "complete": complete, "next": more}


@router.get("/handover")
def handover(
    oee: Parts, path: str, start: Annotated[int | None, Query(description="when the shift began; the last one")] = None
) -> dict[str, Any]:
    """What a shift of a line hands over to the next."""
    return oee.handovers.page(path, start, oee.clock.now_us())


@router.post("/handovers", status_code=201, dependencies=[needs(Role.OPERATOR)])
def hand_over(body: Handover, oee: Parts, caller: Caller) -> dict[str, Any]:
    """A note of the leaving shift, or that the coming one has taken over; `key` makes an entry count once."""
    entry = {"kind": body.kind, "text": body.text.strip(), "key": body.key}
    new = oee.handovers.say(body.path, body.shift_start, entry, caller.name, oee.clock.now_us())
    if new:
        oee.recorder.tell([body.path])
    return {"new": new}
