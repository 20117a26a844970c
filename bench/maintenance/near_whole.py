"""Bearings whose fault orders are nearly whole numbers, in the noise of machines: named, or honestly not parted."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from bench.report import Report
from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.findings import Diagnosis
from lineshaft.analytics.bearings.kinematics import FaultOrders, Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, RaceFault, damaged_wave, healthy_wave, in_noise

RATE: Final = 25_600.0
SPEEDS: Final = (600, 1000, 1500, 3000, 6000)
GEOMETRIES: Final = {
    "SKF 6203": Geometry(8, 6.746, 28.499),  # 3.05, 4.95, 2 BSF 3.99
    "LDK UER204": Geometry(8, 7.92, 34.55),  # 3.08, 4.92
    "8 elements": Geometry(8, 24, 100),  # 3.04, 4.96
    "10 elements": Geometry(10, 20, 100),  # 4, 6
    "12 elements": Geometry(12, 1, 6),  # 5, 7
    "13 elements": Geometry(13, 1, 13),  # 6, 7, 2 BSF 12.92
    "Rexnord ZA-2115": Geometry(16, 8.4074, 71.501, 15.17),  # 7.09, 8.91
}
KINDS: dict[RaceFault, str] = {"outer": "outer_race", "inner": "inner_race", "ball": "rolling_element"}
NOISES: Final = {
    "in noise": lambda wave, level, speed, random: in_noise(wave, level, random),
    "on a machine that breathes": lambda wave, level, speed, random: (
        10 ** (level / 20) * wave + healthy_wave(speed, RATE, 1.0, random)
    ),
    "on a machine that knocks": lambda wave, level, speed, random: 10 ** (level / 20) * wave + _knocking(speed, random),
}


def measure(report: Report, small: bool) -> None:
    """Named, not parted and wrong at each level; false calls where the machine itself repeats as often."""
    for words in NOISES:
        for level in (0, -5, -10):
            _faults(report, words, level, 2 if small else 8)
    _healthy(report, 200 if small else 1500)


def _faults(report: Report, words: str, level: int, rounds: int) -> None:
    """Slip of the cage 0 to 2 %, jitter of the strikes 2 %, 1 s at 25.6 kHz, 600 to 6000 turns a minute."""
    random = np.random.default_rng(7000 + level)
    seen: Counter[str] = Counter()
    for _ in range(rounds):
        for orders in map(fault_orders, GEOMETRIES.values()):
            for fault, kind in KINDS.items():
                for speed in SPEEDS:
                    wave = damaged_wave(_damage(fault, speed / 60, orders, random), RATE, 1.0, random)
                    heard = NOISES[words](wave, level, speed / 60, random)
                    found = diagnose(heard, RATE, Machine(speed=speed / 60, orders=orders))
                    seen[_judged(found, kind)] += 1
    total = seen.total()
    named, unparted, wrong = (100 * seen[key] / total for key in ("named", "not parted", "wrong"))
    note = f"named {named:.1f} %, not parted {unparted:.1f} %, nothing said {100 - named - unparted - wrong:.1f} %"
    note += f"; n {total}, seven bearings"
    wanted = words != "on a machine that knocks" and level >= -5
    title = f"orders nearly whole, {words}, {level:+d} dB"
    report.add(f"{title}: named or not parted", named + unparted, "%", target=95.0 if wanted else None, note=note)
    report.add(f"{title}: wrongly named", wrong, "%", target=1.0, better="lower")


def _judged(found: Diagnosis, kind: str) -> str:
    verdict = found.bearing_verdict
    if verdict == kind:
        return "named"
    if verdict == "not parted":
        among = {one.kind for one in found.findings} | {
            "rolling_element" for one in found.findings if one.kind == "cage"
        }
        return "not parted" if kind in among else "wrong"
    return "nothing" if verdict == "healthy" else "wrong"


def _damage(fault: RaceFault, speed: float, orders: FaultOrders, random: np.random.Generator) -> Damage:
    return Damage(
        fault,
        speed,
        orders,
        resonance=random.uniform(2000, 9000),
        damping=random.uniform(0.02, 0.08),
        drift=random.uniform(0, 0.02),
        jitter=0.02,
    )


def _healthy(report: Report, count: int) -> None:
    """Sound bearings beside a knock once a turn, and beside vanes that pass as often as a fault order says."""
    for words, vanes in (("knock once a turn", False), ("vanes that nobody named", True)):
        random = np.random.default_rng(7501)
        seen: Counter[str] = Counter()
        for number in range(count):
            orders = fault_orders(tuple(GEOMETRIES.values())[number % len(GEOMETRIES)])
            speed = float(random.choice(SPEEDS)) / 60
            passing = round(float(random.choice((orders.outer, orders.inner, 4, 5))))
            wave = _vaned(speed, passing, random) if vanes else _knocking(speed, random)
            seen[diagnose(wave, RATE, Machine(speed=speed, orders=orders)).bearing_verdict] += 1
        called = 100 * (count - seen["healthy"] - seen["not parted"]) / count
        note = f"not parted {100 * seen['not parted'] / count:.1f} %; n {count}"
        report.add(
            f"orders nearly whole, sound bearing beside {words}: called damaged", called, "%",
            target=1.0, better="lower", note=note,
        )  # fmt: skip


def _knocking(speed: float, random: np.random.Generator) -> np.ndarray:
    """A healthy machine with a shock once a turn, -12 to 6 dB by its noise."""
    wave = healthy_wave(speed, RATE, 1.0, random)
    train = np.zeros(len(wave))
    train[(np.arange(random.uniform(0, 1 / speed), 1.0, 1 / speed) * RATE).astype(int)] = 1.0
    t, resonance = np.arange(800) / RATE, random.uniform(1500, 7000)
    ring = np.exp(-0.05 * 2 * np.pi * resonance * t) * np.sin(2 * np.pi * resonance * t)
    knocks = np.convolve(train, ring)[: len(wave)]
    return wave + 10 ** (random.uniform(-12, 6) / 20) * knocks / np.std(knocks)


def _vaned(speed: float, vanes: int, random: np.random.Generator) -> np.ndarray:
    """A healthy machine whose whole noise swells by 10 to 50 % as each vane passes."""
    wave = healthy_wave(speed, RATE, 1.0, random)
    turn = 2 * np.pi * vanes * speed * np.arange(len(wave)) / RATE
    swollen: np.ndarray = wave * (1 + random.uniform(0.1, 0.5) * np.cos(turn + random.uniform(0, 6)))
    return swollen
