"""The API of OEE, below /api/v1/oee."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query

from lineshaft.analytics.oee import kpis
from lineshaft.analytics.oee.counts import suggest_cycle
from lineshaft.analytics.oee.reliability import fit_weibull, times_between
from lineshaft.apps.oee.asked import LONGEST_DETAIL_US as _LONGEST_DETAIL_US
from lineshaft.apps.oee.asked import End, Path, Start
from lineshaft.apps.oee.asked import check as _check
from lineshaft.apps.oee.asked import known as _known
from lineshaft.apps.oee.asked import machine_of as _machine
from lineshaft.apps.oee.board import board
from lineshaft.apps.oee.bodies import ConfirmedCycle, Reasoning
from lineshaft.apps.oee.cycles import part_cycles
from lineshaft.apps.oee.parts import Parts
from lineshaft.apps.oee.screen import screen
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.slots import Note
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, mark, marked, paged
from lineshaft.hub.api.services import Caller, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/oee", tags=["oee"])


@router.get("/setup")
def setup(oee: Parts) -> dict[str, Any]:
    """Machines, lines, products, the tree of reasons, and every KPI with its formula."""
    found = oee.setup
    return {
        "currency": found.currency,
        "timezone": found.zone,
        "bounds": oee.store.bounds(),
        "lines": [
            {"path": line.path, "name": line.name, "machines": [_machine_view(one) for one in line.machines]}
            for line in found.lines
        ],
        "products": [{"id": one.id, "name": one.name or one.id, "value": one.value} for one in found.products],
        "reasons": [
            {"id": one.id, "name": one.name, "parent": one.parent, "element": one.element.name.lower(),
             "leaf": one.leaf, "equipment": one.equipment}
            for one in found.reasons.items
        ],
        "kpis": [
            {"id": one.id, "name": one.name, "unit": one.unit, "formula": one.formula, "needs": one.needs,
             "better": one.better, "note": one.note, "source": one.source}
            for one in kpis.KPIS
        ],
        "symbols": dict(kpis.SYMBOLS),
    }  # fmt: skip


def _machine_view(machine: MachineSetup) -> dict[str, Any]:
    config = machine.config
    return {
        "path": machine.path,
        "name": machine.name,
        "speed": f"{machine.path}/{config.speed}" if config.speed else "",
        "hourly_cost": config.hourly_cost,
        "minor_stop": config.minor_stop,
    }


@router.get("/now")
def now(oee: Parts, path: Path = "") -> dict[str, Any]:
    """What each machine does, and its shift: target, actual, gap, projection."""
    _known(oee, path)
    moment = oee.clock.now_us()
    return {"time": moment, "items": board(oee.reports, path, moment)}


@router.get("/screen")
def wall_screen(oee: Parts, path: Path = "") -> dict[str, Any]:
    """Everything that a wall screen shows, per line. The key of a wall screen opens this and nothing else."""
    _known(oee, path)
    moment = oee.clock.now_us()
    return {"time": moment, "items": screen(oee.reports, path, moment)}


@router.get("/kpis")
def kpi_page(
    oee: Parts,
    start: Start,
    end: End,
    path: Path = "",
    by: Literal["", "machine", "line", "area", "product", "order", "day", "shift", "crew", "slot"] = "",
) -> dict[str, Any]:
    """Every KPI of a part of the plant, and of its parts. Sums of times and counts, never a mean of ratios."""
    _check(oee, path, start, end)
    found = oee.reports.kpis(path, start, end, by)
    return found | {"bottlenecks": oee.reports.bottlenecks(path, start, end) if by in ("machine", "line") else []}


@router.get("/losses")
def losses(oee: Parts, start: Start, end: End, path: Path = "") -> dict[str, Any]:
    """Waterfall, six big losses, and the Pareto of reasons beside the period before."""
    _check(oee, path, start, end)
    return oee.reports.losses(path, start, end)


@router.get("/what-if")
def what_if(
    oee: Parts, start: Start, end: End, loss: str, path: Path = "", share: Annotated[float, Query(gt=0, le=1)] = 1.0
) -> dict[str, Any]:
    """What it brings to take a share of a loss away."""
    _check(oee, path, start, end)
    try:
        found = oee.reports.what_if(path, start, end, loss, share)
    except KeyError as error:
        raise DataError(f"there is no loss {loss}", hint="see the waterfall of /oee/losses") from error
    return found


@router.get("/timeline")
def timeline(oee: Parts, start: Start, end: End, path: Path = "") -> dict[str, Any]:
    """Every second of each machine: state, element, reason, product. At most 32 days."""
    _check(oee, path, start, end, _LONGEST_DETAIL_US)
    return {"items": [
        {"machine": one.path, "name": one.name, "cells": oee.reports.timeline(one, start, end)}
        for one in oee.reports.machines(path)
    ]}  # fmt: skip


@router.get("/stops")
def stops(
    oee: Parts,
    start: Start,
    end: End,
    path: Path = "",
    least: Annotated[float, Query(ge=0, description="seconds; shorter ones are left out")] = 5.0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Stops, newest first, with what is proposed or given. At most 32 days."""
    _check(oee, path, start, end, _LONGEST_DETAIL_US)
    found = oee.reports.stops(path, start, end, round(least * 1e6))
    page, more = paged(found, lambda row: f"{row['start']} {row['machine']}", cursor, limit)
    return {"items": page, "next": more}


