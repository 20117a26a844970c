"""Proposals for signals that nobody has placed."""

from __future__ import annotations

import pytest

from lineshaft.hub.placement import Places, words_of
from lineshaft.model.equipment import Equipment, Level

SITE = "acme/north"
TREE = [
    Equipment("acme", "ACME", Level.ENTERPRISE),
    Equipment(SITE, "North works", Level.SITE),
    Equipment(f"{SITE}/machining", "Machining", Level.AREA),
    Equipment(f"{SITE}/machining/line-1", "Line 1", Level.LINE),
    Equipment(f"{SITE}/machining/line-1/cnc-101", "Machining centre 101", Level.ASSET, "cnc"),
    Equipment(f"{SITE}/machining/line-1/cnc-101/spindle", "Spindle", Level.COMPONENT, "spindle"),
    Equipment(f"{SITE}/machining/line-1/cnc-102", "Machining centre 102", Level.ASSET, "cnc", aliases=("M-0815",)),
    Equipment(f"{SITE}/machining/line-1/cnc-102/spindle", "Spindle", Level.COMPONENT, "spindle"),
    Equipment(f"{SITE}/utilities", "Utilities", Level.AREA),
    Equipment(f"{SITE}/utilities/cooling", "Cooling water", Level.LINE),
    Equipment(f"{SITE}/utilities/cooling/pump-1", "Pump 1", Level.ASSET, "pump"),
    Equipment(f"{SITE}/utilities/cooling/pump-2", "Pump 2", Level.ASSET, "pump"),
]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Edge7 PLC Cooling/Pump2/Flow", "utilities/cooling/pump-2"),
        ("CNC102.Spindle.Speed", "machining/line-1/cnc-102/spindle"),
        ("M-0815 power", "machining/line-1/cnc-102"),
        ("machining centre 101 door open", "machining/line-1/cnc-101"),
        ("tag_47", None),
        ("", None),
    ],
)
def test_words_and_numbers_find_the_place(text: str, place: str | None) -> None:
    """Rare words weigh more than common ones; where nothing fits nothing is proposed."""
    found = Places(TREE).propose(text)
    assert (None if found is None else found.asset) == (place if place is None else f"{SITE}/{place}")


def test_a_signal_is_not_sent_to_where_it_stands() -> None:
    """What was made for the edge node itself is no proposal."""
    tree = [*TREE, Equipment(f"{SITE}/edge7/pump-2", "Pump 2", Level.ASSET)]
    found = Places(tree).propose("edge7 pump2 flow", without=f"{SITE}/edge7")
    assert found is not None
    assert found.asset == f"{SITE}/utilities/cooling/pump-2"


def test_words_of_many_spellings() -> None:
    """Separators, camel case and numbers part words."""
    assert words_of("Line1/CNC-101_spindleSpeed") == {"line", "1", "cnc", "101", "spindle", "speed"}
