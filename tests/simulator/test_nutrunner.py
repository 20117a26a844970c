"""A tightening controller tells each screw, and they agree with what the station tells of the unit."""

from __future__ import annotations

import numpy as np
from tests.simulator.helpers import Run

SCREW = "assembly/line-3/screw-302"
TOOL = f"{SCREW}/nutrunner"
NUT = "machining/line-2/nut-203"


def test_four_screws_make_a_unit(week: Run) -> None:
    """Each unit gets four screws, whose mean torque and angle are what the station tells when the unit is done."""
    units = {serial: time for time, serial in week.changes[f"{SCREW}/serial"]}
    torques = dict(week.changes[f"{TOOL}/torque"])
    told = sorted(week.changes[f"{SCREW}/torque-peak"])
    checked = 0
    for (time, mean), (before, _) in zip(told[1:], told, strict=False):
        screws = [torque for at, torque in torques.items() if before < at <= time]
        if len(screws) == 4:  # two equal torques in a row are one change
            assert abs(np.mean(screws) - mean) < 0.02
            checked += 1
        if checked == 300:
            break
    assert checked == 300
    assert len(units) > 1000


def test_results_have_verdicts(week: Run) -> None:
    """A screw outside its limits is told as not in order, and that happens now and then."""
    for path, low, high in ((TOOL, 7.5, 9.5), (NUT, 22.0, 26.0)):
        torque, status = week[f"{path}/torque"], week[f"{path}/torque-status"]
        assert set(status[(torque >= low) & (torque <= high)]) == {"OK"}
        verdicts = [word for _, word in week.changes[f"{path}/status"]]
        assert {"OK", "NOK"} <= set(verdicts), path


def test_nuts_are_clamped_around_the_clock(week: Run) -> None:
    """Line 2 works on Sundays, and each of its units there gets a nut at a whole second."""
    times = np.array([time for time, _ in week.changes[f"{NUT}/tightenings"]])
    assert len(times) > 2500
    assert not np.any(times % 1_000_000)
    serials = [serial for _, serial in week.changes[f"{NUT}/serial"]]
    assert len(set(serials)) == len(serials)
