"""Anomaly detection: NAB ambient temperature, Tennessee Eastman, C-MAPSS as regimes; tool wear on whole runs."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np

from bench.maintenance.data import recordings
from bench.report import Report
from lineshaft.analytics.anomaly.detect import METHODS, detect
from lineshaft.analytics.anomaly.episodes import episodes
from lineshaft.analytics.tool_wear import fit_wear, run_features
from lineshaft.commands.anomaly import Options, find, read_table
from lineshaft.commands.rul import histories_of
from lineshaft.commands.rul import read_table as read_lives

STEP = 180.0
"""Seconds between two rows of Tennessee Eastman; the fault comes with row 160."""
ONSET = 160
CUTTING = frozenset(f"Layer {layer} {way}" for layer in (1, 2, 3) for way in ("Up", "Down"))
DRIVES = tuple(
    f"{axis}1_{what}" for axis in "XYS" for what in ("CurrentFeedback", "OutputCurrent", "OutputPower", "OutputVoltage")
)


def measure(report: Report, small: bool) -> None:
    """Every figure of anomalies and of tool wear."""
    _nab(report)
    _tep(report)
    _turbofan(report, small)
    _milling(report)


def _nab(report: Report) -> None:
    folder = recordings("nab")
    if folder is None:
        report.add("NAB ambient temperature, windows hit", None, "of 2", target=2, note="recordings absent")
        return
    options = Options(labels=folder / "windows.json")
    table = read_table(folder / "ambient_temperature_system_failure.csv", options)
    for method in METHODS:
        found = find(table, method, options).verdict
        target = 2.0 if method == "baseline" else None
        note = f"learned on the first 15 %; {found.false} false alarms, {found.per_month:.2f} a month"
        delay = "" if np.isnan(found.delay) else f", {found.delay / 3600:.0f} h after the window opens"
        report.add(
            f"NAB ambient temperature, {method}: windows hit", found.hit, "of 2", target=target, note=note + delay
        )


def _tep(report: Report) -> None:
    folder = recordings("tep")
    if folder is None:
        report.add("Tennessee Eastman, faults found", None, "of 4", target=4, note="recordings absent")
        return
    normal = np.loadtxt(folder / "d00.dat.gz")
    normal = normal.T if normal.shape[0] == 52 else normal
    names = tuple(f"x{i + 1}" for i in range(normal.shape[1]))
    for method in METHODS:
        hits, rates, delays, false, hours = 0, [], [], 0, 0.0
        for fault in ("00", "01", "04", "05", "10"):
            rows = np.loadtxt(folder / f"d{fault}_te.dat.gz")
            score = detect(np.vstack([normal, rows]), names, len(normal), method).score[len(normal) :]
            alarms = episodes(score, persistence=6, merge=24)
            onset = ONSET if fault != "00" else len(rows)
            false += sum(alarm.first < onset for alarm in alarms)
            hours += onset * STEP / 3600
            if fault == "00":
                continue
            late = [alarm for alarm in alarms if alarm.last >= onset]
            hits += bool(late)
            delays += [f"{fault}: {max(0, late[0].first - onset) * STEP / 60:.0f} min" if late else f"{fault}: missed"]
            rates.append(f"{fault}: {float(np.mean(score[onset:] > 1)):.0%}")
        month = false / hours * 720
        note = (
            f"rows {', '.join(rates)}; delay {', '.join(delays)}; {false} false in {hours:.0f} h ({month:.0f} a month)"
        )
        published = "; published PCA: 1 and 4 nearly always, 5 and 10 half"
        report.add(f"Tennessee Eastman, {method}: faults found", hits, "of 4", target=4, note=note + published)


def _turbofan(report: Report, small: bool) -> None:
    """Half of the engines of FD002 teach normal by their first 40 cycles; the others are judged under six regimes."""
    folder = recordings("cmapss")
    if folder is None:
        return
    names, rows = read_lives(folder / "train_FD002.csv.gz")
    operating = tuple(name for name in names if name.startswith("op_"))
    signals = tuple(name for name in names if name.startswith("sensor"))
    lives = histories_of(names, rows, signals, operating)
    teachers, judged = lives[::2], lives[1::2][: 20 if small else None]
    normal, under = np.vstack([x.signals[:40] for x in teachers]), np.vstack([x.operating[:40] for x in teachers])
    for method in METHODS:
        hit = false = cycles = 0
        lead = []
        values = np.vstack([normal, *(x.signals for x in judged)])
        settings = np.vstack([under, *(x.operating for x in judged)])
        score = detect(values, signals, len(normal), method, operating=settings).score[len(normal) :]
        place = 0
        for life in judged:
            n = len(life.signals)
            alarms = episodes(score[place : place + n], persistence=5, merge=15)
            place += n
            half = n // 2
            false += sum(alarm.first < half for alarm in alarms)
            cycles += half
            late = [alarm.first for alarm in alarms if alarm.last >= n - 30]
            hit += bool(late)
            lead += [n - min(late)] if late else []
        often = f"{1000 * false / cycles:.2f} false alarms in 1,000 cycles of first halves"
        note = f"{often}; median {np.median(lead):.0f} cycles ahead"
        share = 100 * hit / len(judged)
        target = 90.0 if method == "baseline" else None
        report.add(f"C-MAPSS FD002 as six regimes, {method}: ends found", share, "%", target=target, note=note)


def _milling(report: Report) -> None:
    folder = recordings("cnc_mill_wear")
    if folder is None:
        return
    features, feeds, worn = [], [], []
    for path in sorted(folder.glob("experiment_*.csv.gz")):
        rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
        values = np.array([[float(row[name]) for name in DRIVES] for row in rows])
        turning = np.array([float(row["S1_ActualVelocity"]) > 10 for row in rows])
        cutting = np.array([row["Machining_Process"] in CUTTING for row in rows]) & turning
        features.append(run_features(values, cutting))
        feeds.append(float(np.median([float(row["M1_CURRENT_FEEDRATE"]) for row in rows])))
        worn.append(rows[0]["tool_condition"] == "worn")
    x, feed, truth = np.array(features), np.array(feeds), np.array(worn)
    majority = int(max(np.sum(truth), np.sum(~truth)))
    bus = np.array(["OutputCurrent" in name for name in DRIVES] * 2)
    for words, use in (("all drive signals", bus | ~bus), ("without those at the level of the DC bus", ~bus)):
        right = 0
        for i in range(len(truth)):
            rest = np.arange(len(truth)) != i
            score = fit_wear(x[rest][:, use], feed[rest], truth[rest]).score(x[[i]][:, use], feed[[i]])[0]
            right += bool(score > 0) == bool(truth[i])
        note = f"leave one run out; always the same answer gives {majority}, the feed alone {_by_feed(feed, truth)}"
        report.add(f"milling tool worn or not, {words}", right, f"of {len(truth)} runs", note=note)


def _by_feed(feed: np.ndarray, worn: np.ndarray) -> int:
    """Runs that the feed alone answers, by the middle between the mean feeds of the other runs: no wear is in it."""
    right, logs = 0, np.log(feed)
    for i in range(len(worn)):
        rest = np.arange(len(worn)) != i
        high, low = np.mean(logs[rest & worn]), np.mean(logs[rest & ~worn])
        right += bool((logs[i] - (high + low) / 2) * (high - low) > 0) == bool(worn[i])
    return right
