"""Cavitation is told by noise that breathes with the vanes, and by nothing else."""

from __future__ import annotations

import numpy as np

from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.kinematics import Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, healthy_wave, in_noise

RATE = 25_600.0
SPEED = 24.5
VANES = 6
ORDERS = fault_orders(Geometry(9, 7.94, 39.04))


def named(wave: np.ndarray, vanes: int | None = VANES, orders: object = ORDERS) -> set[str]:
    machine = Machine(speed=SPEED, orders=orders, vanes=vanes)  # type: ignore[arg-type]
    return {one.kind for one in diagnose(wave, RATE, machine).findings}


def noise(depth: float, seed: int) -> np.ndarray:
    """A softly running pump whose noise swells by `depth` as each vane passes, with a tone of the vanes themselves."""
    random = np.random.default_rng(seed)
    t = np.arange(round(2 * RATE)) / RATE
    passing = np.cos(2 * np.pi * VANES * SPEED * t)
    return random.standard_normal(len(t)) * (1 + depth * passing) + 0.5 * passing + 0.05 * np.cos(2 * np.pi * SPEED * t)


def test_noise_that_breathes_with_the_vanes_is_cavitation() -> None:
    """Found in 20 of 20 at a depth of a quarter, with its words; not without the number of vanes."""
    found = [named(noise(0.25, seed)) for seed in range(20)]
    assert all("cavitation" in one for one in found)
    assert not any(one & {"outer_race", "inner_race", "rolling_element"} for one in found)
    assert "cavitation" not in named(noise(0.25, 1), None)


def test_a_healthy_pump_and_a_damaged_bearing_are_no_cavitation() -> None:
    """The tone of the vanes, the shaft in the noise, and a ringing bearing call nothing of it."""
    random = np.random.default_rng(3)
    healthy = [0.2 * healthy_wave(SPEED, RATE, 1.0, random, teeth=VANES) for _ in range(60)]
    assert sum("cavitation" in named(wave) for wave in [*healthy, *(noise(0.0, seed) for seed in range(20))]) == 0
    damage = in_noise(damaged_wave(Damage("outer", SPEED, ORDERS), RATE, 1.0, random), 0, random)
    assert named(damage) == {"outer_race"}


def test_where_the_bearing_has_the_frequency_of_the_vanes_nothing_is_claimed() -> None:
    """Two causes of one line cannot be told apart."""
    same = fault_orders(Geometry(10, 0.5, 20.0))  # an outer race at 4.9 and an inner one at 5.1
    five = np.random.default_rng(1)
    t = np.arange(round(2 * RATE)) / RATE
    wave = five.standard_normal(len(t)) * (1 + 0.3 * np.cos(2 * np.pi * 5 * SPEED * t))
    assert "cavitation" in named(wave, 5, None)
    assert "cavitation" not in named(wave, 5, same)
