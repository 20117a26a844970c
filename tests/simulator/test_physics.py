"""The factory behaves as one."""

from __future__ import annotations

import numpy as np
import pytest
from tests.simulator.helpers import DAY, HOUR, MONDAY, Run, run

from lineshaft.config.models import Plant
from lineshaft.model.equipment import SignalKind
from lineshaft.simulator.channels import channels_of
from lineshaft.simulator.factory import Factory

METERING = "utilities/metering"
SUBMETERS = ("line-1", "line-2", "line-3", "compressed-air", "cooling", "heating")
CNC = "machining/line-1/cnc-102"
TUESDAY = slice(8640, 2 * 8640)


def kwh(power: np.ndarray) -> np.ndarray:
    """Energy of a power in kW at ten-second steps."""
    return np.cumsum(power) * 10 / 3600


@pytest.mark.parametrize(
    "path",
    [CNC, "assembly/line-3/press-301", "utilities/compressed-air/compressor-1", f"{METERING}/main-meter",
     f"{METERING}/meter-line-2", "utilities/cooling-water/pump-1"],
)  # fmt: skip
def test_energy_is_the_integral_of_power(week: Run, path: str) -> None:
    """Each kWh counter grows by what the power signal beside it adds up to."""
    power, energy = week[f"{path}/power"], week[f"{path}/energy"]
    grown = energy - energy[0]
    expected = kwh(power) - kwh(power)[0]
    assert grown[-1] > 10
    assert np.max(np.abs(grown - expected)) < 0.002 * expected[-1] + 0.05


def test_main_meter_is_the_sum_of_the_others(week: Run) -> None:
    """At every instant the site's power is its submeters and the base load that has no meter."""
    total = sum(week[f"{METERING}/meter-{name}/power"] for name in SUBMETERS) + week.hidden("base-load")
    assert np.max(np.abs(total - week[f"{METERING}/main-meter/power"])) < 0.02


def test_submeter_is_the_sum_of_its_machines(week: Run) -> None:
    """Line 1's meter shows what its three machines draw."""
    machines = sum(week[f"machining/line-1/cnc-{n}/power"] for n in (101, 102, 103))
    assert np.max(np.abs(machines - week[f"{METERING}/meter-line-1/power"])) < 0.02


def test_counters_only_grow(week: Run, plant: Plant) -> None:
    """No counter ever goes back."""
    for channel in channels_of(plant):
        if channel.kind is SignalKind.COUNTER:
            assert np.all(np.diff(week[channel.path]) >= 0), channel.path
            assert week[channel.path][-1] > week[channel.path][0] or channel.signal.name == "starts", channel.path


def test_no_measure_is_flat(week: Run, plant: Plant) -> None:
    """Each measure but set points moves on a working day, in five or more different values."""
    for channel in channels_of(plant):
        if channel.kind is SignalKind.MEASURE and channel.signal.write is None:
            day = week[channel.path][TUESDAY]
            assert np.std(day) > 0, channel.path
            assert len(np.unique(day)) >= 5, channel.path


def test_values_stay_within_their_range(week: Run, plant: Plant) -> None:
    """A healthy factory never leaves the range of its own sensors."""
    for channel in channels_of(plant):
        if channel.signal.range is not None:
            low, high = channel.signal.range
            assert low <= np.min(week[channel.path]), channel.path
            assert np.max(week[channel.path]) <= high, channel.path


def test_states_have_words(week: Run, plant: Plant) -> None:
    """Every state that occurs has a word in the plant's files."""
    for channel in channels_of(plant):
        if channel.signal.states:
            seen = {f"{value:g}" for value in np.unique(week[channel.path])}
            assert seen <= set(channel.signal.states), channel.path


def test_all_states_occur(week: Run) -> None:
    """In a week a machine is off, idle, runs, stops, is set up, starved and blocked."""
    machines = [f"machining/line-{n // 100}/cnc-{n}" for n in (101, 102, 103, 201, 202, 203)]
    seen = {value for path in machines for value in np.unique(week[f"{path}/state"])}
    assert seen == {0, 1, 2, 3, 4, 5, 6}


