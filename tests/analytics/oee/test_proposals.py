"""Proposed reasons: the surest likeness counts, and the machine's own word until people say otherwise."""

from __future__ import annotations

from lineshaft.analytics.oee.proposals import PastStop, Proposal, Signs, propose

ALL = frozenset({"door", "chips", "drive", "break"})


def past(count: int, reason: str, **signs: str | float) -> list[PastStop]:
    """`count` stops with these signs."""
    values = {"state": "stopped", "hour": 10.0, **signs}
    return [PastStop(Signs(**values), reason)] * count  # type: ignore[arg-type]


def test_the_alarm_says_most() -> None:
    """After a door alarm 14 of 16 stops were the door, though chips are the commonest reason of the machine."""
    history = past(14, "door", alarm="door open") + past(2, "drive", alarm="door open") + past(60, "chips")
    found = propose(Signs("stopped", 10.0, "door open"), history, ALL)
    assert found[0] == Proposal("door", 14, 16, ("alarm", "state"))
    assert found[1] == Proposal("drive", 2, 16, ("alarm", "state"))
    assert found[2].reason == "chips"


def test_few_do_not_beat_many() -> None:
    """Three of three stops of a close likeness are less sure than 38 of 40 of a wider one."""
    history = (
        past(3, "chips", alarm="a", words="door") + past(38, "door", words="door") + past(2, "drive", words="door")
    )
    assert propose(Signs("stopped", 10.0, "a", "door"), history, ALL)[0].reason == "door"


def test_the_time_of_day_tells() -> None:
    """Stops around noon are breaks, also when they are few; around midnight the day ends and begins."""
    history = past(20, "break", hour=12.2) + past(25, "chips", hour=3.0) + past(5, "drive", hour=23.9)
    assert propose(Signs("stopped", 12.0), history, ALL)[0] == Proposal("break", 20, 20, ("state", "hour"))
    assert propose(Signs("stopped", 0.5), history, ALL)[0].reason == "drive"


def test_the_machines_own_word_comes_first_until_people_disagree() -> None:
    """Without history the machine's word is proposed; when people said three times otherwise their word is."""
    assert propose(Signs("fault", 8.0, words="door"), (), ALL) == (Proposal("door", 0, 0, ("words",)),)
    history = past(3, "chips", state="fault", words="door")
    assert propose(Signs("fault", 8.0, words="door"), history, ALL)[0].reason == "chips"


def test_only_reasons_of_this_machine() -> None:
    """What the tree does not allow here is not proposed, and with nothing known nothing is."""
    assert propose(Signs("stopped", 8.0), past(9, "screws"), ALL) == ()
    assert propose(Signs("stopped", 8.0), (), ALL) == ()
