"""Diagnosis of simulated bearings and machines: the right fault with evidence, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lineshaft.analytics.bearings.comb import best_comb, white_envelope_spectra
from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.findings import likelihood
from lineshaft.analytics.bearings.kinematics import Geometry, fault_orders, slipped
from lineshaft.analytics.bearings.signal_model import Damage, RaceFault, damaged_wave, healthy_wave, in_noise, strikes
from lineshaft.analytics.vibration.envelope import squared_envelope

RATE = 25_600.0
ORDERS = fault_orders(Geometry(9, 7.94, 39.04))
MACHINE = Machine(speed=25.0, orders=ORDERS)
TIME = np.arange(25_600) / RATE


def damaged(fault: RaceFault, decibels: float, speed: float = 25.0, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return in_noise(damaged_wave(Damage(fault, speed, ORDERS, jitter=0.02), RATE, 1.0, random), decibels, random)


def shaft(*lines: tuple[float, float], noise: float = 0.5) -> np.ndarray:
    """Acceleration of velocity lines (order, mm/s RMS) of a shaft that turns at 25 Hz."""
    wave = np.random.default_rng(1).normal(0, noise, len(TIME))
    for order, size in lines:
        omega = 2 * np.pi * 25 * order
        wave += size * np.sqrt(2) * omega / 1000 * np.sin(omega * TIME)
    return wave


@pytest.mark.parametrize("speed", [10.0, 25.0, 100.0])
@pytest.mark.parametrize(
    ("fault", "kind"), [("outer", "outer_race"), ("inner", "inner_race"), ("ball", "rolling_element")]
)
def test_the_fault_is_named_in_noise(fault: RaceFault, kind: str, speed: float) -> None:
    """At -5 dB and 2 % jitter the race or element is named at 600 to 6000/min, with peaks near kinematics."""
    found = diagnose(damaged(fault, -5, speed), RATE, replace(MACHINE, speed=speed))
    assert found.bearing_verdict == kind
    first = found.findings[0]
    assert first.likelihood > 0.9
    order = {"outer": ORDERS.outer, "inner": ORDERS.inner, "ball": 2 * ORDERS.ball}[fault]
    assert first.peaks[0].frequency == pytest.approx(order * speed, rel=0.03)
    assert first.band is not None
    assert "times the noise" in first.words[0]


def test_an_inner_race_shows_the_sidebands_of_the_shaft() -> None:
    """The load zone modulates the strikes: lines one turn beside BPFI are part of the evidence."""
    first = diagnose(damaged("inner", 0), RATE, MACHINE).findings[0]
    assert any("the shaft" in peak.name for peak in first.peaks)
    assert any("modulates" in words for words in first.words)


@pytest.mark.parametrize("jitter", [0.0, 0.005])
@pytest.mark.parametrize("fault", ["outer", "inner", "ball"])
def test_strong_and_steady_strikes_are_named_too(fault: RaceFault, jitter: float) -> None:
    """Ten seconds at 20 dB with hardly any jitter: lines so strong that they leak are still told apart."""
    random = np.random.default_rng(9)
    kind = {"outer": "outer_race", "inner": "inner_race", "ball": "rolling_element"}[fault]
    for _ in range(4):
        damage = Damage(fault, 29.2, ORDERS, resonance=float(random.uniform(2000, 4500)), jitter=jitter)
        wave = in_noise(damaged_wave(damage, 12_000, 10.0, random), 20, random)
        assert diagnose(wave, 12_000, replace(MACHINE, speed=29.2)).bearing_verdict == kind


@pytest.mark.parametrize("teeth", [0, 17])
def test_a_healthy_machine_is_called_nothing(teeth: int) -> None:
    """Shaft harmonics, breathing noise, single shocks and a gear mesh: 25 records, no bearing fault."""
    random = np.random.default_rng(5)
    verdicts = {
        diagnose(healthy_wave(25, RATE, 1.0, random, teeth=teeth), RATE, MACHINE).bearing_verdict for _ in range(25)
    }
    assert verdicts == {"healthy"}


def test_another_machine_part_is_not_the_bearing() -> None:
    """Shocks of a wheel at a third of BPFO have lines at BPFO too, and are not called."""
    lower = ORDERS.outer * 25 / 3
    phase = np.mod(TIME, 1 / lower)
    wave = np.exp(-900 * phase) * np.sin(2 * np.pi * 4000 * phase) * 5
    wave += np.random.default_rng(2).normal(0, 1, len(TIME))
    assert diagnose(wave, RATE, MACHINE).bearing_verdict == "healthy"


NEAR_WHOLE = fault_orders(Geometry(8, 24, 100))  # BPFO 3.04, BPFI 4.96, 2 BSF 3.93


@pytest.mark.parametrize("drift", [0.0, 0.0132, 0.02])
@pytest.mark.parametrize(("fault", "kind"), [("outer", "outer_race"), ("inner", "inner_race")])
def test_fault_orders_that_are_nearly_whole_are_named(fault: RaceFault, kind: str, drift: float) -> None:
    """On a machine that breathes with its shaft, a race whose lines fall on its multiples (1.3 % slip) is named."""
    random = np.random.default_rng(3)
    damage = Damage(fault, 25.0, NEAR_WHOLE, drift=drift, jitter=0.02)
    wave = damaged_wave(damage, RATE, 1.0, random) + healthy_wave(25.0, RATE, 1.0, random)
    found = diagnose(wave, RATE, replace(MACHINE, orders=NEAR_WHOLE))
    assert found.bearing_verdict == kind
    assert drift != 0.0132 or "cannot part" in " ".join(found.findings[0].words)


def test_a_long_record_parts_what_a_short_one_cannot() -> None:
    """BPFO 1 % beside three times the shaft: one second says that it cannot part them, ten seconds part them."""
    words = []
    for seconds in (1.0, 10.0):
        random = np.random.default_rng(3)
        damage = Damage("outer", 10.0, NEAR_WHOLE, drift=0.004, jitter=0.0)
        found = diagnose(
            in_noise(damaged_wave(damage, RATE, seconds, random), 0, random),
            RATE,
            Machine(speed=10.0, orders=NEAR_WHOLE),
        )
        assert found.bearing_verdict == "outer_race"
        words.append(" ".join(found.findings[0].words))
    assert "cannot part BPFO from 3 times the shaft" in words[0]
    assert "at a steady speed would" in words[0]
    assert "cannot part" not in words[1]


@pytest.mark.parametrize("known", [True, False])
def test_vanes_that_pass_as_often_as_a_fault_are_not_parted(known: bool) -> None:
    """Noise that swells five times a turn is no damage for sure where BPFI is 4.96: both are said."""
    noise = np.random.default_rng(4).standard_normal(len(TIME)) * (1 + 0.4 * np.cos(2 * np.pi * 5 * 25 * TIME))
    found = diagnose(noise, RATE, Machine(speed=25.0, orders=NEAR_WHOLE, vanes=5 if known else None))
    assert found.bearing_verdict == "not parted"
    first = found.findings[0]
    assert not first.sure_of_damage
    assert first.likelihood <= 0.5
    assert ("its 5 vanes" if known else "5 times a turn") in first.title


def test_the_cage_alone_is_not_parted_from_an_element() -> None:
    """Strikes of the cage have many multiples and are named; two lines may be those of an element."""
    cage = diagnose(damaged("cage", 5), RATE, MACHINE)
    assert cage.bearing_verdict == "cage"
    swell = 1 + 0.7 * np.cos(2 * np.pi * 25 * ORDERS.cage * TIME)
    noise = np.random.default_rng(4).standard_normal(len(TIME)) * swell
    found = diagnose(noise, RATE, MACHINE)
    assert found.bearing_verdict == "not parted"
    assert found.findings[0].sure_of_damage
    assert found.findings[0].title == "damage of the cage or of a rolling element"


def test_slip_moves_both_races_together() -> None:
    """A cage that slips by 2 % lowers BPFO by it and raises BPFI: they add up to the elements (Randall and Antoni)."""
    moved = slipped(ORDERS, 0.02)
    assert moved.outer == pytest.approx(0.98 * ORDERS.outer)
    assert moved.outer + moved.inner == pytest.approx(9)
    assert moved.outer == pytest.approx(9 * moved.cage)


WAVE = damaged("outer", 0)


@pytest.mark.parametrize(
    ("wave", "machine", "unit", "reason"),
    [
        (WAVE, replace(MACHINE, speed=None), "m/s2", "speed"),
        (WAVE, replace(MACHINE, orders=None), "m/s2", "geometry"),
        (WAVE, MACHINE, "mm/s", "unit"),
        (np.clip(WAVE, -1, 1), MACHINE, "m/s2", "clipped"),
        (np.full(25_600, 1.0), MACHINE, "m/s2", "constant"),
        (np.where(np.arange(25_600) == 9, np.nan, WAVE), MACHINE, "m/s2", "non_finite"),
        (WAVE[:12_800], MACHINE, "m/s2", "short"),
        (WAVE[::8], replace(MACHINE, speed=100.0), "m/s2", "rate"),
        (np.array([]), MACHINE, "m/s2", "empty"),
    ],
)
def test_what_cannot_be_judged_says_why(wave: np.ndarray, machine: Machine, unit: str, reason: str) -> None:
    """Missing speed or bearing, a wrong unit, a clipped, flat, broken or half record: no fault, and the reason."""
    rate = RATE / 8 if reason == "rate" else RATE
    found = diagnose(wave, rate, machine, unit=unit, expected=25_600 if reason == "short" else None)
    assert found.bearing_verdict == "not diagnosable"
    assert reason in {entry.reason for entry in found.not_diagnosable}
    assert all(entry.words for entry in found.not_diagnosable)


def test_a_record_of_a_few_turns_is_too_short() -> None:
    """Eight turns of the shaft are needed to part the fault frequencies."""
    found = diagnose(WAVE[:2560], RATE, MACHINE)
    assert {entry.reason for entry in found.not_diagnosable} == {"short"}


def test_the_speed_is_read_out_of_the_vibration_within_a_range() -> None:
    """With harmonics of the shaft in the record, a range of speeds is enough."""
    wave = WAVE + shaft((1, 1.0), (2, 0.5), (3, 0.4), (4, 0.3), noise=0)
    found = diagnose(wave, RATE, replace(MACHINE, speed=None, speed_range=(15.0, 40.0)))
    assert found.estimated
    assert found.speed == pytest.approx(25, rel=0.01)
    assert found.bearing_verdict == "outer_race"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (((1, 6.0), (2, 0.5)), "unbalance"),
        (((1, 3.0), (2, 4.0), (3, 0.5)), "misalignment"),
        (((1, 3.0), (2, 2.0), (3, 2.0), (4, 1.5), (5, 1.5), (0.5, 1.0), (1.5, 1.0)), "looseness"),
    ],
)
def test_the_shaft_is_judged_by_its_orders(lines: tuple[tuple[float, float], ...], kind: str) -> None:
    """Beyond the zone limit the pattern of the orders names unbalance, misalignment and looseness."""
    found = diagnose(shaft(*lines), RATE, MACHINE)
    assert [finding.kind for finding in found.findings] == [kind]
    assert "25.00 Hz" in found.findings[0].words[0]


def test_a_calm_machine_has_no_unbalance() -> None:
    """Every shaft has a line at its speed; below the limit it is no finding."""
    found = diagnose(shaft((1, 1.0)), RATE, MACHINE)
    assert found.findings == ()
    assert found.velocity_rms == pytest.approx(1.0, rel=0.05)


def test_a_gear_and_the_mains_are_named() -> None:
    """Sidebands around the mesh name the gear; twice the mains beside the shaft's lines names the motor."""
    turn = 2 * np.pi * 25 * TIME
    mesh = (1 + 1.2 * np.cos(turn) + 0.6 * np.cos(2 * turn)) * np.cos(23 * turn) * 3
    gear = diagnose(mesh + shaft(), RATE, replace(MACHINE, teeth=23))
    assert [finding.kind for finding in gear.findings] == ["gear_mesh"]
    slow = replace(MACHINE, speed=24.3, mains=50.0)
    motor = diagnose(shaft((4, 6.0)), RATE, slow)
    assert [finding.kind for finding in motor.findings] == ["electrical"]


