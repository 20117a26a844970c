"""`lineshaft anomaly`: finds what is not normal in a table of signals, beside labelled windows where there are some."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from lineshaft.analytics.anomaly.detect import METHODS, Detection, Method, detect, leading
from lineshaft.analytics.anomaly.episodes import Episode, Verdict, episodes, judge
from lineshaft.commands import output
from lineshaft.errors import ConfigError, DataError
from lineshaft.model.samples import Float64Array

_TIME: Final = ("timestamp", "time", "datetime", "date", "t", "cycle")
_LABEL: Final = ("label", "anomaly", "is_anomaly", "fault")
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. train: part (below 1) or number of the first rows that are normal."""

    train: float = 0.15
    train_file: Path | None = None
    labels: Path | None = None
    signals: str = ""
    operating: str = ""
    step: float = 0.0
    persistence: int = 6
    merge: int = 24
    level: float = 0.995


@dataclass(frozen=True, slots=True)
class Table:
    """Signals float64[n, p] by name at times in s, and windows (begin, end) in s that are labelled as not normal."""

    names: tuple[str, ...]
    times: Float64Array
    rows: Float64Array
    windows: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One detector on one table: judged from row `start` on."""

    method: Method
    detection: Detection
    alarms: tuple[Episode, ...]
    verdict: Verdict
    start: int


def run(data: Path, options: Options, *, as_json: bool, csv_file: Path | None) -> int:
    """Learn, judge, print alarms with the signals behind them, and the scores beside the labels."""
    table = read_table(data, options)
    outcomes = [find(table, method, options) for method in METHODS]
    if csv_file is not None:
        _write(csv_file, table, outcomes)
    if as_json:
        output.print_json({"file": str(data), "detectors": [_document(table, one) for one in outcomes]})
        return output.ExitCode.OK
    console = output.out()
    for one in outcomes:
        console.print(
            f"{one.method}: {len(one.alarms)} alarms after {one.start} rows that were learned from", markup=False
        )
        for alarm in one.alarms[:50]:
            because = ", ".join(
                f"{name} {share:.0%}" for name, share in leading(one.detection, alarm.first, alarm.last)
            )
            begin, end = _when(table.times[alarm.first]), _when(table.times[alarm.last])
            console.print(f"  {begin} to {end}, {alarm.highest:.1f} times the limit: {because}", markup=False)
    if table.windows:
        columns = ("detector", "windows hit", "of", "false alarms", "a month", "delay h", "rows inside", "rows outside")
        output.table(columns, [_row(one) for one in outcomes])
    return output.ExitCode.OK


def find(table: Table, method: Method, options: Options) -> Outcome:
    """One detector on a table; it learns from the training rows and is judged on the rest. Raises DataError."""
    rows, names = table.rows, table.names
    under = [name.strip() for name in options.operating.split(",") if name.strip()]
    missing = [name for name in under if name not in names]
    if missing:
        raise ConfigError(f"there is no column {', '.join(missing)}", hint=f"there are {', '.join(names)}")
    use = [i for i, name in enumerate(names) if name not in under]
    operating = rows[:, [names.index(name) for name in under]] if under else None
    extra = None if options.train_file is None else read_table(options.train_file, options)
    start = 0 if extra is not None else training_rows(len(rows), options.train)
    judged = rows[:, use]
    if extra is not None:
        if extra.names != names:
            raise DataError(f"{options.train_file} has other columns than the data")
        judged = np.vstack([extra.rows[:, use], judged])
        operating = (
            None if operating is None else np.vstack([extra.rows[:, [names.index(n) for n in under]], operating])
        )
    learned = start if extra is None else len(extra.rows)
    step = float(np.median(np.diff(table.times))) if len(table.times) > 1 else 0.0
    day = round(_DAY / step) if step > 0 else None
    try:
        found = detect(
            judged,
            [names[i] for i in use],
            learned,
            method,
            operating=operating,
            day=day if day is not None and day * 3 <= learned else None,
            level=options.level,
        )
    except ValueError as error:
        raise DataError(f"there is too little to learn from: {error}") from error
    skip = 0 if extra is None else learned
    own = Detection(found.score[skip:], found.contribution[skip:], found.features, found.model)
    score = own.score[start:]
    alarms = episodes(score, persistence=options.persistence, merge=options.merge)
    windows = [(low, high) for low, high in table.windows if high >= table.times[start]]
    verdict = judge(table.times[start:], score, alarms, windows)
    return Outcome(
        method, own, tuple(Episode(a.first + start, a.last + start, a.highest) for a in alarms), verdict, start
    )


def training_rows(n: int, train: float) -> int:
    """How many of n rows are learned from: a part below 1, or a number. Raises ConfigError."""
    count = int(train * n) if train < 1 else int(train)
    if not 0 < count < n:
        raise ConfigError(f"--train {train:g} leaves {max(0, n - count)} of {n} rows to judge")
    return count


def read_table(path: Path, options: Options) -> Table:
    """A CSV with a header (.gz too): a time, signals, perhaps a column of labels. Raises DataError with the place."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    lines = list(csv.reader(io.StringIO(text)))
    if len(lines) < 2:
        raise DataError(f"{path} has no rows")
    header = [cell.strip() for cell in lines[0]]
    body = [line for line in lines[1:] if line]
    low = [name.lower() for name in header]
    time_at = next((low.index(name) for name in _TIME if name in low), None)
    label_at = next((low.index(name) for name in _LABEL if name in low), None)
    wanted = [name.strip() for name in (options.signals + "," + options.operating).split(",") if name.strip()]
    keep = [
        i
        for i, name in enumerate(header)
        if i not in (time_at, label_at) and (not options.signals or name in wanted) and name
    ]
    if not keep:
        raise DataError(f"{path} has no signal; its columns are {', '.join(header)}")
    rows = np.array([[_value(path, line, i, number) for i in keep] for number, line in enumerate(body, 2)], np.float64)
    times = _times(path, [line[time_at] for line in body] if time_at is not None else None, len(body), options.step)
    order = np.argsort(times, kind="stable")
    windows = read_windows(options.labels, path) if options.labels is not None else ()
    if label_at is not None:
        flags = np.array([_value(path, line, label_at, n) > 0 for n, line in enumerate(body, 2)], np.bool_)[order]
        windows = (*windows, *_spans(times[order], flags))
    return Table(tuple(header[i] for i in keep), times[order], rows[order], windows)