def test_work_follows_the_calendar(week: Run) -> None:
    """Machines run in the shifts of the plant's time zone, and not on Sunday."""
    running = week[f"{CNC}/state"] == 2
    local_hour = (week.times // HOUR + 2) % 24  # Europe/Berlin in October
    shift = (local_hour >= 6) & (local_hour < 22)
    weekday = week.times < MONDAY + 5 * DAY
    assert running[shift & weekday].mean() > 0.5
    assert running[(local_hour >= 23) | (local_hour < 6)].mean() == 0
    assert not running[week.times > MONDAY + 6 * DAY].any()


def test_idle_power_is_not_zero(week: Run) -> None:
    """A machine that waits draws kilowatts: less than at work, far more than off."""
    state, power = week[f"{CNC}/state"], week[f"{CNC}/power"]
    off, waiting, running = (power[np.isin(state, codes)].mean() for codes in ((0,), (1, 5, 6), (2,)))
    assert off < 0.3 < 2 < waiting < 0.6 * running


def test_spindle_warms_after_it_works(week: Run) -> None:
    """The spindle's temperature follows its load with a lag of many minutes."""
    load, warm = week[f"{CNC}/spindle/load"][TUESDAY], week[f"{CNC}/spindle/temperature"][TUESDAY]
    now, later = (np.corrcoef(load[: -lag or None], warm[lag:])[0, 1] for lag in (0, 90))
    assert 0.5 < now < later - 0.02
    assert warm.max() - warm.min() > 10


def test_vibration_follows_speed(week: Run) -> None:
    """A turning spindle shakes, faster more than slower."""
    speed, shake = week[f"{CNC}/spindle/speed"], week[f"{CNC}/spindle/vibration"]
    assert shake[speed == 0].mean() < 0.2 < shake[(speed > 0) & (speed < 4000)].mean() < shake[speed > 7000].mean()


def test_air_pressure_stays_in_its_band(week: Run) -> None:
    """The compressors hold the receiver between their switching points, and load more by day than by night."""
    pressure = week["utilities/compressed-air/receiver-1/pressure"][100:]
    assert 6.3 < pressure.min() < 6.95
    assert 7.4 < pressure.max() < 7.6
    flow = week["utilities/compressed-air/air-meter/flow"]
    assert flow[TUESDAY].max() > 3 * flow[6 * 8640 :].mean() > 100


def test_serials_are_text_with_leading_zeros(week: Run) -> None:
    """Units carry serial numbers of eight digits that begin with zeros and never repeat."""
    serials = [serial for _, serial in week.changes[f"{CNC}/serial"]]
    assert len(serials) > 500
    assert all(len(serial) == 8 and serial.startswith("0") and serial.isdecimal() for serial in serials)
    assert len(set(serials)) == len(serials)


def test_a_unit_goes_down_the_line(week: Run) -> None:
    """A serial number appears at the next station after it was at the one before."""
    first, then = ({s: t for t, s in week.changes[f"machining/line-1/cnc-{n}/serial"]} for n in (101, 102))
    both = first.keys() & then.keys()
    assert len(both) > 500
    assert all(then[serial] > first[serial] + 100_000_000 for serial in both)


def test_a_bearing_goes_bad_within_the_month(plant: Plant) -> None:
    """The driven-end bearing of pump 2 is healthy at first and near its limit after thirty days.

    That of pump 1 wears as well, until it is changed on a working day while the pump stands; then it is as at first.
    """
    factory = Factory(plant, MONDAY)
    month = run(factory, MONDAY + 30 * DAY, seconds=300, chunk=30 * DAY)
    water = "utilities/cooling-water"
    bad, mended = (month[f"{water}/pump-{n}/bearing-de/vibration"] for n in (2, 1))
    weeks = [part.mean() for part in np.array_split(bad, 5)]
    assert weeks[-1] > 3 * weeks[0]
    assert weeks[-1] > weeks[-2] > weeks[-3] > weeks[0]
    assert 3 < np.percentile(bad[-288:], 99) < 9
    repair = next(one for one in factory.deeds if one.action == "work").time
    before, after = (month.times >= repair - 2 * DAY) & (month.times < repair - 3 * HOUR), month.times > repair + HOUR
    assert np.median(mended[before]) > 2.5 * np.median(mended[: 288 * 7])
    assert np.median(mended[after]) == pytest.approx(np.median(mended[: 288 * 7]), rel=0.2)
    speed = month[f"{water}/pump-1/motor/speed"]
    assert speed[(month.times > repair - 2 * HOUR) & (month.times < repair)].max() == 0
    assert speed[after].min() > 500
    assert (repair // DAY + 3) % 7 < 5  # day 0 was a Thursday
    warm = month[f"{water}/pump-2/bearing-de/temperature"]
    assert warm[-288:].mean() > warm[:288].mean() + 8


def test_fine_and_coarse_steps_agree(plant: Plant) -> None:
    """A shift computed every second uses the energy and air of the same shift computed every ten seconds."""
    start, end = MONDAY + 4 * HOUR, MONDAY + 10 * HOUR
    fine = run(Factory(plant, start), end, seconds=1)
    coarse = run(Factory(plant, start), end, seconds=10)
    for path in (f"{METERING}/main-meter/energy", f"{CNC}/energy", "utilities/compressed-air/air-meter/volume"):
        used = [series[path][-1] - series[path][len(series.times) // 6] for series in (fine, coarse)]
        assert used[0] == pytest.approx(used[1], rel=0.02), path
    assert fine[f"{CNC}/parts-good"][-1] == coarse[f"{CNC}/parts-good"][-1]
