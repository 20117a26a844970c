"""Bearings that ran to failure: alarms and remaining life on FEMTO, leave one out; alarm lead time on IMS."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

from bench.maintenance.data import recordings
from bench.report import Report
from lineshaft.analytics.health.alarms import first_at, first_beyond, learn_fleet_rule, left_normal, limits_of, stages
from lineshaft.analytics.health.index import fit_health, health_trace, running_median
from lineshaft.analytics.remaining_life.fleet import CUTS, Life, fit_fleet
from lineshaft.analytics.remaining_life.scores import coverage, least_relative_error, percent_errors, phm2012_score
from lineshaft.analytics.vibration.snapshot import SNAPSHOT_FEATURES, snapshot_features
from lineshaft.analytics.vibration.units import STANDARD_GRAVITY

STEP = 10.0
"""Seconds between two snapshots of PRONOSTIA; counted, because Bearing1_1's clock jumps back once."""
RUN_IN, HEALTHY, SMOOTH = 6, 66, 15
"""Snapshots: the first minute is running in, the next ten are taken as healthy; 15 make the running median."""
TEST_SETS = {
    "1_3": (1802, 5730), "1_4": (1139, 2890), "1_5": (2302, 1610), "1_6": (2302, 1460), "1_7": (1502, 7570),
    "2_3": (1202, 7530), "2_4": (612, 1390), "2_5": (2002, 3090), "2_6": (572, 1290), "2_7": (172, 580),
    "3_3": (352, 820),
}  # fmt: skip
CHALLENGE_CUTS = tuple(10 * n / (10 * n + rest) for n, rest in TEST_SETS.values())
"""The parts of their lives at which the challenge cut its eleven test bearings (published snapshots and answers)."""
IMS_FIT, IMS_HELD_OUT = slice(20, 246), slice(246, 492)
"""Records: the first quarter of the test is learned from, the next quarter is the held-out healthy part."""


def measure(report: Report, small: bool) -> None:
    """Every figure of lives."""
    del small
    _ims(report)
    folder = recordings("femto_learning")
    if folder is None:
        report.add("FEMTO, alarms before the end", None, "of 6", target=6, note="recordings absent")
        return
    deviations = {path.stem: _deviations(path) for path in sorted(folder.glob("*.npz"))}
    _alarms(report, deviations)
    lives = {name: _life(rows) for name, rows in deviations.items()}
    _remaining(report, lives, CHALLENGE_CUTS, "cut where the challenge cut its test bearings")
    _remaining(report, lives, CUTS, "cut at 50 to 95 % of life")


def _deviations(path: Path) -> np.ndarray:
    """float64[n, p]: logarithm of each feature by the median of the bearing's own first minutes, smoothed."""
    with np.load(path) as file:
        waves = file["acceleration"].astype(np.float64) * (float(file["g_per_count"]) * STANDARD_GRAVITY)
        rate = float(file["sample_rate_hz"])
    rows = np.log(snapshot_features(waves, rate))
    rows -= np.median(rows[RUN_IN:HEALTHY], axis=0)
    smooth = np.column_stack([running_median(rows[:, j], SMOOTH) for j in range(rows.shape[1])])
    smooth[:HEALTHY] = np.nan
    return smooth


def _alarms(report: Report, deviations: dict[str, np.ndarray]) -> None:
    found = false = 0
    print("FEMTO: the alarm of each bearing, by a rule that was learned on the other five")
    for name, rows in deviations.items():
        rule = learn_fleet_rule([other for key, other in deviations.items() if key != name])
        row = first_beyond(rows[:, rule.feature], rule.limit)
        n = len(rows)
        if row is None:
            print(f"  {name}: no alarm")
            continue
        found += 1
        false += row < n / 2
        lead = STEP * (n - 1 - row)
        print(
            f"  {name}: {SNAPSHOT_FEATURES[rule.feature]} beyond {np.exp(rule.limit):.2f} times healthy "
            f"at {row / n:.1%} of life, {lead:,.0f} s before the end"
        )
    report.add("FEMTO leave-one-out, alarm before the end", found, "of 6", target=6)
    report.add("FEMTO leave-one-out, false alarms in the first half of life", false, "of 6", target=0, better="lower")


def _life(rows: np.ndarray) -> Life:
    index = np.maximum(np.expm1(np.nan_to_num(rows[:, 1])), 0.0)
    return Life(STEP * np.arange(1, len(rows) + 1), index)


