"""`lineshaft diagnose`: judges records of vibration and, where their truth is known, prints a confusion table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.findings import BEARING_FAULTS, Diagnosis, NotDiagnosable
from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry, fault_orders, find_bearing
from lineshaft.commands import output
from lineshaft.commands.waveform_files import find_records, read_record
from lineshaft.config.reference import bearings
from lineshaft.errors import ConfigError, DataError

CLASSES: Final = ("healthy", *BEARING_FAULTS, "not diagnosable")
VERDICTS: Final = (*CLASSES, "not parted")
"""What a record may be judged as; 'not parted' is no truth, and never right."""
_LABELS: Final = (
    ("healthy", re.compile(r"normal|healthy|baseline|no.?fault|good")),
    ("inner_race", re.compile(r"inner|bpfi|(^|[^a-z])ir([^a-z]|$)")),
    ("outer_race", re.compile(r"outer|bpfo|(^|[^a-z])or([^a-z]|$)")),
    ("rolling_element", re.compile(r"ball|roll|bsf|(^|[^a-z])b0")),
    ("cage", re.compile(r"cage|ftf")),
    ("not diagnosable", re.compile(r"not.?diagnos|bad|clipped")),
)
_COLUMNS: Final = ("file", "label", "speed", "rate", "unit", "bearing")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. speed in turns a minute, rate in Hz, range in turns a minute."""

    bearing: str = ""
    geometry: str = ""
    orders: str = ""
    speed: float | None = None
    speed_range: str = ""
    rate: float | None = None
    unit: str = ""
    channel: str = ""
    labels: Path | None = None
    teeth: int | None = None
    mains: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One record with its truth ('' when unknown) and its diagnosis."""

    path: Path
    label: str
    diagnosis: Diagnosis


def run(paths: list[Path], options: Options, *, as_json: bool, csv_file: Path | None) -> int:
    """Judge every record; print evidence, and a confusion table when labels are known; returns the exit code."""
    if (options.geometry or options.orders or options.bearing) == "":
        raise ConfigError("the bearing is unknown", hint="give --bearing NAME, --geometry n,d,D,angle or --orders")
    rows = {} if options.labels is None else read_labels(options.labels)
    judged = [judge(path, options, rows, paths) for path in find_records(paths)]
    table = confusion(judged)
    if csv_file is not None:
        _write(csv_file, judged)
    if as_json:
        output.print_json({"records": [_document(one) for one in judged], "confusion": table})
    else:
        _show(judged, table)
    return output.ExitCode.OK


def judge(path: Path, options: Options, rows: Mapping[str, Mapping[str, str]], roots: Sequence[Path]) -> Judged:
    """One record: its row of the labels wins over its file, and the file over the command line."""
    row = rows.get(path.name) or rows.get(path.stem) or {}
    label = label_of(row["label"]) if row.get("label") else _name_label(path, roots)
    try:
        record = read_record(path, options.channel)
    except DataError as error:
        return Judged(path, label, Diagnosis(not_diagnosable=(NotDiagnosable("all", "file", str(error)),)))
    speed = _from_row(row, "speed")
    speed = speed / 60 if speed is not None else record.speed
    if speed is None and options.speed is not None:
        speed = options.speed / 60
    rate = _from_row(row, "rate") or record.rate or options.rate or _rate_of_path(path) or float("nan")
    machine = Machine(
        speed=speed,
        speed_range=_range(options.speed_range),
        orders=orders_of(row.get("bearing") or options.bearing, options),
        teeth=options.teeth,
        mains=options.mains,
    )
    unit = row.get("unit") or options.unit or record.unit or "m/s2"
    return Judged(path, label, diagnose(record.samples, rate, machine, unit=unit))


def orders_of(bearing: str, options: Options) -> FaultOrders:
    """Fault orders by hand, by geometry or from the library. Raises ConfigError."""
    try:
        if options.orders:
            return FaultOrders(*_numbers(options.orders, 4))
        if options.geometry:
            elements, element, pitch, *angle = _numbers(options.geometry, 3, 4)
            return fault_orders(Geometry(int(elements), element, pitch, *angle))
        return find_bearing(bearings(), bearing).orders
    except ValueError as error:
        raise ConfigError(str(error)) from error


def read_labels(path: Path) -> dict[str, dict[str, str]]:
    """File name -> row of a CSV with the columns file, label and perhaps speed (1/min), rate (Hz), unit, bearing."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or []
        if "file" not in names or any(name not in _COLUMNS for name in names):
            raise ConfigError(f"{path} has the columns {', '.join(names)}", hint=f"allowed are {', '.join(_COLUMNS)}")
        return {Path(row["file"]).name: {key: value or "" for key, value in row.items()} for row in reader}


