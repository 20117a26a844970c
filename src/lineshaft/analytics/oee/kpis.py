"""The KPIs of ISO 22400-2 and of common use as one table: name, formula, unit, needs and computation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lineshaft.analytics.oee.totals import Totals

Inputs = Mapping[str, float]
"""Symbol -> value: times in seconds, quantities in pieces, energy in kWh. A symbol that is not measured is absent."""

SYMBOLS: Mapping[str, str] = {
    "CAL": "calendar time",
    "POT": "planned operation time",
    "PDOT": "planned downtime within it",
    "PBT": "planned busy time: POT - PDOT",
    "AUBT": "actual unit busy time: AUPT + ADET",
    "AUPT": "actual unit processing time: APT + AUST",
    "APT": "actual production time",
    "AUST": "actual unit setup time",
    "ADET": "actual unit delay time: minor stops, breakdowns, starved, blocked and other delays",
    "ADOT": "actual unit down time: available, but without an order",
    "AOET": "actual order execution time: from an order's start to its end; where all work belongs to orders",
    "PQ": "produced quantity",
    "GQ": "good quantity",
    "SQ": "scrap quantity",
    "RQ": "rework quantity",
    "PSQ": "planned scrap quantity",
    "GP": "parts that were good without rework",
    "IP": "inspected parts",
    "PQF": "produced quantity of the first operation",
    "PRU.PQ": "planned run time per item x produced quantity",
    "PRU.GQ": "planned run time per item x good quantity",
    "FE": "failure events",
    "TTF": "sum of the times to failure",
    "TTR": "sum of the times to restoration",
    "CMT": "corrective maintenance time",
    "PMT": "preventive maintenance time",
    "APWT": "actual personnel work time",
    "APAT": "actual personnel attendance time",
    "E": "energy",
    "USL": "upper specification limit",
    "LSL": "lower specification limit",
    "XBAR": "mean of the characteristic",
    "S": "standard deviation of one sample from the machine",
    "SIGMA": "standard deviation of the process",
    "TH": "throughput in the time of the inventory",
    "AVINV": "average inventory",
    "GPQ": "good quantity for the consumed material",
    "CM": "consumed material",
    "IGQ": "integrated good quantity: of all connected steps",
    "PL": "production loss",
    "STL": "storage and transportation loss",
    "OL": "other loss",
    "EPC": "equipment production capacity",
}
"""What each symbol of a formula means."""

ISO = "ISO 22400-2"
COMMON = "common use"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI. `percent` values are shares (0.85 is 85 %); None comes out where an input is not measured or is zero."""

    id: str
    name: str
    unit: str
    formula: str
    needs: tuple[str, ...]
    compute: Callable[[Inputs], float]
    source: str = ISO
    better: str = "higher"  # or 'lower', or '' where neither is
    note: str = ""


def _ratio(above: str, below: str) -> Callable[[Inputs], float]:
    return lambda v: v[above] / v[below]


def _oee(v: Inputs) -> float:
    return v["PRU.GQ"] / v["PBT"]


