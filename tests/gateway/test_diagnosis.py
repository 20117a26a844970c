"""What the gateway itself says of a damaged bearing, and which bursts it keeps for that."""

from __future__ import annotations

import numpy as np
import pytest
from tests.gateway.helpers import plant

from lineshaft.analytics.bearings.kinematics import find_bearing
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, healthy_wave, in_noise
from lineshaft.config.reference import bearings
from lineshaft.config.vibration_sheet import read_sheet
from lineshaft.gateway.plan import Plan, make_plan
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

RATE = 25_600.0
MINUTE = 60_000_000
START = 1_750_000_000_000_000
SPEED = 1500.0
BEARING = "SKF 6205-2RS"
PATH = "acme/north/hall/pump/burst"


def wave(kind: str, seed: int, unit_per: float = 1.0) -> np.ndarray:
    """One second of a healthy machine, or of one with a damaged outer or inner race, in m/s2 by `unit_per`."""
    random = np.random.default_rng(seed)
    if kind == "healthy":
        return 0.2 * healthy_wave(SPEED / 60, RATE, 1.0, random) / unit_per  # softly enough for zone B
    orders = find_bearing(bearings(), BEARING).orders
    damage = Damage("outer" if kind == "outer" else "inner", SPEED / 60, orders)
    return in_noise(damaged_wave(damage, RATE, 1.0, random), 0, random) / unit_per


def made(unit: str = "m/s2", keep: dict[str, object] | None = None, **sensor: object) -> tuple[Pipeline, Plan]:
    """The pipeline of a pump whose sensor is described."""
    burst = {"name": "burst", "kind": "waveform", "unit": unit, "waveform": {"rate": RATE, "keep": keep or {}}}
    sensors = [{"signal": "hall/pump/burst", "bearing": BEARING, **sensor}]
    plan = make_plan(plant({"pump": [burst]}, vibration_sensors=sensors))
    return Pipeline(plan.table, plan.computations, plan.rules, plan.bursts, plan.watches), plan