def _remaining(report: Report, lives: dict[str, Life], cuts: tuple[float, ...], words: str) -> None:
    true, point, constant, low, high = ([] for _ in range(5))
    for name, life in lives.items():
        others = [other for key, other in lives.items() if key != name]
        model = fit_fleet(others, cuts=cuts, limit=4.0)
        guess = least_relative_error(np.log([other.end * (1 - c) for other in others for c in cuts]))
        for cut in cuts:
            answer = model.remaining(life.until(cut * life.end))
            true.append(life.end * (1 - cut))
            point.append(answer.point)
            constant.append(float(np.exp(guess)))
            low.append(answer.p10)
            high.append(answer.p90)
        tried = ", ".join(f"{method} {error:.0f} %" for method, error in model.errors.items())
        print(f"  {name}: {model.method}; mean |Er| on the other five: {tried}")
    errors, guessed = (percent_errors(np.array(true), np.array(values)) for values in (point, constant))
    bound, bound_score = float(np.mean(np.abs(guessed))), phm2012_score(guessed)
    mean, note = float(np.mean(np.abs(errors))), "target: the constant guess with the least error on the other five"
    report.add(f"FEMTO mean |Er|, {words}", mean, "%", target=bound, better="lower", note=note)
    _paired(report, words, (np.abs(guessed) - np.abs(errors)).reshape(len(lives), len(cuts)))
    report.add(
        f"FEMTO PHM score, {words}", phm2012_score(errors), "", target=bound_score,
        note="target: the same constant; challenge winner 0.307, Hong 2014 0.355 on the test bearings",
    )  # fmt: skip
    covered = 100 * coverage(np.array(true), np.array(low), np.array(high))
    note = f"aim 75 to 85; n {len(true)} of {len(lives)} bearings"
    report.add(f"FEMTO P10-P90 covers, {words}", covered, "%", note=note)
    outside = max(75 - covered, covered - 85, 0.0)
    report.add("  distance of that from 75 to 85 %", outside, "points", target=0.0, better="lower")


def _paired(report: Report, words: str, gained: np.ndarray) -> None:
    """How much less |Er| is than that of the constant, float64[bearings, cuts], and how sure that is.

    The bearings are drawn anew, with all their cuts: the cuts of one bearing are not independent (cluster bootstrap).
    """
    each = np.mean(gained, axis=1)
    drawn = np.random.default_rng(2012).integers(len(each), size=(20_000, len(each)))
    means = np.mean(each[drawn], axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    sure = float(np.mean(means > 0))
    note = f"90 % interval {low:+.1f} to {high:+.1f}, above zero in {sure:.0%} of draws of the {len(each)} bearings"
    note += f"; better on {int(np.sum(each > 0))} of them: {', '.join(f'{value:+.0f}' for value in each)}"
    report.add(f"  better than the constant by, {words}", float(np.mean(each)), "points", note=note)


def _ims(report: Report) -> None:
    folder = recordings("ims_features")
    if folder is None:
        report.add("IMS, alarm before the end", None, "h", target=54, note="recordings absent")
        return
    with gzip.open(folder / "test2_raw.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    names = ("std", "max", "kurt")
    columns = np.array([[float(row[f"Bearing1_ch1_{name}"]) for name in names] for row in rows])
    columns[:, 2] += 3.0  # excess to Pearson, so that it is above zero
    model = fit_health(columns[IMS_FIT], names)
    trace = health_trace(model, columns)
    limits = limits_of(trace.smooth[IMS_FIT])
    stage = stages(trace.smooth, limits)
    false = int(np.count_nonzero(np.diff((stage[IMS_HELD_OUT] >= 2).astype(np.int8)) == 1))
    row = first_at(stage, 2)
    lead = None if row is None else (len(rows) - 1 - row) / 6
    left = left_normal(trace.smooth, limits)
    note = "published 53.7 h on this test"
    if row is not None and left is not None:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in zip(names, trace.contribution[row], strict=True))
        note += f"; left normal {rows[left]['timestamp']}; contributions at the alarm: {shares}"
    report.add("IMS test 2, alarm before the end", lead, "h", target=54, note=note)
    report.add("IMS test 2, alarms in the held-out healthy part", false, "", target=0, better="lower")