KPIS: tuple[Kpi, ...] = (
    Kpi("availability", "Availability", "percent", "APT / PBT", ("APT", "PBT"), _ratio("APT", "PBT"),
        note="Set-up counts as a loss."),
    Kpi("effectiveness", "Effectiveness", "percent", "PRU * PQ / APT", ("PRU.PQ", "APT"), _ratio("PRU.PQ", "APT"),
        note="Above 100 % means that the ideal cycle is too long; it is shown as it is."),
    Kpi("quality", "Quality ratio", "percent", "GQ / PQ", ("GQ", "PQ"), _ratio("GQ", "PQ")),
    Kpi("oee", "OEE index", "percent", "Availability * Effectiveness * Quality ratio = PRU * GQ / PBT",
        ("PRU.GQ", "PBT"), _oee),
    Kpi("nee", "NEE index", "percent", "AUPT / PBT * Effectiveness * Quality ratio",
        ("AUPT", "PBT", "PRU.GQ", "APT"), lambda v: v["AUPT"] / v["PBT"] * v["PRU.GQ"] / v["APT"],
        note="Net equipment effectiveness: set-up is no loss."),
    Kpi("teep", "TEEP", "percent", "PRU * GQ / calendar time", ("PRU.GQ", "CAL"), _ratio("PRU.GQ", "CAL"), COMMON),
    Kpi("ooe", "OOE", "percent", "PRU * GQ / (PBT + PDOT)", ("PRU.GQ", "PBT", "PDOT"),
        lambda v: v["PRU.GQ"] / (v["PBT"] + v["PDOT"]), COMMON),
    Kpi("utilisation", "Utilisation of the calendar", "percent", "PBT / calendar time", ("PBT", "CAL"),
        _ratio("PBT", "CAL"), COMMON),
    Kpi("utilisation-efficiency", "Utilisation efficiency", "percent", "APT / AUBT", ("APT", "AUBT"),
        _ratio("APT", "AUBT")),
    Kpi("allocation-efficiency", "Allocation efficiency", "percent", "AUBT / PBT", ("AUBT", "PBT"),
        _ratio("AUBT", "PBT")),
    Kpi("allocation-ratio", "Allocation ratio", "percent", "AUBT / AOET", ("AUBT", "AOET"), _ratio("AUBT", "AOET"),
        note="Above 100 % when operations of an order overlap."),
    Kpi("technical-efficiency", "Technical efficiency", "percent", "APT / (APT + ADET)", ("APT", "ADET"),
        lambda v: v["APT"] / (v["APT"] + v["ADET"])),
    Kpi("setup-ratio", "Setup ratio", "percent", "AUST / AUPT", ("AUST", "AUPT"), _ratio("AUST", "AUPT"),
        better="lower"),
    Kpi("production-process-ratio", "Production process ratio", "percent", "APT / AOET", ("APT", "AOET"),
        _ratio("APT", "AOET")),
    Kpi("throughput-rate", "Throughput rate", "1/h", "PQ / AOET", ("PQ", "AOET"),
        lambda v: v["PQ"] / v["AOET"] * 3600),
    Kpi("output-rate", "Parts per planned hour", "1/h", "PQ / PBT", ("PQ", "PBT"),
        lambda v: v["PQ"] / v["PBT"] * 3600, COMMON),
    Kpi("scrap-ratio", "Scrap ratio", "percent", "SQ / PQ", ("SQ", "PQ"), _ratio("SQ", "PQ"), better="lower"),
    Kpi("planned-scrap-ratio", "Actual to planned scrap ratio", "percent", "SQ / PSQ", ("SQ", "PSQ"),
        _ratio("SQ", "PSQ"), better="lower"),
    Kpi("rework-ratio", "Rework ratio", "percent", "RQ / PQ", ("RQ", "PQ"), _ratio("RQ", "PQ"), better="lower"),
    Kpi("first-pass-yield", "First pass yield", "percent", "GP / IP", ("GP", "IP"), _ratio("GP", "IP")),
    Kpi("fall-off-ratio", "Fall-off ratio", "percent", "SQ / PQ of the first operation", ("SQ", "PQF"),
        _ratio("SQ", "PQF"), better="lower"),
    Kpi("mtbf", "Mean operating time between failures", "h", "AUPT / failures", ("AUPT", "FE"),
        lambda v: v["AUPT"] / v["FE"] / 3600, note="Time between failures holds set-up and production, not delays."),
    Kpi("mttf", "Mean time to failure", "h", "sum of TTF / failures", ("TTF", "FE"),
        lambda v: v["TTF"] / v["FE"] / 3600),
    Kpi("mttr", "Mean time to restoration", "h", "sum of TTR / failures", ("TTR", "FE"),
        lambda v: v["TTR"] / v["FE"] / 3600, better="lower"),
    Kpi("inherent-availability", "Inherent availability", "percent", "MTBF / (MTBF + MTTR)", ("AUPT", "TTR"),
        lambda v: v["AUPT"] / (v["AUPT"] + v["TTR"]), COMMON),
    Kpi("corrective-maintenance-ratio", "Corrective maintenance ratio", "percent", "CMT / (CMT + PMT)", ("CMT", "PMT"),
        lambda v: v["CMT"] / (v["CMT"] + v["PMT"]), better="lower"),
    Kpi("worker-efficiency", "Worker efficiency", "percent", "APWT / APAT", ("APWT", "APAT"), _ratio("APWT", "APAT")),
    Kpi("energy-per-part", "Comprehensive energy consumption", "kWh", "E / PQ", ("E", "PQ"), _ratio("E", "PQ"),
        better="lower"),
    Kpi("machine-capability", "Machine capability index Cm", "1", "(USL - LSL) / (6 * s)", ("USL", "LSL", "S"),
        lambda v: (v["USL"] - v["LSL"]) / (6 * v["S"])),
    Kpi("critical-machine-capability", "Critical machine capability index Cmk", "1",
        "min(USL - mean, mean - LSL) / (3 * s)", ("USL", "LSL", "XBAR", "S"),
        lambda v: min(v["USL"] - v["XBAR"], v["XBAR"] - v["LSL"]) / (3 * v["S"])),
    Kpi("process-capability", "Process capability index Cp", "1", "(USL - LSL) / (6 * sigma)", ("USL", "LSL", "SIGMA"),
        lambda v: (v["USL"] - v["LSL"]) / (6 * v["SIGMA"])),
    Kpi("critical-process-capability", "Critical process capability index Cpk", "1",
        "min(USL - mean, mean - LSL) / (3 * sigma)", ("USL", "LSL", "XBAR", "SIGMA"),
        lambda v: min(v["USL"] - v["XBAR"], v["XBAR"] - v["LSL"]) / (3 * v["SIGMA"])),
    Kpi("inventory-turns", "Inventory turns", "1", "TH / average inventory", ("TH", "AVINV"), _ratio("TH", "AVINV")),
    Kpi("finished-goods-ratio", "Finished goods ratio", "percent", "good quantity / consumed material", ("GPQ", "CM"),
        _ratio("GPQ", "CM")),
    Kpi("integrated-goods-ratio", "Integrated goods ratio", "percent", "integrated good quantity / consumed material",
        ("IGQ", "CM"), _ratio("IGQ", "CM")),
    Kpi("production-loss-ratio", "Production loss ratio", "percent", "production loss / consumed material",
        ("PL", "CM"), _ratio("PL", "CM"), better="lower"),
    Kpi("storage-loss-ratio", "Storage and transportation loss ratio", "percent",
        "storage and transportation loss / consumed material", ("STL", "CM"), _ratio("STL", "CM"), better="lower"),
    Kpi("other-loss-ratio", "Other loss ratio", "percent", "other loss / consumed material", ("OL", "CM"),
        _ratio("OL", "CM"), better="lower"),
    Kpi("equipment-load-ratio", "Equipment load ratio", "percent", "PQ / equipment production capacity",
        ("PQ", "EPC"), _ratio("PQ", "EPC")),
)  # fmt: skip

