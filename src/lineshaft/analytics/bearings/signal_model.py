"""Vibration of a damaged bearing by a published model, for tests, benchmarks and the simulated factory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import scipy

from lineshaft.analytics.bearings.kinematics import FaultOrders, slipped
from lineshaft.model.samples import Float64Array

RaceFault = Literal["outer", "inner", "ball", "cage"]
FAULTS: Final[tuple[RaceFault, ...]] = ("outer", "inner", "ball", "cage")


@dataclass(frozen=True, slots=True)
class Damage:
    """How a bearing rings.

    fault      where the damage is
    speed      Hz of the shaft            orders     fault orders of the bearing
    resonance  Hz of the structure that is struck, with its damping ratio
    drift      mean part by which the cage slips behind kinematics (0.01 = 1 %): BPFO and the spin of the elements fall
               by it, BPFI rises, because both add up to the number of elements
    jitter     standard deviation of one interval between two strikes, as a part of it
    depth      how far the load zone or the cage modulates the strikes, 0 to 1
    """

    fault: RaceFault
    speed: float
    orders: FaultOrders
    resonance: float = 4000.0
    damping: float = 0.05
    drift: float = 0.01
    jitter: float = 0.01
    depth: float = 0.7


def strikes(damage: Damage, seconds: float, random: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """(times in s, heights) of the strikes within `seconds`: intervals that wander (Antoni and Randall 2003).

    An inner race passes the load zone once a turn, a ball once a turn of the cage (McFadden and Smith 1984): their
    strikes swell and fade with it. A ball strikes both races, the outer one harder.
    """
    orders = slipped(damage.orders, damage.drift)
    order = {"outer": orders.outer, "inner": orders.inner, "ball": 2 * orders.ball, "cage": orders.cage}[damage.fault]
    interval = 1 / (order * damage.speed)
    count = math.ceil(seconds / interval * 1.2) + 8
    steps = interval * (1 + damage.jitter * random.standard_normal(count))
    times = random.uniform(0, interval) + np.cumsum(np.maximum(steps, interval / 10))
    times = times[times < seconds]
    modulation = {"inner": damage.speed, "ball": orders.cage * damage.speed}.get(damage.fault)
    heights = np.ones(len(times))
    if modulation is not None:
        heights += damage.depth * np.cos(2 * np.pi * modulation * times + random.uniform(0, 2 * np.pi))
    if damage.fault == "ball":
        heights[1::2] *= 0.7
    return times, heights


def damaged_wave(damage: Damage, rate: float, seconds: float, random: np.random.Generator) -> Float64Array:
    """float64[rate * seconds]: the damage alone, with RMS 1. Raises ValueError for a resonance beyond half the rate."""
    if not 0 < damage.resonance < rate / 2:
        raise ValueError(f"the resonance of {damage.resonance:g} Hz does not lie within 0 and {rate / 2:g} Hz")
    n = round(rate * seconds)
    times, heights = strikes(damage, seconds, random)
    place = times * rate
    first = np.floor(place).astype(np.int64)
    part = place - first
    train = np.bincount(first, heights * (1 - part), n + 1) + np.bincount(first + 1, heights * part, n + 2)[: n + 1]
    omega = 2 * np.pi * damage.resonance
    decay = damage.damping * omega
    t = np.arange(max(8, round(rate * min(seconds, 8 / decay)))) / rate
    ring = np.exp(-decay * t) * np.sin(omega * math.sqrt(1 - damage.damping**2) * t)
    wave: Float64Array = scipy.signal.oaconvolve(train[:n], ring)[:n]
    size = float(np.std(wave))
    return wave / size if size > 0 else wave


def in_noise(wave: Float64Array, decibels: float, random: np.random.Generator) -> Float64Array:
    """The waveform with normal noise of RMS 1, scaled to a signal-to-noise ratio of powers over the whole band."""
    level = 10 ** (decibels / 20) / max(float(np.std(wave)), 1e-12)
    noisy: Float64Array = level * wave + random.standard_normal(len(wave))
    return noisy


def healthy_wave(
    speed: float, rate: float, seconds: float, random: np.random.Generator, *, teeth: int = 0
) -> Float64Array:
    """float64[rate * seconds]: a machine without bearing damage, noise of RMS 1 in it.

    Shaft harmonics of random height, noise that breathes with the shaft, a few single shocks from elsewhere, and with
    `teeth` a gear mesh with sidebands of the shaft.
    """
    n = round(rate * seconds)
    t = np.arange(n) / rate
    turn = 2 * np.pi * speed * t
    wave = random.standard_normal(n) * (1 + random.uniform(0, 0.5) * np.cos(turn + random.uniform(0, 6)))
    for k in range(1, 7):
        wave += random.exponential(0.6) / k * np.cos(k * turn + random.uniform(0, 6))
    if teeth:
        depth = random.uniform(0.1, 0.8)
        wave += random.uniform(0.5, 3) * (1 + depth * np.cos(turn)) * np.cos(teeth * turn + random.uniform(0, 6))
    for _ in range(random.poisson(2 * seconds)):
        start = random.uniform(0, seconds)
        after = np.maximum(t - start, 0)
        frequency = random.uniform(0.1, 0.4) * rate
        wave += random.uniform(2, 15) * (t > start) * np.exp(-800 * after) * np.sin(2 * np.pi * frequency * after)
    return wave
