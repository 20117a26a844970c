"""A plant folder that changes while the hub runs: what must wait until it starts anew is named, and nothing else."""

from __future__ import annotations

from typing import Any

from lineshaft.config.models import Plant
from lineshaft.server.changes import waiting_sections

BASE: dict[str, Any] = {
    "plant": {"enterprise": "acme", "site": "north", "name": "North", "timezone": "UTC"},
    "gateway": {"id": "gw"},
}
SHIFT = {"id": "early", "start": "06:00", "end": "14:00"}


def test_only_what_waits_is_named() -> None:
    """A name, a limit of the hub and a model wait; calendars, machines, operators, equipment and accounts do not."""
    before = Plant.model_validate({**BASE, "equipment": [{"id": "a"}]})
    now = {
        **BASE,
        "equipment": [{"id": "b"}],
        "calendars": [{"id": "days", "shifts": [SHIFT]}],
        "oee": {"settle": "1min"},
        "hub": {"broker_accounts": [{"user": "press", "publish": ["press/#"]}]},
    }
    assert waiting_sections(before, Plant.model_validate(now)) == ()
    later = {**BASE, "plant": BASE["plant"] | {"name": "South"}, "hub": {"rate_limit": 5}}
    assert waiting_sections(before, Plant.model_validate(later)) == ("plant", "hub")