def label_of(text: str) -> str:
    """The class that a label or a folder's name means. Raises ConfigError."""
    if text in CLASSES:
        return text
    low = text.lower()
    for name, pattern in _LABELS:
        if pattern.search(low):
            return name
    raise ConfigError(f"the label {text!r} is unknown", hint=f"allowed are {', '.join(CLASSES)}")


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """True class -> verdict -> count, of the records whose truth is known."""
    counts = Counter((one.label, one.diagnosis.bearing_verdict) for one in judged if one.label)
    return {
        truth: {verdict: counts[truth, verdict] for verdict in VERDICTS}
        for truth in CLASSES
        if any(counts[truth, verdict] for verdict in VERDICTS)
    }


def _name_label(path: Path, roots: Sequence[Path]) -> str:
    """The nearest folder below the given one whose name is a class, else the file's own name; '' when none is."""
    tops = {root.resolve() for root in roots}
    names = []
    for folder in path.resolve().parents:
        if folder in tops:
            break
        names.append(folder.name)
    for name in (*names, path.stem):
        try:
            return label_of(name)
        except ConfigError:
            continue
    return ""


def _from_row(row: Mapping[str, str], key: str) -> float | None:
    try:
        return float(row[key]) if row.get(key) else None
    except ValueError as error:
        raise ConfigError(f"{row['file']}: {key} = {row[key]!r} is no number") from error


def _rate_of_path(path: Path) -> float | None:
    """12k or 48k in a folder's or file's name, as the sets of CWRU are usually filed."""
    found = re.search(r"(?<![0-9a-z])(12|48)k", str(path).lower())
    return None if found is None else 1000.0 * float(found[1])


def _range(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    low, high = _numbers(text.replace("-", ","), 2)
    return low / 60, high / 60


def _numbers(text: str, fewest: int, most: int | None = None) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not fewest <= len(values) <= (most or fewest):
        raise ConfigError(f"{text!r} is not {fewest}{f' or {most}' if most else ''} numbers with commas between them")
    return values


def _document(one: Judged) -> dict[str, Any]:
    found = one.diagnosis
    return {
        "file": str(one.path),
        "label": one.label or None,
        "verdict": found.bearing_verdict,
        "speed_rpm": None if found.speed is None else 60 * found.speed,
        "speed_estimated": found.estimated,
        "velocity_mm_s": found.velocity_rms,
        "findings": [
            {
                "kind": finding.kind,
                "likelihood": finding.likelihood,
                "not_parted": finding.not_parted,
                "words": list(finding.words),
                "peaks": [[peak.name, peak.frequency, peak.over_noise] for peak in finding.peaks],
            }
            for finding in found.findings
        ],
        "not_diagnosable": [[entry.what, entry.reason, entry.words] for entry in found.not_diagnosable],
    }


def _write(path: Path, judged: Sequence[Judged]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "label", "verdict", "likelihood", "words"))
        for one in judged:
            likelihood, words = _why(one.diagnosis)
            writer.writerow((one.path, one.label, one.diagnosis.bearing_verdict, likelihood, words))


def _why(diagnosis: Diagnosis) -> tuple[str, str]:
    if diagnosis.findings:
        first = diagnosis.findings[0]
        return f"{first.likelihood:.4f}", " ".join(first.words)
    return "", "; ".join(entry.words for entry in diagnosis.not_diagnosable) or "no fault stands out"


def _show(judged: Sequence[Judged], table: Mapping[str, Mapping[str, int]]) -> None:
    console = output.out()
    for one in judged:
        console.print(f"{one.path}: {one.diagnosis.bearing_verdict}", style="bold", markup=False)
        for finding in one.diagnosis.findings:
            console.print(f"  {finding.title}, likelihood {finding.likelihood:.2f}", markup=False)
            for words in finding.words:
                console.print(f"    {words}", markup=False)
        for entry in one.diagnosis.not_diagnosable:
            console.print(f"  {entry.what} not diagnosable: {entry.words}", markup=False)
    if table:
        shown = [verdict for verdict in VERDICTS if any(row[verdict] for row in table.values()) or verdict in table]
        rows = [(truth, *(row[verdict] for verdict in shown)) for truth, row in table.items()]
        right = sum(row.get(truth, 0) for truth, row in table.items())
        total = sum(sum(row.values()) for row in table.values())
        console.print()
        output.table(("truth \\ verdict", *shown), rows, title=f"{right} of {total} right")
