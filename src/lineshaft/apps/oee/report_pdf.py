"""The report of a shift as a PDF of A4 pages."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reportlab.lib.colors import Color
from reportlab.lib.units import mm

from lineshaft.apps.oee.pdf_pages import GREY, INK, LINE, LOST, PALE, RUN, Pages

_NAMES: Final = {"oee": "OEE", "availability": "Availability", "effectiveness": "Effectiveness", "quality": "Quality"}


def report_pdf(report: Mapping[str, Any]) -> bytes:
    """The pages. The same report gives the same bytes."""
    made = io.BytesIO()
    zone = ZoneInfo(report["timezone"])
    shift = report["shift"]
    start, end = _local(shift["start"], zone), _local(shift["end"], zone)
    title = f"{shift['id'].capitalize()} shift" if shift["id"] else "Day"
    pages = Pages(made, f"{report['name']}: {title}, {start:%Y-%m-%d}", _local(report["made_at"], zone))
    crew = f", crew {shift['crew']}" if shift["crew"] else ""
    pages.head(report["name"], f"{title}, {start:%A %d %B %Y}, {_span(start, end)}{crew}", report["plant"])
    _tiles(pages, report)
    _waterfall(pages, report)
    _hours(pages, report, zone)
    _losses(pages, report)
    _machines(pages, report)
    _stops(pages, report, zone)
    _orders(pages, report, zone)
    pages.close()
    return made.getvalue()


def _tiles(pages: Pages, report: Mapping[str, Any]) -> None:
    kpis = report["whole"]["kpis"]
    gap, width, height = 3 * mm, (pages.width - 15 * mm) / 6, 21 * mm
    pages.need(height)
    texts = [(_NAMES[name], _percent(kpis[name]), kpis[name]) for name in _NAMES]
    target = report["target"]
    share = report["good"] / target if target else None
    texts.append(("Good / target", f"{report['good']:,.0f} / {_number(target)}", share))
    texts.append(("Scrap", f"{report['scrap']:,.0f}", None))
    for place, (name, value, share) in enumerate(texts):
        left = pages.left + place * (width + gap)
        pages.box(left, height, width, fill=PALE)
        pages.text(left + 2.5 * mm, 5 * mm, name, 7.5, GREY)
        size = 15 if len(value) < 9 else 11 if len(value) < 14 else 9
        pages.text(left + 2.5 * mm, 12.5 * mm, value, size, INK, bold=True)
        if share is not None:
            pages.bar(left + 2.5 * mm, 17.5 * mm, width - 5 * mm, 1.4 * mm, LINE)
            pages.bar(left + 2.5 * mm, 17.5 * mm, (width - 5 * mm) * min(1.0, max(0.0, share)), 1.4 * mm, RUN)
    pages.skip(height + 2 * mm)
    coverage = report["whole"]["coverage"]
    words = f"{_percent(coverage)} of the planned time is known." if coverage is not None else "Nothing was planned."
    if report["missing"]["stops"]:
        words += f" {report['missing']['stops']} stops ({_length(report['missing']['time'])}) have no reason yet."
    lost = [one for one in report["waterfall"]["losses"] if one["time"] > 0]
    if lost:
        time, cost = (sum(one[name] for one in lost) for name in ("time", "money"))
        pages.need(7 * mm)
        worth = f" = {_money(cost, report)}" if cost else ""
        pages.text(
            pages.left, 4 * mm, f"Lost in this shift: {_length(time)} of machine time{worth}", 10, INK, bold=True
        )
        pages.skip(6 * mm)
    pages.need(5 * mm)
    pages.text(pages.left, 3 * mm, words, 8, INK if report["missing"]["stops"] else GREY)
    pages.skip(6 * mm)


def _waterfall(pages: Pages, report: Mapping[str, Any]) -> None:
    fall = report["waterfall"]
    planned = fall["planned"]
    if not planned:
        return
    rows: list[tuple[str, float, float, float | None, Color]] = [("Planned time", 0.0, planned, None, PALE)]
    at = planned
    for loss in fall["losses"]:
        if abs(loss["time"]) >= 30e6:
            at -= max(0.0, loss["time"])
            rows.append((loss["name"], max(0.0, at), abs(loss["time"]), loss["money"], LOST))
    rows.append(("Fully productive", 0.0, fall["productive"], None, RUN))
    height = 5.2 * mm
    pages.section("Where the planned time of the machines went", height * len(rows))
    left, width = pages.left + 42 * mm, pages.width - 42 * mm - 40 * mm
    scale = width / max(planned, *(one[1] + one[2] for one in rows))
    for name, begin, length, money, colour in rows:
        pages.need(height)
        pages.text(pages.left, 3.7 * mm, name, 8.5)
        pages.bar(left + begin * scale, 4.2 * mm, max(0.3 * mm, length * scale), 3.4 * mm, colour, edge=colour is PALE)
        pages.right(left + width + 21 * mm, 3.7 * mm, _length(length), 8.5)
        if money:
            pages.right(pages.left + pages.width, 3.7 * mm, _money(money, report), 8.5)
        pages.skip(height)
    pages.skip(2 * mm)


def _hours(pages: Pages, report: Mapping[str, Any], zone: ZoneInfo) -> None:
    rows = report["hours"]
    most = max([one["good"] for one in rows] + [one["target"] or 0 for one in rows], default=0)
    if not most:
        return
    height = 26 * mm
    pages.section("Hour by hour: good parts (bar) of the target (outline)", height + 8 * mm)
    step = pages.width / len(rows)
    for place, one in enumerate(rows):
        left = pages.left + place * step
        tall = height * one["good"] / most
        pages.bar(left + step * 0.15, height, step * 0.7, tall, RUN)
        if one["target"] is not None:
            pages.outline(left + step * 0.08, height, step * 0.84, height * one["target"] / most)
        pages.centred(left + step / 2, height + 3.5 * mm, f"{_local(one['start'], zone):%H}", 7.5, GREY)
        due = "" if one["target"] is None else f" / {one['target']:,.0f}"
        pages.centred(left + step / 2, height + 7 * mm, f"{one['good']:,.0f}{due}", 7.5)
    pages.skip(height + 10 * mm)


def _losses(pages: Pages, report: Mapping[str, Any]) -> None:
    rows = [
        (one["name"] or "No reason given", _words(one["element"]), _length(one["time"]), str(one["stops"]),
         _money(one["money"], report) if one["money"] else "")
        for one in report["losses"]
    ]  # fmt: skip
    heads = ("Reason", "Counts as", "Time", "Stops", "Cost")
    pages.table("Top losses", heads, (66, 40, 26, 20, 28), rows, right=(2, 3, 4))


def _machines(pages: Pages, report: Mapping[str, Any]) -> None:
    if len(report["machines"]) < 2:
        return
    rows = [
        (one["name"], *(_percent(one["kpis"][name]) for name in _NAMES), f"{one['good']:,.0f}", f"{one['scrap']:,.0f}",
         str(one["stops"]))
        for one in report["machines"]
    ]  # fmt: skip
    heads = ("Machine", *_NAMES.values(), "Good", "Scrap", "Stops")
    pages.table("Machines", heads, (50, 20, 22, 25, 18, 17, 14, 14), rows, right=range(1, 8))


def _stops(pages: Pages, report: Mapping[str, Any], zone: ZoneInfo) -> None:
    rows = [
        (f"{_local(one['start'], zone):%H:%M:%S}", _length(one["end"] - one["start"]), one["name"],
         _reason(one), _money(one["money"], report) if one["money"] else "")
        for one in sorted(report["stops"], key=lambda one: int(one["start"]))
    ]  # fmt: skip
    more = report["stop_count"] - len(report["stops"])
    title = f"The {len(rows)} longest of {report['stop_count']} stops" if more > 0 else "Stops"
    pages.table(title, ("Began", "Length", "Machine", "Reason", "Cost"), (24, 24, 48, 60, 24), rows, right=(1, 4))


def _reason(stop: Mapping[str, Any]) -> str:
    if not stop["reason"]:
        return f"no reason given ({_words(stop['element'])})"
    return f"{stop['reason_name']}{'' if stop['given'] else ' (proposed)'}"


def _orders(pages: Pages, report: Mapping[str, Any], zone: ZoneInfo) -> None:
    rows = [
        (one["id"], one["product_name"], one["name"], f"{one['good']:,.0f} / {one['quantity']:,.0f}",
         f"{one['scrap']:,.0f}", one["state"] + (", late" if one["late"] else ""))
        for one in report["orders"]
    ]  # fmt: skip
    heads = ("Order", "Product", "Machine or line", "Good / planned", "Scrap", "State")
    pages.table("Orders", heads, (32, 36, 42, 32, 14, 24), rows, right=(3, 4))


def _local(time: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time / 1e6, zone)


def _span(start: datetime, end: datetime) -> str:
    """From when to when, in which zone; with both offsets when the clocks change in between."""
    zones = start.tzname() if start.utcoffset() == end.utcoffset() else f"{start.tzname()} to {end.tzname()}"
    return f"{start:%H:%M} - {end:%H:%M} {zones}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _money(value: float, report: Mapping[str, Any]) -> str:
    return f"{value:,.0f} {report['currency']}"


def _length(us: float) -> str:
    seconds = round(abs(us) / 1e6)
    sign = "-" if us < 0 else ""
    if seconds < 60:
        return f"{sign}{seconds} s"
    if seconds < 3600:
        return f"{sign}{seconds // 60}:{seconds % 60:02d} min"
    return f"{sign}{seconds // 3600}:{seconds % 3600 // 60:02d} h"


def _words(element: str) -> str:
    return element.replace("_", " ")
