"""Bearing diagnosis: simulated truth over noise and speed, false calls, real records, time and memory."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.maintenance.data import recordings
from bench.report import Report
from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, RaceFault, damaged_wave, healthy_wave, in_noise
from lineshaft.analytics.vibration.features import features
from lineshaft.commands.diagnose import Options, confusion, judge
from lineshaft.commands.waveform_files import find_records, read_record

RATE = 25_600.0
SPEEDS = (600, 1000, 1500, 3000, 6000)
DECIBELS = (10, 5, 0, -5, -10, -15, -20)
KINDS: dict[RaceFault, str] = {"outer": "outer_race", "inner": "inner_race", "ball": "rolling_element"}
GEOMETRIES = (Geometry(9, 7.94, 39.04), Geometry(8, 6.746, 28.499), Geometry(16, 8.4074, 71.501, 15.17))


def measure(report: Report, small: bool) -> None:
    """Every figure of bearing diagnosis."""
    _synthetic(report, 1 if small else 6)
    _false_calls(report, 150 if small else 2000)
    _mfpt(report)
    _speed(report, 500 if small else 10_000)


def _faults(decibels: float, rounds: int) -> Iterator[tuple[str, int, np.ndarray, FaultOrders]]:
    """(truth, turns a minute, record, orders): mean slip 0 to 2 %, jitter of the strikes 2 %, random resonance."""
    random = np.random.default_rng(20_260_101 + round(decibels))
    for _ in range(rounds):
        for fault, kind in KINDS.items():
            for speed in SPEEDS:
                for geometry in GEOMETRIES:
                    orders = fault_orders(geometry)
                    damage = Damage(
                        fault,
                        speed / 60,
                        orders,
                        resonance=random.uniform(2000, 9000),
                        damping=random.uniform(0.02, 0.08),
                        drift=random.uniform(0, 0.02),
                        jitter=0.02,
                    )
                    yield kind, speed, in_noise(damaged_wave(damage, RATE, 1.0, random), decibels, random), orders


def _synthetic(report: Report, rounds: int) -> None:
    print("right fault named, by signal-to-noise and turns a minute (slip 2 %, 1 s at 25.6 kHz, three bearings)")
    for decibels in DECIBELS:
        right: Counter[int] = Counter()
        called = wrong = total = 0
        for kind, speed, wave, orders in _faults(decibels, rounds):
            verdict = diagnose(wave, RATE, Machine(speed=speed / 60, orders=orders)).bearing_verdict
            right[speed] += verdict == kind
            called += verdict != "healthy"
            wrong += verdict not in (kind, "healthy")
            total += 1
        each = total // len(SPEEDS)
        by_speed = ", ".join(f"{speed}: {right[speed] / each:.0%}" for speed in SPEEDS)
        note = f"{by_speed}; detected {called / total:.1%}, wrongly named {wrong / total:.1%}; n {total}"
        target = 95.0 if decibels >= -5 else None
        report.add(
            f"simulated fault at {decibels:+d} dB, right one named",
            100 * right.total() / total,
            "%",
            target=target,
            note=note,
        )


def _false_calls(report: Report, count: int) -> None:
    random = np.random.default_rng(77)
    verdicts: Counter[str] = Counter()
    for _ in range(count):
        speed = float(random.choice(SPEEDS))
        teeth = int(random.choice((0, 17, 23, 41)))
        orders = fault_orders(GEOMETRIES[int(random.integers(len(GEOMETRIES)))])
        wave = healthy_wave(speed / 60, RATE, 1.0, random, teeth=teeth)
        verdicts[diagnose(wave, RATE, Machine(speed=speed / 60, orders=orders)).bearing_verdict] += 1
    called = count - verdicts["healthy"]
    note = f"{called} of {count} records with shaft lines, gear mesh and single shocks"
    report.add(
        "healthy simulated machine called damaged", 100 * called / count, "%", target=1.0, better="lower", note=note
    )


def _mfpt(report: Report) -> None:
    folder = recordings("NONCOMMERCIAL_mfpt")
    if folder is None:
        report.add("MFPT records, right race named", None, "%", target=100.0, note="recordings absent")
        return
    options = Options(geometry="8,0.235,1.245")
    paths = find_records([folder])
    judged = [judge(path, options, {}, [folder]) for path in paths]
    table = confusion(judged)
    right = sum(row[truth] for truth, row in table.items())
    report.add(
        "MFPT records, right race named", 100 * right / len(judged), "%", target=100.0, note=f"{right} of {len(judged)}"
    )
    clipped = 0
    for path in paths:
        record = read_record(path, "")
        limit = 0.3 * float(np.max(np.abs(record.samples)))
        machine = Machine(speed=record.speed, orders=fault_orders(Geometry(8, 0.235, 1.245)))
        found = diagnose(np.clip(record.samples, -limit, limit), record.rate or 0, machine, unit="g")
        clipped += found.bearing_verdict == "not diagnosable"
    report.add("MFPT records when clipped, named as nothing", 100 * clipped / len(paths), "%", target=100.0)


def _speed(report: Report, bursts: int) -> None:
    random = np.random.default_rng(1)
    orders = fault_orders(GEOMETRIES[0])
    machine = Machine(speed=25.0, orders=orders)
    waves = [healthy_wave(25.0, RATE, 1.0, random, teeth=17) for _ in range(8)]
    waves += [in_noise(damaged_wave(Damage("outer", 25.0, orders), RATE, 1.0, random), 0, random) for _ in range(8)]
    times = []
    before = 0
    for number in range(bursts):
        began = time.process_time()
        features(waves[number % 16], RATE)
        diagnose(waves[number % 16], RATE, machine)
        times.append(time.process_time() - began)
        if number == 99:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    median = 1000 * float(np.median(times))
    report.add("features and diagnosis of 1 s at 25.6 kHz, one core", median, "ms", target=10.0, better="lower")
    fleet = 100 * 1000 * float(np.mean(times)) / 600
    report.add("1,000 machines, a burst every 10 minutes", fleet, "% of a core", target=10.0, better="lower")
    report.add(f"memory grown over {bursts:,} bursts", grown, "MiB", target=5.0, better="lower")
