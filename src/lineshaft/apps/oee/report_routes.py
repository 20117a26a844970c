"""The API of results that leave the hub: shift reports, exports and the outbox, below /api/v1/oee."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from lineshaft.analytics.oee.kpis import KPIS
from lineshaft.apps.oee import b2mml
from lineshaft.apps.oee.closing import asdicts, order_figures
from lineshaft.apps.oee.order_files import csv_of, iso
from lineshaft.apps.oee.order_view import order_rows
from lineshaft.apps.oee.parts import Oee, Parts
from lineshaft.apps.oee.report_pdf import report_pdf
from lineshaft.apps.oee.shift_report import build, changes, period_at, periods
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/oee", tags=["oee"])
_LONGEST_US = 92 * 86_400_000_000
_ORDERS_US = 400 * 86_400_000_000

Path = Annotated[str, Query(description="equipment path: machine, line, area or site; all when empty")]
Start = Annotated[int, Query(description="UTC microseconds")]
End = Annotated[int, Query(description="UTC microseconds, not included")]


@router.get("/reports")
def reports(oee: Parts, start: Start, end: End, path: Path = "") -> dict[str, Any]:
    """Shifts that have begun, newest first, with OEE and whether their report was mailed. At most 92 days."""
    _known(oee, path)
    if not 0 < end - start <= _LONGEST_US:
        raise DataError("the range is empty, or longer than 92 days")
    now = oee.clock.now_us()
    mailed: dict[int, list[Any]] = {}
    for one in oee.outbox.reports(path):
        mailed.setdefault(one.start, []).append({"target": one.target, "state": one.state, "sent": one.sent})
    sums = oee.reports.totals(path, start, end, "slot") if end - start > 0 else {}
    rows = [
        {"start": slot.start, "end": slot.end, "id": slot.shift, "day": slot.day, "crew": slot.crew,
         "running": slot.end > now, "recorded": (str(slot.start),) in sums, "mails": mailed.get(slot.start, [])}
        for slot in periods(oee.reports, path, start, end)
        if slot.start < now
    ]  # fmt: skip
    return {"items": rows[::-1]}


@router.get("/reports/shift")
def shift_report(oee: Parts, start: Start, path: Path = "") -> dict[str, Any]:
    """The report of the shift that began at `start` as it is known now; and what has changed since it was mailed."""
    now = _report(oee, path, start)
    mailed = [one for one in oee.outbox.reports(path, start) if one.payload.get("report")]
    sent = next((one for one in mailed if one.state == "sent"), None)
    return {
        "report": now,
        "mails": asdicts(mailed),
        "sent": sent.sent if sent else None,
        "changes": changes(sent.payload["report"], now) if sent else [],
    }


@router.get("/reports/shift.pdf")
def shift_pdf(oee: Parts, start: Start, path: Path = "") -> Response:
    """The same as a PDF to keep."""
    report = _report(oee, path, start)
    name = f"shift-report-{report['shift']['day']}-{report['shift']['id'] or 'day'}.pdf"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(report_pdf(report), media_type="application/pdf", headers=headers)


@router.get("/export")
def export(
    oee: Parts,
    start: Start,
    end: End,
    path: Path = "",
    by: Literal["machine", "line", "area", "product", "order", "day", "shift", "crew", "slot"] = "shift",
) -> Response:
    """Every KPI with its times and counts as CSV, a row for each part; times in seconds."""
    _known(oee, path)
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    parts = oee.reports.kpis(path, start, end, by)["parts"]
    ids = [kpi.id for kpi in KPIS]
    times, counts = (list(parts[0][name]) if parts else [] for name in ("times", "counts"))
    columns = [by, "name", *ids, *(f"{name}_s" for name in times), *counts, "coverage"]
    rows = [
        [_key(by, one["key"]), one["name"], *(one["kpis"][name] for name in ids),
         *(one["times"][name] for name in times), *(one["counts"][name] for name in counts), one["coverage"]]
        for one in parts
    ]  # fmt: skip
    return Response(csv_of(columns, rows), media_type="text/csv; charset=utf-8", headers=_as_file("kpis.csv"))


@router.get("/performance")
def performance(
    oee: Parts,
    start: Start,
    end: End,
    path: Path = "",
    schema: Annotated[Literal["production", "operations"], Query(description="which B2MML document")] = "production",
    format: Annotated[Literal["b2mml", "csv", "json"], Query(description="form of the answer")] = "b2mml",  # noqa: A002
) -> Any:
    """Orders that were planned or worked on in a range, with their times, parts and KPIs. At most 400 days."""
    if not 0 < end - start <= _ORDERS_US:
        raise DataError("the range is empty, or longer than 400 days")
    machine, now = oee.setup.machines.get(path), oee.clock.now_us()
    found = oee.store.orders.find(path, start, end, machine.line if machine else "")
    rows = [one | order_figures(oee.reports, one) for one in order_rows(oee.reports, found, now)]
    if format == "json":
        return {"items": rows}
    if format == "csv":
        columns = ("id", "path", "product", "quantity", "start", "end", "began", "ended", "state", "good", "scrap",
                   "cycle", "crew")  # fmt: skip
        moments = ("start", "end", "began", "ended")
        table = [
            [iso(one[name]) if name in moments else one[name] for name in columns]
            + [one["kpis"].get(name) for name in ("oee", "availability", "effectiveness", "quality", "throughput-rate")]
            for one in rows
        ]
        heads = (*columns, "oee", "availability", "effectiveness", "quality", "throughput_rate_per_h")
        return Response(csv_of(heads, table), media_type="text/csv; charset=utf-8", headers=_as_file("orders.csv"))
    text = b2mml.performance(rows, oee.plant, now, oee.setup.products, schema)
    return Response(text, media_type="application/xml", headers=_as_file(f"{schema}-performance.xml"))


@router.get("/deliveries", dependencies=[needs(Role.OPERATOR)])
def deliveries(oee: Parts, limit: Annotated[int, Query(ge=1, le=500)] = 100, cursor: Cursor = "") -> dict[str, Any]:
    """What was sent, waits or was given up, newest first; and the targets that there are."""
    targets = [
        *({"id": one.id, "kind": "webhook", "to": one.url, "on": one.on} for one in oee.targets.webhooks),
        *({"id": one.id, "kind": "mail", "to": ", ".join(one.to), "on": ("shift",)} for one in oee.targets.mails),
    ]
    found, more = paged(oee.outbox.find(None), lambda one: one.id, cursor, limit)
    return {"items": asdicts(found), "counts": oee.outbox.counts(), "targets": targets, "next": more}


@router.post("/deliveries/{delivery:path}/again", dependencies=[needs(Role.ENGINEER)])
async def again(delivery: str, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Try a delivery that waits, or that was given up, at once."""
    if not oee.outbox.again(delivery, oee.clock.now_us()):
        raise NotFound(f"there is no delivery {delivery} that is not sent")
    oee.store.note_change("delivery-again", "", caller.name, oee.clock.now_us(), {"delivery": delivery})
    oee.wake()
    return {"id": delivery}


def _report(oee: Oee, path: str, start: int) -> dict[str, Any]:
    _known(oee, path)
    slot = period_at(oee.reports, path, start)
    if slot is None:
        raise NotFound("no shift of this part of the plant began then")
    return build(oee.reports, path, slot, oee.plant, oee.clock.now_us())


def _known(oee: Oee, path: str) -> None:
    if path and not oee.setup.below(path):
        raise NotFound(f"no machine of OEE is at or below {path}")


def _key(by: str, key: str) -> str:
    return iso(int(key)) if by == "slot" else key


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}
