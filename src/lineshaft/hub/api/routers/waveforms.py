"""Bursts of fast samples: which there are, their samples, their spectra, and spectra over time."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Response

from lineshaft.errors import DataError
from lineshaft.hub.api import waves
from lineshaft.hub.api.columns import ARROW, as_json, numbers
from lineshaft.hub.api.models import (
    CepstrumPage,
    RefusedPage,
    RefusedView,
    SpectraPage,
    SpectrumPage,
    WaveformDetail,
    WaveformItem,
    WaveformPage,
)
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts, Services
from lineshaft.hub.historian.base import StoredWave
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import Quality
from lineshaft.model.waveforms import Waveform

router = APIRouter(tags=["waveforms"])

BINARY = "application/octet-stream"
MOST = 5000
MOST_SPECTRA = 200
MOST_REASONS = 100
_FORMS = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (ARROW, BINARY)}
Wanted = Annotated[int, Query(description="id of a signal of kind waveform")]
Start = Annotated[int, Query(description="UTC microseconds")]
End = Annotated[int, Query(description="UTC microseconds, not included")]
Kind = Annotated[
    waves.Kind, Query(description="amplitude: in the signal's unit; velocity: mm/s; envelope: depth of modulation")
]


@router.get("/waveforms", response_model=WaveformPage)
def listing(
    parts: Parts, signal: Wanted, start: Start, end: End, limit: Annotated[int, Query(ge=1, le=MOST)] = 1000
) -> WaveformPage:
    """The bursts that begin in a range, by time, without their samples; every so many-th where there are more."""
    unit = _unit(parts, signal)
    _ascends(start, end)
    found = parts.historian.waveforms([signal], start, end, limit)
    return WaveformPage(signal=signal, unit=unit, items=[_item(one) for one in found])


@router.get("/waveforms/spectra", response_model=SpectraPage)
def spectra(
    parts: Parts,
    signal: Wanted,
    start: Start,
    end: End,
    kind: Kind = "amplitude",
    limit: Annotated[int, Query(ge=1, le=MOST_SPECTRA, description="spectra at most, evenly over the range")] = 60,
    lines: Annotated[int, Query(ge=10, le=2000)] = 400,
    highest: Annotated[float | None, Query(gt=0, description="Hz; half the rate when absent")] = None,
) -> Response:
    """A waterfall: one spectrum per burst, all on one grid of `lines` lines that keeps the highest of each part."""
    unit = _unit(parts, signal)
    _ascends(start, end)
    stored = [one for one in parts.historian.waveforms([signal], start, end, limit) if one.whole]
    top = highest or max((one.rate / 2 for one in stored), default=1.0)
    rows, used, shown = [], [], unit
    bursts = parts.historian.bursts(signal, [one.time for one in stored])
    for one in stored:
        wave = bursts.get(one.time)
        if wave is None or len(wave) < waves.FEWEST:
            continue
        found = waves.spectrum(wave, unit, kind)
        rows.append(numbers(waves.on_grid(found, top, lines)))
        used.append(one)
        shown = found.unit
    return as_json(
        {
            "signal": signal,
            "kind": kind,
            "unit": shown,
            "highest": top,
            "time": [one.time for one in used],
            "speed": [one.speed for one in used],
            "amplitude": rows,
        }
    )


@router.get("/waveforms/refused", response_model=RefusedPage)
def refused(parts: Parts, signal: Wanted, start: Start, end: End) -> RefusedPage:
    """Bursts that were none (NaN, half a burst, no numbers): how many came in a range, and why."""
    _unit(parts, signal)
    _ascends(start, end)
    rows = parts.historian.rows([signal], start, end)
    bad = sum(int(np.count_nonzero(batch.column("quality").to_numpy() == Quality.BAD_DEVICE)) for batch in rows)
    items = _reasons(parts, signal, start, end)
    if bad and not items:
        items = _reasons(parts, signal, None, start)[:1]
    told = sum(one.time >= start for one in items)
    return RefusedPage(signal=signal, count=max(bad, told), items=items)


@router.get(
    "/waveforms/{waveform}",
    response_model=WaveformDetail,
    responses={200: {"content": _FORMS}},
)
def samples(
    parts: Parts,
    waveform: str,
    format: Annotated[Literal["json", "arrow", "binary"], Query()] = "json",  # noqa: A002 - the name in the contract
) -> Response:
    """The samples of a burst: JSON, an Arrow stream (float64 `value`), or little-endian float32 one after the other."""
    signal, time, wave = _burst(parts, waveform)
    values = wave.values()
    if format == "binary":
        return Response(values.astype("<f4").tobytes(), media_type=BINARY)
    if format == "arrow":
        return Response(_arrow(wave, time), media_type=ARROW)
    unit = _unit(parts, signal)
    digits = values if wave.samples.dtype == np.int16 else values.astype(np.float32).astype(np.float64)
    return as_json(
        {
            "id": waveform,
            "signal": signal,
            "time": time,
            "unit": unit,
            "rate": wave.rate,
            "speed": wave.speed,
            "total": wave.total,
            "whole": wave.whole,
            "problem": waves.problem(wave, unit),
            "value": [float(f"{value:.7g}") for value in digits.tolist()],
        }
    )


@router.get("/waveforms/{waveform}/spectrum", response_model=SpectrumPage)
def spectrum(
    parts: Parts,
    waveform: str,
    kind: Kind = "amplitude",
    averages: Annotated[int, Query(ge=1, le=64)] = 1,
    low: Annotated[float | None, Query(ge=0, description="Hz: lower edge of the envelope's band")] = None,
    high: Annotated[float | None, Query(gt=0, description="Hz: upper edge of the envelope's band")] = None,
) -> Response:
    """Spectrum of a burst; for kind envelope of the band low to high, which the kurtogram chooses when absent."""
    signal, time, wave = _burst(parts, waveform)
    if (low is None) != (high is None):
        raise DataError("low and high belong together", hint="or neither: the kurtogram chooses")
    unit = _unit(parts, signal)
    band = None if low is None or high is None else (low, high)
    found = waves.spectrum(wave, unit, kind, averages=averages, band=band)
    return _lines(waveform, signal, time, wave, unit, kind, found)


@router.get("/waveforms/{waveform}/zoom", response_model=SpectrumPage)
def zoom(
    parts: Parts,
    waveform: str,
    low: Annotated[float, Query(ge=0, description="Hz: lower edge of the band")],
    high: Annotated[float, Query(gt=0, description="Hz: upper edge of the band")],
    kind: Annotated[waves.Zoomed, Query(description="amplitude: in the signal's unit; velocity: mm/s")] = "amplitude",
    lines: Annotated[int, Query(ge=10, le=4000)] = 800,
) -> Response:
    """A narrow band of the spectrum with lines as near as wanted (chirp-z), to read a frequency between its lines."""
    signal, time, wave = _burst(parts, waveform)
    unit = _unit(parts, signal)
    return _lines(waveform, signal, time, wave, unit, kind, waves.zoom(wave, unit, kind, (low, high), lines))


@router.get("/waveforms/{waveform}/cepstrum", response_model=CepstrumPage)
def cepstrum(
    parts: Parts,
    waveform: str,
    longest: Annotated[float | None, Query(gt=0, description="s: up to which quefrency; all when absent")] = None,
) -> Response:
    """Real cepstrum of a burst: all harmonics or sidebands of one spacing as one peak at 1 / spacing."""
    signal, time, wave = _burst(parts, waveform)
    found = waves.cepstrum(wave)
    level = found.level if longest is None else found.level[: int(longest * wave.rate) + 1]
    return as_json(
        {
            "id": waveform,
            "signal": signal,
            "time": time,
            "speed": wave.speed,
            "step": 1 / wave.rate,
            "problem": waves.problem(wave, _unit(parts, signal)),
            "level": [float(f"{value:.5g}") for value in level.tolist()],
        }
    )


def _lines(
    name: str, signal: int, time: int, wave: Waveform, unit: str, kind: waves.Kind, found: waves.Lines
) -> Response:
    return as_json(
        {
            "id": name,
            "signal": signal,
            "time": time,
            "kind": kind,
            "unit": found.unit,
            "speed": wave.speed,
            "band": None if found.band is None else list(found.band),
            "start": found.start,
            "step": found.step,
            "problem": waves.problem(wave, unit),
            "amplitude": [float(f"{value:.5g}") for value in found.amplitude.tolist()],
        }
    )


def _reasons(parts: Services, signal: int, start: int | None, end: int) -> list[RefusedView]:
    """Newest first; a burst that a webhook refused has a reason and no sample."""
    one = parts.state.catalogue.by_id(signal)
    if one is None:
        return []
    subject = f"{one.born.node}/{one.born.device}"
    found = parts.state.events.find(since=start, until=end, subject=subject, kind="waveform.malformed", limit=MOST)
    return [
        RefusedView(
            time=event.time,
            reason=str(event.details.get("reason") or event.message),
            mend=str(event.details.get("mend") or ""),
            address=str(event.details.get("address") or ""),
        )
        for event in (stored.event for stored in found)
        if event.details.get("signal") == one.path
    ][:MOST_REASONS]


def _unit(parts: Services, signal: int) -> str:
    """Unit of a waveform. Raises NotFound or DataError."""
    one = parts.state.catalogue.by_id(signal)
    if one is None:
        raise NotFound(f"there is no signal {signal}")
    if one.born.signal.kind is not SignalKind.WAVEFORM:
        raise DataError(f"{one.born.signal.path} is a {one.born.signal.kind}, not a waveform", hint="GET /series")
    return one.born.signal.unit


def _ascends(start: int, end: int) -> None:
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")


def _burst(parts: Services, name: str) -> tuple[int, int, Waveform]:
    signal, _, time = name.partition("-")
    if not (signal.isascii() and signal.isdigit() and time.isascii() and time.isdigit() and len(name) < 40):
        raise NotFound(f"{name!r} is not the id of a waveform")
    _unit(parts, int(signal))
    wave = parts.historian.bursts(int(signal), [int(time)]).get(int(time))
    if wave is None:
        raise NotFound(f"there is no waveform {name}")
    return int(signal), int(time), wave


def _item(one: StoredWave) -> WaveformItem:
    return WaveformItem(
        id=f"{one.signal}-{one.time}",
        time=one.time,
        rate=one.rate,
        speed=one.speed,
        samples=one.have,
        total=one.total,
        rms=one.rms if np.isfinite(one.rms) else None,
        quality=one.quality,
    )


def _arrow(wave: Waveform, time: int) -> bytes:
    facts = {
        "time": str(time), "rate": repr(wave.rate), "speed": "" if wave.speed is None else repr(wave.speed),
        "total": str(wave.total),
    }  # fmt: skip
    table = pa.table({"value": wave.values()}).replace_schema_metadata(facts)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
