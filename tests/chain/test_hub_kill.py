"""The hub under load, killed and with a full disk, beside one that nobody disturbs."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.history.kills import disturbed, may_mount


@pytest.mark.slow
def test_kills_and_a_full_disk_lose_nothing_and_change_no_event(tmp_path: Path) -> None:
    """What was acknowledged is stored once, nothing is acknowledged on a full disk, and operators find the same.

    Where no small file system may be mounted, only the kills are tried.
    """
    fills = (0,) if may_mount(tmp_path) else ()
    found = disturbed(tmp_path, kills=2, fills=fills, seconds=0.7)
    assert found.acknowledged == found.frames
    assert found.lost == 0
    assert found.events > 10
    assert found.difference == ""
    for one in found.full:
        assert (one.acknowledged, one.read) == (0, 200)
        assert one.words.startswith("rows cannot be stored: only ")