def fed(
    pipeline: Pipeline, samples: np.ndarray, minute: int, speed: float | None = SPEED
) -> tuple[list[int], list[Event]]:
    """(times in minutes of the bursts that are sent, events of diagnosis) after one more burst."""
    time = START + minute * MINUTE
    batch = SampleBatch.of_waves([0], [time], [Waveform.of(samples, RATE, speed)], Quality.GOOD)
    out = pipeline.update(batch)
    sent = [(at - START) // MINUTE for at in out.times[out.signals == 0].tolist()]
    return sent, [event for event in pipeline.take_events() if event.kind.startswith("maintenance.")]


def test_a_damaged_race_is_told_with_its_evidence_and_the_bursts_around_it_are_sent() -> None:
    """Two bursts in a row that show it make one event; the bursts before, the one that showed it and those after go."""
    pipeline, _ = made(keep={"every": 0, "before": 2, "after": 1})
    told: list[Event] = []
    sent = []
    for minute, kind in enumerate(["healthy"] * 4 + ["outer"] * 4):
        went, events = fed(pipeline, wave(kind, minute), minute)
        told += events
        sent += went
    (event,) = told
    assert event.kind == "maintenance.finding"
    assert event.subject == "acme/north/hall/pump"
    assert event.severity is Severity.HIGH
    assert event.details["fault"] == "outer_race"
    assert event.details["signal"] == PATH
    assert event.details["burst"] == event.time == START + 5 * MINUTE
    assert event.details["since"] == START + 4 * MINUTE
    assert event.details["bearing"] == BEARING
    assert float(str(event.details["likelihood"])) > 0.95
    assert "BPFO 88." in str(event.details["evidence"])
    assert "kinematics puts BPFO at 89.6 Hz" in str(event.details["words"])
    assert sent == [3, 4, 5, 6]


def test_a_finding_is_repeated_daily_and_taken_back_when_three_bursts_do_not_show_it() -> None:
    """A fault that stays is told once a day; after the repair the case may close."""
    pipeline, _ = made()
    told = []
    for minute, kind in [
        (0, "inner"),
        (1, "inner"),
        (2, "inner"),
        (1500, "inner"),
        (1501, "healthy"),
        (1502, "healthy"),
    ]:
        told += fed(pipeline, wave(kind, minute), minute)[1]
    assert [one.kind for one in told] == ["maintenance.finding"] * 2
    assert "still" in told[1].message
    gone = fed(pipeline, wave("healthy", 9), 1503)[1]
    assert [one.kind for one in gone] == ["maintenance.finding.gone"]
    assert gone[0].details["fault"] == "inner_race"


def test_what_was_told_and_counted_outlasts_a_restart() -> None:
    """One burst before and one after make two in a row; a refusal, a finding and its end are each told once."""
    told: list[Event] = []
    pipeline, _ = made()
    for minute, (kind, speed) in enumerate(
        [("outer", None), ("outer", None), ("outer", SPEED), ("outer", SPEED), ("outer", SPEED)]
        + [("healthy", SPEED)] * 4
    ):
        earlier = pipeline.holdings()
        pipeline, _ = made()
        pipeline.remember(earlier)
        told += fed(pipeline, wave(kind, minute), minute, speed)[1]
        assert pipeline.held_changed
    assert [(one.kind.partition(".")[2], (one.time - START) // MINUTE) for one in told] == [
        ("refused", 0),
        ("judged", 2),
        ("finding", 3),
        ("finding.gone", 7),
    ]


def test_at_most_one_burst_in_an_interval_costs_a_diagnosis() -> None:
    """A sensor that sends every second is judged once a minute, whatever it sends."""
    pipeline, _ = made(interval="10min")
    told = []
    for minute in range(12):
        told += fed(pipeline, wave("outer", minute), minute)[1]
    assert [one.time for one in told] == [START + 10 * MINUTE]


@pytest.mark.parametrize(
    ("samples", "speed", "words"),
    [
        (wave("outer", 1), None, "the speed of the shaft is missing"),
        (wave("outer", 1)[:2560], SPEED, "2.5 turns of the shaft"),
        (np.clip(wave("outer", 1), -0.5, 0.5), SPEED, "clipped"),
        (np.full(25_600, 0.2), SPEED, "does not move"),
        (wave("outer", 1) * 1e6, SPEED, "wrong unit"),
        (wave("outer", 1) * 1e-6, SPEED, "wrong unit"),
    ],
    ids=["no speed", "too short", "clipped", "constant", "raw counts", "far too small"],
)
def test_no_diagnosis_is_claimed_of_what_cannot_be_judged(samples: np.ndarray, speed: float | None, words: str) -> None:
    """However often it comes: no fault is told, one event says why, and a good burst makes it well again."""
    pipeline, _ = made()
    events: list[Event] = []
    for minute in range(3):
        pipeline.update(
            SampleBatch.of_waves([0], [START + minute * MINUTE], [Waveform.of(samples, RATE, speed)], Quality.GOOD)
        )
        events += pipeline.take_events()
    assert [one.kind for one in events] in (["maintenance.refused"], ["waveform.unusable"])
    assert words in events[0].message
    _, after = fed(pipeline, wave("healthy", 3), 5)
    if events[0].kind == "maintenance.refused":
        assert [one.kind for one in after] == ["maintenance.judged"]


def test_a_sensor_in_g_and_a_fixed_speed_lead_to_the_same_finding() -> None:
    """The plant's words on unit and speed hold at the gateway too."""
    pipeline, plan = made("gn", teeth=17, zones="2: 15 to 300 kW, rigid")
    told = []
    for minute in range(2):
        told += fed(pipeline, wave("outer", minute, 9.80665), minute)[1]
    assert [one.details["fault"] for one in told] == ["outer_race"]
    assert told[0].details["zone"] in ("A", "B")
    sheet = next(node for node in plan.equipment if node.path.endswith("/pump")).attributes
    known = read_sheet("burst", {line.name: line.value for line in sheet})
    assert known.bearing == BEARING
    assert known.teeth == 17
    assert known.zones is not None


def test_the_current_of_a_motor_is_judged_too() -> None:
    """A waveform in A with poles and supply: broken bars are told like any other fault."""
    pipeline, _ = made("A", bearing="", mains=50, poles=4, speed_range=None)
    t = np.arange(50_000) / 5000
    told: list[Event] = []
    for minute in range(2):
        noise = np.random.default_rng(minute).normal(0, 0.02, len(t))
        lines = ((50.0, 28.0), (47.0, 0.4), (53.0, 0.35))
        samples = noise + sum(top * np.cos(2 * np.pi * hertz * t) for hertz, top in lines)
        wave_ = Waveform.of(samples, 5000.0, 1455.0)
        pipeline.update(SampleBatch.of_waves([0], [START + minute * MINUTE], [wave_], Quality.GOOD))
        told += pipeline.take_events()
    assert [(one.kind, one.details["fault"]) for one in told] == [("maintenance.finding", "rotor_bar")]
    assert "47.00 Hz (f_s (1 - 2s)" in str(told[0].details["words"])


def test_a_sheet_that_names_nothing_known_says_so() -> None:
    """A bearing that the library lacks is no bearing; the reason is in words."""
    assert "no bearing 'X1'" in read_sheet("burst", {"designation": "X1"}).problem
    own = read_sheet("burst-de", {"burst_de_fault_orders": "3.05, 4.95, 1.99, 0.38", "designation": BEARING})
    assert own.orders is not None
    assert own.orders.outer == 3.05
    assert own.bearing == ""


def test_own_zone_boundaries_hold_with_the_label_that_the_plant_gives_them() -> None:
    """A contract's boundaries win over the tables, and the diagnosis says whose they are."""
    pipeline, plan = made(boundaries=[0.1, 0.2, 0.3], edition="Contract 17")
    lines = next(node for node in plan.equipment if node.path.endswith("/pump")).attributes
    known = read_sheet("burst", {line.name: line.value for line in lines})
    assert known.zones is not None
    assert (known.zones.velocity, known.zones.edition) == ((0.1, 0.2, 0.3), "Contract 17")
    told = []
    for minute in range(2):
        told += fed(pipeline, wave("outer", minute), minute)[1]
    assert "D" in {one.details["zone"] for one in told}
