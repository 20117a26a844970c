"""The API of maintenance, below /api/v1/maintenance."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from lineshaft.analytics.bearings.findings import Diagnosis, Finding
from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry, fault_orders, find_bearing
from lineshaft.analytics.vibration.severity import zone_name
from lineshaft.analytics.vibration.units import CURRENT
from lineshaft.apps.maintenance import bodies
from lineshaft.apps.maintenance.sheets import in_known_unit, sheet_of
from lineshaft.config.reference import bearings, machine_templates, severity_zones
from lineshaft.config.vibration_sheet import Sheet
from lineshaft.errors import DataError
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts
from lineshaft.hub.historian.base import StoredWave
from lineshaft.model.equipment import SignalKind

router = APIRouter(prefix="/maintenance", tags=["maintenance"])

NONE = "none"
_PAST_US = 400 * 86_400_000_000


@router.get("/reference")
def reference() -> bodies.Reference:
    """The bearing library, and the severity zones with their editions."""
    return bodies.Reference(
        bearings=[
            bodies.BearingView(
                name=one.name,
                outer=one.orders.outer,
                inner=one.orders.inner,
                ball=one.orders.ball,
                cage=one.orders.cage,
                source=one.source,
                elements=one.orders.elements,
            )
            for one in bearings().values()
        ],
        machines=[bodies.MachineView(**asdict(one)) for one in machine_templates().values()],
        zones=[
            bodies.ZoneView(
                id=i,
                name=zone_name(one),
                edition=one.edition,
                group=one.group,
                support=one.support,
                velocity=one.velocity,
            )
            for i, one in enumerate(severity_zones())
        ],
    )


@router.get("/sensors")
def sensors(
    parts: Parts,
    signal: Annotated[int | None, Query(description="only this one")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> bodies.Sensors:
    """Every signal of kind waveform with its newest burst and its data sheet."""
    waves = [one for one in parts.state.catalogue.signals() if one.born.signal.kind is SignalKind.WAVEFORM]
    wanted = [one for one in waves if signal is None or one.id == signal]
    page, more = paged(wanted, lambda one: one.id, cursor, limit)
    items = []
    for one in page:
        newest = _newest(parts, one.id)
        items.append(
            bodies.SensorView(
                sheet=_sheet(sheet_of(parts, one)),
                node=one.born.node,
                signal=one.id,
                path=one.path,
                asset=one.path.rpartition("/")[0],
                unit=one.born.signal.unit,
                waveform=None if newest is None else f"{one.id}-{newest.time}",
                time=None if newest is None else newest.time,
                speed=None if newest is None else newest.speed,
            )
        )
    return bodies.Sensors(items=items, next=more)


@router.get("/diagnosis")
def diagnosis(
    parts: Parts,
    signal: Annotated[int, Query(description="id of a signal of kind waveform")],
    time: Annotated[int | None, Query(description="UTC microseconds of the burst; the newest when absent")] = None,
    bearing: Annotated[str, Query(description="name in the library, or a part of it")] = "",
    geometry: Annotated[str, Query(description="n,d,D[,angle]: elements, diameters, degrees")] = "",
    orders: Annotated[str, Query(description="BPFO,BPFI,BSF,FTF as multiples of the speed")] = "",
    speed: Annotated[float | None, Query(gt=0, description="1/min; that of the burst when absent")] = None,
    speed_range: Annotated[str, Query(description="low,high in 1/min: the speed is looked for in the vibration")] = "",
    teeth: Annotated[int | None, Query(ge=3, description="of the gear on this shaft")] = None,
    mains: Annotated[float | None, Query(gt=0, description="Hz of the supply")] = None,
    poles: Annotated[int | None, Query(ge=2, description="of the motor, for a waveform of its current")] = None,
    vanes: Annotated[int | None, Query(ge=2, description="of the impeller of a pump")] = None,
    zones: Annotated[int | None, Query(ge=0, description="id of the zones in the reference")] = None,
    unit: Annotated[str, Query(description="unit of the samples; that of the signal when absent")] = "",
) -> bodies.DiagnosisView:
    """What a burst says about the machine: faults with their evidence, or why nothing is claimed.

    What is not asked for is taken from the data sheet of the sensor; the bearing `none` means that nobody knows it.
    """
    one = parts.state.catalogue.by_id(signal)
    if one is None:
        raise NotFound(f"there is no signal {signal}")
    if one.born.signal.kind is not SignalKind.WAVEFORM:
        raise DataError(f"{one.path} is a {one.born.signal.kind}, not a waveform")
    newest = _newest(parts, signal) if time is None else None
    at = time if time is not None else (None if newest is None else newest.time)
    wave = None if at is None else parts.historian.bursts(signal, [at]).get(at)
    if wave is None or at is None:
        raise NotFound(f"{one.path} has no burst" + ("" if time is None else f" at {time}"))
    sheet = sheet_of(parts, one)
    tables = severity_zones()
    if zones is not None and zones >= len(tables):
        raise DataError(f"there are no zones {zones}", hint=f"0 to {len(tables) - 1}, see GET /maintenance/reference")
    turns = speed if speed is not None else wave.speed
    own = _orders(bearing, geometry, orders)
    known = replace(
        sheet,
        speed_range=_range(speed_range) or sheet.speed_range,
        orders=None if bearing == NONE else own or sheet.orders,
        teeth=teeth or sheet.teeth,
        mains=mains or sheet.mains,
        poles=poles or sheet.poles,
        vanes=vanes or sheet.vanes,
        zones=sheet.zones if zones is None else tables[zones],
    )
    expected = wave.total if wave.total > len(wave) else None
    values, unit = in_known_unit(wave.values(), unit or one.born.signal.unit)
    found = known.judge(values, wave.rate, unit, None if speed_range else turns, expected=expected)
    verdict = _motor_verdict(found) if unit in CURRENT else found.bearing_verdict
    return _view(signal, at, found, known.orders, verdict)


def _newest(parts: Parts, signal: int) -> StoredWave | None:
    """The newest burst: looked for in days, then in longer times."""
    now = parts.clock.now_us()
    for past in (86_400_000_000, 30 * 86_400_000_000, _PAST_US):
        found = parts.historian.waveforms([signal], now - past, now + 86_400_000_000, 5000)
        if found:
            return found[-1]
    return None


def _orders(bearing: str, geometry: str, orders: str) -> FaultOrders | None:
    try:
        if orders:
            return FaultOrders(*(float(part) for part in orders.split(",")))
        if geometry:
            elements, *sizes = (float(part) for part in geometry.split(","))
            return fault_orders(Geometry(int(elements), *sizes))
        return find_bearing(bearings(), bearing).orders if bearing not in ("", NONE) else None
    except (ValueError, TypeError) as error:
        what = "orders" if orders else "geometry" if geometry else "bearing"
        raise DataError(f"{what}: {error}", hint="orders: BPFO,BPFI,BSF,FTF; geometry: n,d,D[,angle]") from error


def _range(text: str) -> tuple[float, float] | None:
    """Hz of `low,high` in 1/min; None of nothing. Raises DataError."""
    if not text:
        return None
    try:
        low, high = (float(part) / 60 for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low < high:
        raise DataError(f"speed_range: '{text}' does not ascend from above 0", hint="low,high in 1/min, like 900,3600")
    return low, high


def _sheet(sheet: Sheet) -> bodies.SheetView:
    tables = severity_zones()
    return bodies.SheetView(
        machine=sheet.machine,
        bearing=sheet.bearing,
        orders=_four(sheet.orders),
        zones=tables.index(sheet.zones) if sheet.zones in tables else None,
        boundaries=None if sheet.zones is None else sheet.zones.velocity,
        edition="" if sheet.zones is None else sheet.zones.edition,
        teeth=sheet.teeth,
        mains=sheet.mains,
        poles=sheet.poles,
        vanes=sheet.vanes,
        problem=sheet.problem,
    )


def _four(orders: FaultOrders | None) -> tuple[float, float, float, float] | None:
    return None if orders is None else (orders.outer, orders.inner, orders.ball, orders.cage)


def _motor_verdict(found: Diagnosis) -> str:
    """'rotor_bar' or 'eccentricity', whichever is likelier; 'sound' or 'not diagnosable'."""
    if found.not_diagnosable:
        return "not diagnosable"
    return found.findings[0].kind if found.findings else "sound"


def _view(signal: int, time: int, found: Diagnosis, orders: FaultOrders | None, verdict: str) -> bodies.DiagnosisView:
    return bodies.DiagnosisView(
        orders=_four(orders),
        waveform=f"{signal}-{time}",
        signal=signal,
        time=time,
        verdict=verdict,
        findings=[_finding(one) for one in found.findings],
        not_diagnosable=[
            bodies.RefusalView(what=one.what, reason=one.reason, words=one.words) for one in found.not_diagnosable
        ],
        speed=None if found.speed is None else 60 * found.speed,
        estimated=found.estimated,
        velocity_rms=found.velocity_rms,
        zone=found.zone,
        edition=found.edition,
        features={name: value if math.isfinite(value) else None for name, value in found.features.items()},
    )


def _finding(one: Finding) -> bodies.FindingView:
    return bodies.FindingView(
        kind=one.kind,
        title=one.title,
        likelihood=one.likelihood,
        words=list(one.words),
        peaks=[
            bodies.PeakView(name=peak.name, frequency=peak.frequency, over_noise=float(np.round(peak.over_noise, 1)))
            for peak in one.peaks
        ],
        band=one.band,
        not_parted=one.not_parted,
    )
