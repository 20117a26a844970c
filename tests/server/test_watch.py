"""A plant folder that changes while the hub runs: people hear what it takes only at its next start."""

from __future__ import annotations

from lineshaft.config.models import Plant
from lineshaft.server.hub import waiting_sections

BASE = {"plant": {"enterprise": "acme", "site": "north", "name": "North", "timezone": "UTC"}, "gateway": {"id": "gw"}}
SHIFT = {"id": "early", "start": "06:00", "end": "14:00"}


def test_a_holiday_is_said_to_wait() -> None:
    """A new holiday in the calendar is named; what the gateway takes by itself is not."""
    before = Plant.model_validate({**BASE, "calendars": [{"id": "days", "shifts": [SHIFT]}]})
    holiday = {"id": "days", "shifts": [SHIFT], "holidays": ["2026-12-25"]}
    assert waiting_sections(before, Plant.model_validate({**BASE, "calendars": [holiday]})) == ("calendars",)
    other = before.model_copy(
        update={"equipment": Plant.model_validate({**BASE, "equipment": [{"id": "a"}]}).equipment}
    )
    assert waiting_sections(before, other) == ()