def test_noise_is_called_as_often_as_the_chance_says() -> None:
    """The chance of a comb is honest: of 300 records of noise at most a tenth are below 0.1, hardly one below 0.001."""
    random = np.random.default_rng(11)
    chances = []
    for _ in range(300):
        squared, slower = squared_envelope(random.normal(0, 1, 8192), RATE, (3200, 6400))
        comb = best_comb(white_envelope_spectra(squared[None], slower, 10), 107.5, 0.03)
        assert comb is not None
        chances.append(comb.log_p)
    assert 0.01 < np.mean(np.array(chances) < np.log(0.1)) < 0.2
    assert np.mean(np.array(chances) < np.log(0.001)) < 0.01
    assert likelihood(np.log(1e-9)) > 0.999 > likelihood(np.log(0.01)) > likelihood(0.0) == 0.05


def test_strikes_come_at_the_fault_frequency() -> None:
    """1 % slip makes the mean interval 1 % longer; a seed makes the same record again."""
    damage = Damage("outer", 25.0, ORDERS, drift=0.01, jitter=0.02)
    times, _ = strikes(damage, 20.0, np.random.default_rng(1))
    assert np.mean(np.diff(times)) == pytest.approx(1 / (0.99 * 25 * ORDERS.outer), rel=2e-3)
    assert np.array_equal(damaged("outer", -5), damaged("outer", -5))
    with pytest.raises(ValueError, match="resonance"):
        damaged_wave(replace(damage, resonance=13_000), RATE, 1.0, np.random.default_rng(1))