@router.get("/hours")
def hours(oee: Parts, start: Start, end: End, path: str) -> dict[str, Any]:
    """Hour by hour of one machine: planned and made parts. At most 32 days."""
    _check(oee, path, start, end, _LONGEST_DETAIL_US)
    return {"items": oee.reports.hours(_machine(oee, path), start, end)}


@router.post("/reasons", status_code=201, dependencies=[needs(Role.OPERATOR)])
def give_reason(body: Reasoning, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Say why a machine stood; every KPI that holds this time is the new one when this answers."""
    machine = _machine(oee, body.machine)
    known = {one.id for one in oee.setup.reasons.items} | {""}
    for one in body.reasons:
        if one.start >= one.end:
            raise DataError("start is not before end", hint="both in UTC microseconds")
        if one.reason not in known:
            raise DataError(f"there is no reason {one.reason}", hint="see /oee/setup")
    low, high = min(one.start for one in body.reasons), max(one.end for one in body.reasons)
    before = [
        {"start": cell["start"], "end": cell["end"], "reason": cell["reason"], "given": cell["given"]}
        for cell in oee.reports.timeline(machine, low, high)
        if cell["reason"]
    ]
    given = [
        (machine.path, Note(one.start, one.end, one.reason, one.comment), f"{body.key}-{place}")
        for place, one in enumerate(body.reasons)
    ]
    details = {"before": before[:50], "after": [one.model_dump() for one in body.reasons]}
    new = oee.store.add_notes(given, caller.name, oee.clock.now_us(), "reason", details, last_open=body.open)
    if new:
        oee.recorder.reasons_changed(machine, low, high)
    return {"new": new}


@router.get("/notes")
def notes(oee: Parts, path: str, start: Start, end: End, limit: Limit = PAGE, cursor: Cursor = "") -> dict[str, Any]:
    """What people said about a time of a machine, in the order in which they said it."""
    said = oee.store.notes(_machine(oee, path).path, start, end)
    found, more = paged(said, lambda one: one.note.number, cursor, limit)
    return {"next": more, "items": [
        {"id": one.note.number, "start": one.note.start, "end": one.note.end, "reason": one.note.reason,
         "comment": one.note.comment, "by": one.by, "at": one.at}
        for one in found
    ]}  # fmt: skip


@router.get("/audit")
def audit(
    oee: Parts, path: Path = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: Cursor = ""
) -> dict[str, Any]:
    """Who changed what, newest first."""
    found = oee.store.audited(path, limit, marked(cursor))
    return {"items": found, "next": mark(found[-1]["time"], found[-1]["id"]) if len(found) == limit else None}


@router.get("/cycles")
def suggested_cycles(oee: Parts, path: str, start: Start, end: End) -> dict[str, Any]:
    """Ideal cycles of a machine: what the plant says, what was confirmed, and what its history suggests (a guess)."""
    _check(oee, path, start, end, _LONGEST_DETAIL_US)
    machine = _machine(oee, path)
    confirmed = oee.store.cycles()
    seen = part_cycles(oee.recorder.story(machine, start, end), start).by_product()
    products = dict.fromkeys([*machine.cycles, *seen])
    rows = []
    for product in products:
        guess = suggest_cycle(np.array(seen.get(product, ()), np.float64))
        rows.append({
            "product": product,
            "plant": machine.cycles.get(product, machine.config.cycle),
            "confirmed": confirmed.get((machine.path, product)),
            "suggested": guess.seconds if guess else None,
            "parts": guess.cycles if guess else len(seen.get(product, ())),
        })  # fmt: skip
    return {"items": rows}


@router.put("/cycles", dependencies=[needs(Role.ENGINEER)])
def confirm_cycle(body: ConfirmedCycle, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Confirm an ideal cycle; it counts for all of history, and the audit says who did it."""
    machine, at = _machine(oee, body.machine), oee.clock.now_us()
    before = oee.store.cycles().get((machine.path, body.product), machine.cycles.get(body.product))
    oee.store.put_cycle(machine.path, body.product, body.seconds, caller.name, at)
    details = {"product": body.product, "before": before, "after": body.seconds}
    oee.store.note_change("cycle", machine.path, caller.name, at, details)
    oee.recorder.tell([machine.path])
    return details


@router.get("/reliability")
def reliability(oee: Parts, path: str, start: Start, end: End) -> dict[str, Any]:
    """Weibull by failure mode of one machine, over its running time, with 95 % intervals. At most 400 days."""
    _check(oee, path, start, end, 400 * 86_400_000_000)
    found = oee.reports.failures(_machine(oee, path), start, end)
    rows = []
    for mode, (ages, whole) in found.items():
        lives, open_ = times_between(np.array(ages), whole)
        fit = fit_weibull(lives, open_)
        rows.append({"mode": mode, "failures": len(ages), "running_hours": whole,
                     "fit": None if fit is None else {
                         "shape": fit.shape, "shape_interval": fit.shape_interval, "scale": fit.scale,
                         "scale_interval": fit.scale_interval, "mean": fit.mean, "b10": fit.life(0.1)}})  # fmt: skip
    return {"items": sorted(rows, key=lambda row: -int(row["failures"]))}
