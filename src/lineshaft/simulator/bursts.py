"""What an accelerometer on a bearing sees in a burst: shaft, blades, noise, and the shocks of a damaged outer race.

The model is that of McFadden and Smith (1984): an impulse each time a ball rolls over the defect, loaded once a turn
where the race is loaded, each of which rings the structure at its resonance. The balls slip, so that the distance
between two impulses varies at random by about a percent.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.factory import Frame
from lineshaft.simulator.machines.base import vibration_key

RATE: Final = 25_600.0
SAMPLES: Final = 16_384
EVERY_US: Final = 60_000_000
"""How often the monitor takes a burst."""
_SLIP: Final = 0.01


@dataclass(frozen=True, slots=True)
class Mounting:
    """Where the sensor sits. `bpfo`: ball passes over a point of the outer race per turn of the shaft."""

    bpfo: float
    blades: int  # pressure pulses or teeth per turn
    resonance: float  # Hz
    damping: float


_PUMP = Mounting(bpfo=4.5 * (1 - 12.7 / 65), blades=6, resonance=3400.0, damping=0.035)  # 6209: 9 balls
_SPINDLE = Mounting(bpfo=9.5 * (1 - 9.5 / 90 * np.cos(np.radians(15))), blades=4, resonance=5200.0, damping=0.03)


@dataclass(frozen=True, slots=True)
class Burst:
    """What the monitor took. `samples`: int16 counts of its converter; `time`: UTC microseconds of the first."""

    time: int
    speed: float  # 1/min
    samples: NDArray[np.int16]


def taken(channel: Channel, seed: int, frame: Frame, at: int) -> Burst:
    """The burst at row `at` of a frame; the same seed and instant give the same burst."""
    asset = channel.path.rpartition("/")[0]
    speed, velocity, defect = (float(frame.hidden[vibration_key(asset, name)][at]) for name in _QUANTITIES)
    time = int(frame.times[at])
    rng = np.random.default_rng([seed, zlib.crc32(channel.path.encode()), time // 1000])
    mounting = _SPINDLE if asset.endswith("/spindle") else _PUMP
    values = acceleration(mounting, speed, velocity, defect, rng)
    counts = np.clip(np.rint(values / channel.signal.scale), -32767, 32767).astype(np.int16)
    return Burst(time, round(speed, 1), counts)


_QUANTITIES: Final = ("speed", "velocity", "defect")


def moments(times: Int64Array, every_us: int) -> NDArray[np.int64]:
    """Rows of the instants at which a burst is taken."""
    return np.flatnonzero(times % every_us == 0)


def acceleration(
    mounting: Mounting, speed: float, velocity: float, defect: float, rng: np.random.Generator
) -> Float64Array:
    """float64[SAMPLES] in m/s2. speed in 1/min, velocity: RMS in mm/s without the defect; defect: 0 none, 1 bad."""
    time = np.arange(SAMPLES) / RATE
    turn = speed / 60
    noise = rng.normal(0, 0.06, SAMPLES)
    if turn < 1:
        return noise
    angle = 2 * np.pi * (turn * time + rng.uniform())
    values = noise * (1 + 4 * min(turn / 50, 3))
    size = velocity / 1000 * 2 * np.pi * turn  # m/s2 of a velocity that swings once a turn
    for order, part in ((1, 1.1), (2, 0.45), (3, 0.2), (mounting.blades, 0.25)):
        values = values + size * part * order * np.sin(order * angle + rng.uniform(0, 2 * np.pi))
    if defect > 0.01:
        values = values + _shocks(mounting, turn, defect, angle, rng)
    return values


def _shocks(
    mounting: Mounting, turn: float, defect: float, angle: Float64Array, rng: np.random.Generator
) -> Float64Array:
    period = RATE / (mounting.bpfo * turn)  # samples between two impulses
    count = int(SAMPLES / period) + 2
    at = np.cumsum(period * (1 + _SLIP * rng.standard_normal(count))) - period * rng.uniform()
    at = at[(at >= 0) & (at < SAMPLES - 1)].astype(np.intp)
    train = np.zeros(SAMPLES)
    loaded = 1 + 0.35 * np.cos(angle[at])
    train[at] = loaded * rng.normal(1, 0.12, len(at))
    ring = np.arange(int(0.006 * RATE)) / RATE
    decay = 2 * np.pi * mounting.resonance * mounting.damping
    pulse = np.exp(-decay * ring) * np.sin(2 * np.pi * mounting.resonance * ring)
    size = 60 * defect**0.8 * min(turn / 50, 2)
    shocks: Float64Array = size * np.convolve(train, pulse)[:SAMPLES]
    return shocks