BY_ID: Mapping[str, Kpi] = {kpi.id: kpi for kpi in KPIS}


def inputs_of(totals: Totals, more: Inputs | None = None) -> dict[str, float]:
    """The symbols that totals know, and what the caller knows besides (orders, energy ...). Seconds and pieces."""
    seconds = {
        "CAL": totals.calendar, "POT": totals.operation, "PDOT": totals.planned_down, "PBT": totals.busy_plan,
        "AUBT": totals.busy, "AUPT": totals.processing, "APT": totals.running, "AUST": totals.setup,
        "ADET": totals.delays, "ADOT": totals.no_order, "TTR": totals.breakdown, "TTF": totals.processing,
        "PRU.PQ": totals.standard_time, "PRU.GQ": totals.standard_good,
    }  # fmt: skip
    known = {name: time / 1e6 for name, time in seconds.items()}
    known |= {
        "PQ": totals.produced, "GQ": totals.good, "SQ": totals.scrap, "RQ": totals.rework, "FE": float(totals.failures),
        "IP": totals.produced, "GP": totals.good - totals.rework,
    }  # fmt: skip
    if totals.ordered and not totals.unordered_busy:
        known["AOET"] = totals.ordered / 1e6  # where some work belongs to no order the ratios would mix two things
    return known | dict(more or {})


def value(kpi: Kpi, inputs: Inputs) -> float | None:
    """The KPI, or None when an input is not measured or there is nothing to divide by."""
    if any(name not in inputs for name in kpi.needs):
        return None
    try:
        return float(kpi.compute(inputs))
    except ZeroDivisionError:
        return None


def values(totals: Totals, more: Inputs | None = None) -> dict[str, float | None]:
    """Id -> value of every KPI."""
    inputs = inputs_of(totals, more)
    return {kpi.id: value(kpi, inputs) for kpi in KPIS}


def coverage(totals: Totals) -> float | None:
    """Share of the planned time (busy and unknown) about which something is known; None when nothing was planned."""
    whole = totals.busy_plan + totals.unknown
    return totals.busy_plan / whole if whole else None
