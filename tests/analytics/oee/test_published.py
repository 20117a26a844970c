"""Published worked examples come out to every digit."""

from __future__ import annotations

import pytest

from lineshaft.analytics.oee import kpis, losses
from lineshaft.analytics.oee.totals import Totals, total

MINUTE = 60_000_000


def shift(*, breaks: float, down: float, ran: float, cycle_s: float, made: float, good: float, **more: float) -> Totals:
    """A shift as the examples give it: minutes, seconds a part, parts."""
    return Totals(
        planned_down=round(breaks * MINUTE),
        breakdown=round(down * MINUTE),
        production=round(ran * MINUTE),
        produced=made,
        good=good,
        scrap=made - good,
        standard_time=cycle_s * 1e6 * made,
        standard_good=cycle_s * 1e6 * good,
        **{name: round(value * MINUTE) for name, value in more.items()},
    )


def percents(totals: Totals, digits: int) -> tuple[float, ...]:
    found = kpis.values(totals)
    return tuple(
        round(100 * (found[name] or 0.0), digits) for name in ("availability", "effectiveness", "quality", "oee")
    )


def test_vorne_shift() -> None:
    """oee.com: 88.81 x 86.11 x 97.80 = 74.79 %, TEEP on the shift 65.4444 %."""
    totals = shift(breaks=60, down=47, ran=373, cycle_s=1.0, made=19271, good=18848)
    assert percents(totals, 2) == (88.81, 86.11, 97.80, 74.79)
    found = kpis.values(totals)
    assert round(found["oee"] or 0, 7) == 0.7479365
    assert round(100 * (found["teep"] or 0), 4) == 65.4444


def test_vorne_worksheet() -> None:
    """The second worksheet: 93.10, 86.42, 96.43, OEE 77.59 %... from its published factors and counts."""
    totals = shift(breaks=45, down=30, ran=405, cycle_s=30.0, made=700, good=675)
    assert percents(totals, 2) == (93.10, 86.42, 96.43, 77.59)


def test_way_calculator() -> None:
    """420 of 480 minutes, one minute a part, 400 made, 380 good: 87.5, 95.2, 95, 79.1 (rounded up from 79.17)."""
    totals = shift(breaks=0, down=60, ran=420, cycle_s=60.0, made=400, good=380)
    assert percents(totals, 1)[:3] == (87.5, 95.2, 95.0)
    assert percents(totals, 2)[3] == 79.17


def test_six_losses() -> None:
    """Published: breakdowns 50, set-up 30, speed and minor stops 50, defects 30, reduced yield 20 minutes."""
    totals = shift(breaks=0, down=50, ran=400, cycle_s=30.0, made=700, good=600, setup=30)
    totals = totals + Totals(start_up_scrap=40)
    minutes = {loss.id: loss.time / MINUTE for loss in losses.six_big_losses(totals)}
    assert minutes["breakdown"] == 50
    assert minutes["setup"] == 30
    assert minutes["speed"] + minutes["minor-stop"] == 50
    assert minutes["scrap"] == pytest.approx(30)
    assert minutes["start-up"] == pytest.approx(20)


def test_roll_up_is_no_mean_of_ratios() -> None:
    """0.80 and 0.45 of machines with 100 and 300 planned give 0.5375 for the line, not 0.625."""
    one = shift(breaks=0, down=10, ran=90, cycle_s=60.0, made=90, good=80)
    two = shift(breaks=0, down=150, ran=150, cycle_s=60.0, made=150, good=135)
    assert [kpis.values(part)["oee"] for part in (one, two, total([one, two]))] == [0.80, 0.45, 0.5375]


def test_every_kpi_is_described() -> None:
    """Each KPI's needs are explained symbols, its id is its own, and one that lacks an input gives None."""
    assert len({kpi.id for kpi in kpis.KPIS}) == len(kpis.KPIS) >= 34
    for kpi in kpis.KPIS:
        assert set(kpi.needs) <= set(kpis.SYMBOLS), kpi.id
        assert kpis.value(kpi, {}) is None
        assert kpis.value(kpi, dict.fromkeys(kpis.SYMBOLS, 2.0)) is not None or kpi.id.endswith("capability")


def test_nothing_planned_is_no_zero() -> None:
    """A machine without planned time has no OEE, rather than one of 0 %."""
    found = kpis.values(Totals(non_scheduled=MINUTE))
    assert found["oee"] is None
    assert found["teep"] == 0.0


def test_what_if_names_the_gain() -> None:
    """Removing a breakdown of an hour from eight gives an eighth more parts, and its price."""
    totals = shift(breaks=0, down=60, ran=420, cycle_s=60.0, made=420, good=420)
    gain = losses.what_if(totals, "breakdown", 1.0, 80.0)
    assert (gain.oee, gain.parts, gain.money) == (1.0, 60.0, 80.0)


def test_minor_stops_as_performance() -> None:
    """The other convention moves the loss from availability to effectiveness; OEE and the sum of losses stay."""
    totals = Totals(production=380 * MINUTE, minor_stop=20 * MINUTE, breakdown=50 * MINUTE, produced=350, good=340,
                    scrap=10, standard_time=350 * MINUTE, standard_good=340 * MINUTE)  # fmt: skip
    iso, other = kpis.values(totals), kpis.values(totals.minor_stops_as_performance())
    assert (iso["availability"], other["availability"]) == (380 / 450, 400 / 450)
    assert (iso["effectiveness"], other["effectiveness"]) == (350 / 380, 350 / 400)
    assert (iso["oee"], iso["quality"]) == (other["oee"], other["quality"])
    falls = [losses.waterfall(one) for one in (totals, totals.minor_stops_as_performance())]
    assert [sum(loss.time for loss in fall.losses) + fall.productive for fall in falls] == [450 * MINUTE] * 2
    assert [fall.of("availability") for fall in falls] == [70 * MINUTE, 50 * MINUTE]
    assert totals.calendar == totals.minor_stops_as_performance().calendar


def test_the_list_of_kpis_is_whole() -> None:
    """All 34 KPIs of ISO 22400-2 are there, each with formula, unit and symbols that are explained."""
    assert len([one for one in kpis.KPIS if one.source == kpis.ISO]) == 34
    for one in kpis.KPIS:
        assert one.formula
        assert one.unit
        assert set(one.needs) <= set(kpis.SYMBOLS)