def read_windows(path: Path, data: Path) -> tuple[tuple[float, float], ...]:
    """Windows of a JSON list, of a JSON object by file name (the form of NAB), or of a CSV with two columns."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix != ".json":
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        return tuple((_moment(row[0]), _moment(row[1])) for row in rows if _is_moment(row[0]))
    document: Any = json.loads(text)
    if isinstance(document, dict):
        own = [windows for name, windows in document.items() if Path(name).name == data.name.removesuffix(".gz")]
        document = own[0] if own else []
    return tuple((_moment(str(begin)), _moment(str(end))) for begin, end in document)


def _value(path: Path, line: Sequence[str], at: int, number: int) -> float:
    cell = line[at].strip() if at < len(line) else ""
    try:
        return float(cell) if cell else float("nan")
    except ValueError as error:
        raise DataError(f"{path}:{number}: {cell!r} is no number", hint="name the signals by --signals") from error


def _times(path: Path, cells: list[str] | None, n: int, step: float) -> Float64Array:
    if cells is None or step > 0:
        return np.arange(n, dtype=np.float64) * np.float64(step or 1.0)
    try:
        return np.array([_moment(cell) for cell in cells], np.float64)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_moment(text: str) -> bool:
    try:
        _moment(text)
    except ValueError:
        return False
    return True


def _spans(times: Float64Array, flags: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(float(times[a]), float(times[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _when(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") if time > 1e8 else f"{time:g} s"


def _row(one: Outcome) -> tuple[object, ...]:
    found = one.verdict
    shown = (f"{found.per_month:.2f}", f"{found.delay / 3600:.1f}", f"{found.inside:.1%}", f"{found.outside:.1%}")
    return one.method, found.hit, found.windows, found.false, *shown


def _document(table: Table, one: Outcome) -> dict[str, Any]:
    return {
        "method": one.method,
        "learned_rows": one.start,
        "alarms": [
            {
                "begin": _when(table.times[alarm.first]),
                "end": _when(table.times[alarm.last]),
                "highest": alarm.highest,
                "signals": dict(leading(one.detection, alarm.first, alarm.last)),
            }
            for alarm in one.alarms
        ],
        "verdict": asdict(one.verdict) if table.windows else None,
    }


def _write(path: Path, table: Table, outcomes: Sequence[Outcome]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("time", *(one.method for one in outcomes)))
        writer.writerows(zip(table.times, *(one.detection.score for one in outcomes), strict=True))
