"""Cases as a fold over events: one case per asset and fault, whatever order its events came in."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from lineshaft.apps.maintenance.cases import tell
from lineshaft.apps.maintenance.risk import chance_within, risk_of
from lineshaft.apps.maintenance.story import Case
from lineshaft.model.events import Event

ASSET = "acme/north/pump-1"
BEARING = f"{ASSET}/bearing-de"
HOUR = 3_600_000_000
DAY = 24 * HOUR


def health(day: float, stage: str, **details: str | float) -> Event:
    return Event(round(day * DAY), f"maintenance.health.{stage}", ASSET, f"Health is at {stage}", details=details)


def finding(day: float, fault: str, gone: bool = False) -> Event:
    kind = "maintenance.finding" + ".gone" * gone
    return Event(round(day * DAY), kind, BEARING, f"{fault}: lines", details={"fault": fault, "likelihood": 0.99})


def person(day: float, action: str, **details: str | float) -> Event:
    return Event(round(day * DAY), f"maintenance.case.{action}", ASSET, f"I {action}", details={"by": "kim", **details})


WHOLE = (
    health(1, "watch", left_normal="2026-01-01T20:00+00:00"),
    health(2, "alarm"),
    finding(2.5, "outer_race"),
    Event(3 * DAY, "maintenance.life", ASSET, "9 to 14 d", details={"p10_h": 200.0, "p50_h": 300.0, "p90_h": 400.0}),
    person(4, "acknowledge"),
    person(4.1, "assign", to="sam"),
    finding(4.5, "outer_race"),
    health(5, "danger"),
    person(6, "work", found="confirmed", cost=1200.0),
    health(6.2, "alarm"),
    health(6.4, "normal"),
    finding(7, "outer_race", gone=True),
)


def kinds(case: Case) -> list[str]:
    return [one.kind for one in case.entries]


def test_from_first_sign_to_the_end() -> None:
    """Health opens it, a finding names it, people act in it, and it is closed when all is calm after the repair."""
    (case,) = tell(ASSET, WHOLE)
    assert (case.fault, case.part, case.worst, case.opened, case.closed) == (
        "outer_race",
        BEARING,
        "danger",
        DAY,
        7 * DAY,
    )
    assert (case.acknowledged, case.assigned, case.outcome, case.cost, case.why) == (
        "kim", "sam", "confirmed", 1200.0, "repaired",
    )  # fmt: skip
    assert case.worked == 6 * DAY
    assert case.life["p50_h"] == 300.0
    assert kinds(case)[:4] == ["opened", "stage", "stage", "named"]
    assert kinds(case)[-2:] == ["gone", "closed"]
    assert case.left_normal == "2026-01-01T20:00+00:00"


def test_late_events_change_nothing() -> None:
    """Any order of arrival gives the same one case, and at no time there are two."""
    known = tell(ASSET, WHOLE)
    mixed = list(WHOLE)
    for seed in range(20):
        random.Random(seed).shuffle(mixed)  # noqa: S311 - no secret
        assert tell(ASSET, mixed) == known
    for upto in range(1, len(WHOLE) + 1):
        assert len([one for one in tell(ASSET, WHOLE[:upto]) if one.open]) <= 1


def test_it_comes_back() -> None:
    """A sign within a month after the end opens the same case again; a later one is a new case."""
    again = tell(ASSET, [*WHOLE, health(12, "watch")])
    assert [one.open for one in again] == [True]
    assert "reopened" in kinds(again[0])
    assert again[0].worked is None
    later = tell(ASSET, [*WHOLE, health(60, "watch")])
    assert [one.open for one in later] == [False, True]


def test_two_faults_are_two_cases() -> None:
    """A second fault of the same machine has a case of its own; health without a name joins the first."""
    cases = tell(
        ASSET, [finding(1, "outer_race"), finding(2, "unbalance"), health(3, "alarm"), finding(4, "unbalance")]
    )
    assert [(one.fault, one.worst, one.open) for one in cases] == [
        ("outer_race", "alarm", True),
        ("unbalance", "normal", True),
    ]


def test_what_went_away_by_itself() -> None:
    """Without work the case says that it passed; a person may close an open one, and open it again."""
    (passed,) = tell(ASSET, [health(1, "watch"), health(2, "normal")])
    assert (passed.why, passed.outcome) == ("passed", "")
    told = [health(1, "alarm"), person(2, "close", found="none", case=DAY), person(3, "reopen", case=DAY)]
    (closed,) = tell(ASSET, told[:2])
    assert (closed.why, closed.outcome, closed.open) == ("person", "none", False)
    (opened,) = tell(ASSET, told)
    assert opened.open


def test_anomalies_join_the_case() -> None:
    """An anomaly alone opens a case and ends it; beside a bad health it is evidence in the same case."""
    raised = Event(2 * DAY, "anomaly.raised", ASSET, "Not as it was", details={"score": 3.0})
    ended = Event(3 * DAY, "anomaly.ended", ASSET, "As it was")
    (alone,) = tell(ASSET, [raised, ended])
    assert not alone.open
    (joined,) = tell(ASSET, [health(1, "watch"), raised, ended])
    assert joined.open
    assert "anomaly" in kinds(joined)


def test_nothing_and_nonsense() -> None:
    """No events, foreign kinds, or people who act where there is no case: no case."""
    assert tell(ASSET, []) == []
    foreign = [Event(1, "maintenance.health.learned", ASSET, "x"), Event(1, "maintenance.refused", ASSET, "x")]
    assert tell(ASSET, [*foreign, person(1, "comment"), person(1, "work"), finding(2, "")]) == []


@pytest.mark.parametrize(
    ("stage", "life", "costs", "severity"),
    [
        ("watch", {}, (None, None), "low"),
        ("danger", {}, (None, None), "high"),
        ("alarm", {}, (10_000.0, 1_000.0), "high"),
        ("watch", {}, (10_000.0, 1_000.0), "medium"),
        ("watch", {}, (1_000.0, 900.0), "low"),
        ("danger", {"p10_h": 24.0, "p50_h": 72.0, "p90_h": 200.0}, (10_000.0, 1_000.0), "critical"),
        ("danger", {"p10_h": 9e3, "p50_h": 1e4, "p90_h": 2e4}, (10_000.0, 1_000.0), "low"),
    ],
)
def test_urgency_is_risk_times_cost(
    stage: str, life: dict[str, float], costs: tuple[float | None, float | None], severity: str
) -> None:
    """A likely and dear failure is critical; one that is far off is not, whatever the stage says."""
    assert risk_of(stage, life, 0.0, *costs).severity == severity


def test_the_chance_grows_with_time() -> None:
    """P10, P50 and P90 come back out; a life that was given long ago leaves less."""
    life = {"p10_h": 100.0, "p50_h": 300.0, "p90_h": 900.0}
    assert [chance_within(life, 0.0, hours) for hours in (100, 300, 900)] == pytest.approx([0.1, 0.5, 0.9])
    steps = [chance_within(life, 0.0, hours) for hours in (1, 50, 120, 400, 1000, 5000)]
    assert all(a is not None and b is not None and a <= b for a, b in combinations(steps, 2))
    assert (chance_within(life, 200.0, 100) or 0) > (chance_within(life, 0.0, 100) or 1)
    assert chance_within({}, 0.0) is None
