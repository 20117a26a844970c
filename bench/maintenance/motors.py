"""Motor current signature and cavitation on synthetic truth; what the gateway's step of diagnosis costs."""

from __future__ import annotations

import math
import resource
import time

import numpy as np

from bench.report import Report
from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.kinematics import find_bearing
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, healthy_wave, in_noise
from lineshaft.analytics.motor_current import Motor, diagnose_current, signature
from lineshaft.config.reference import bearings
from lineshaft.config.vibration_sheet import Sheet
from lineshaft.gateway.steps.bursts import Burst, BurstFeature, Bursts
from lineshaft.gateway.steps.diagnosis import Diagnosing, Watch
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

RATE = 25_600.0
MINUTE = 60_000_000


def measure(report: Report, small: bool) -> None:
    """Every figure of motors, pumps and the gateway's step."""
    _currents(report, 40 if small else 300)
    _cavitation(report, 20 if small else 200)
    _edge(report, 150 if small else 10_000)


def _currents(report: Report, count: int) -> None:
    """Four-pole motors at 1 to 5 % slip, 10 s at 5 kHz: broken bars of -42 to -34 dB, sound ones below -56."""
    random = np.random.default_rng(11)
    named = called = 0
    errors = []
    for number in range(count):
        slip, broken = random.uniform(0.01, 0.05), number % 2 == 0
        bar = random.uniform(-42, -34) if broken else random.uniform(-75, -56)
        supply = random.uniform(49.9, 50.1)
        wave = _current(supply, slip, bar, random.uniform(-58, -48), random)
        errors.append(abs(signature(wave, 5000.0, Motor(50.0, 2)).slip - slip))
        kinds = {one.kind for one in diagnose_current(wave, 5000.0, Motor(50.0, 2)).findings}
        named += broken and kinds == {"rotor_bar"}
        called += not broken and bool(kinds)
    half = count // 2
    note = f"{half} broken, -42 to -34 dB; limit -45 dB (Thomson and Fenger 2001)"
    report.add("motor current, broken bars named", 100 * named / half, "%", target=95.0, note=note)
    report.add("motor current, sound motors called damaged", 100 * called / half, "%", target=1.0, better="lower")
    report.add("motor current, slip read out of it, mean error", 100 * float(np.mean(errors)), "points", better="lower")


def _current(supply: float, slip: float, bar: float, gap: float, random: np.random.Generator) -> np.ndarray:
    t = np.arange(50_000) / 5000
    wave = 28 * np.cos(2 * np.pi * supply * t) + random.normal(0, 0.03, len(t))
    for sign in (-1, 1):
        for place, level in ((2 * slip, bar), ((1 - slip) / 2, gap)):
            phase = random.uniform(0, 2 * math.pi)
            wave += 28 * 10 ** (level / 20) * np.cos(2 * np.pi * supply * (1 + sign * place) * t + phase)
    return wave


def _cavitation(report: Report, count: int) -> None:
    """Noise that swells by 15 to 50 % as each vane passes, against healthy machines with a tone of the vanes."""
    random = np.random.default_rng(12)
    named = called = 0
    for _ in range(count):
        speed, vanes = random.uniform(16, 50), int(random.integers(4, 9))
        t = np.arange(round(2 * RATE)) / RATE
        passing = np.cos(2 * np.pi * vanes * speed * t)
        noise = random.standard_normal(len(t)) * (1 + random.uniform(0.15, 0.5) * passing) + 0.5 * passing
        machine = Machine(speed=speed, vanes=vanes)
        named += any(one.kind == "cavitation" for one in diagnose(noise, RATE, machine).findings)
        healthy = 0.2 * healthy_wave(speed, RATE, 2.0, random, teeth=vanes)
        called += any(one.kind == "cavitation" for one in diagnose(healthy, RATE, machine).findings)
    report.add("pump, cavitation named", 100 * named / count, "%", target=95.0, note=f"n {count}, simulated")
    report.add("pump, healthy one called cavitating", 100 * called / count, "%", target=1.0, better="lower")


def _edge(report: Report, bursts: int) -> None:
    """The gateway's own steps, features and diagnosis, on 1 s at 25.6 kHz of 16 bit counts."""
    bearing = find_bearing(bearings(), "SKF 6205-2RS")
    random = np.random.default_rng(13)
    waves = [healthy_wave(25.0, RATE, 1.0, random) for _ in range(4)]
    waves += [
        in_noise(damaged_wave(Damage("outer", 25.0, bearing.orders), RATE, 1.0, random), 0, random) for _ in range(4)
    ]
    counts = [Waveform.of(np.rint(200 * wave).astype(np.int16), RATE, 1500.0, scale=0.005) for wave in waves]
    kinds = ("rms", "velocity_rms", "peak", "crest", "kurtosis", "envelope_rms")
    features = tuple(BurstFeature(1 + i, kind) for i, kind in enumerate(kinds))
    rule = Burst(0, "a/pump", "a/pump/burst", features, "acceleration", every=0, before=12, after=6)
    step, judge = (
        Bursts([rule], 8),
        Diagnosing([Watch(0, "a/pump", "a/pump/burst", Sheet(bearing="x", orders=bearing.orders))]),
    )
    times, before = [], 0
    for number in range(bursts):
        batch = SampleBatch.of_waves([0], [number * 10 * MINUTE], [counts[number // 8 % 8]])
        began = time.process_time()
        batch, _, _ = step.features(batch, lambda _: None)
        step.keep(batch, judge.update(batch))
        times.append(time.process_time() - began)
        if number == 99:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    report.add(
        "gateway: features and diagnosis of 1 s at 25.6 kHz",
        1000 * float(np.median(times)),
        "ms of a core",
        target=10.0,
        better="lower",
    )
    fleet = 100 * 1000 * float(np.mean(times)) / 600
    report.add("gateway: 1,000 machines, a burst every 10 minutes", fleet, "% of a core", target=10.0, better="lower")
    report.add(f"gateway: memory grown over {bursts:,} bursts", grown, "MiB", target=5.0, better="lower")
