"""A tightening controller tells each screw, and they agree with what the station tells of the unit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from tests.simulator.helpers import Run

SCREW = "assembly/line-3/screw-302"
TOOL = f"{SCREW}/nutrunner"
RIG = "assembly/test-bay/tool-rig-1"


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
    for path, low, high in ((TOOL, 7.5, 9.5), (RIG, 22.0, 26.0)):
        torque, status = week[f"{path}/torque"], week[f"{path}/torque-verdict"]
        assert set(status[(torque >= low) & (torque <= high)]) == {"OK"}
        verdicts = [word for _, word in week.changes[f"{path}/verdict"]]
        assert {"OK", "NOK"} <= set(verdicts), path


def test_the_rig_never_rests(week: Run) -> None:
    """On the test rig a joint is tightened every 40 seconds, on Sundays too, at whole seconds, one after another."""
    times = np.array([time for time, _ in week.changes[f"{RIG}/tightenings"]])
    assert np.unique(np.diff(times)).tolist() == [40_000_000]
    assert not np.any(times % 1_000_000)
    assert len(times) == 7 * 86_400 // 40
    joints = [joint for _, joint in week.changes[f"{RIG}/joint"]]
    assert {int(later) - int(joint) for joint, later in pairwise(joints)} == {1, -11}
    assert set(joints) == {f"{number:04d}" for number in range(1, 13)}
