"""A configuration from the hub never widens what may be written."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.helpers import plant

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.gateway.writes.guard import refuse_more_writes


def with_write(write: dict[str, Any] | None, *, address: str = "x", **gateway: Any) -> Plant:
    return plant({"press": [{"name": "x", "address": address, "write": write}]}, gateway=gateway)


def test_the_hub_cannot_widen_anything() -> None:
    """Neither the switches nor bounds nor the place behind a name; taking rights away is allowed."""
    narrow, wide = {"low": 0, "high": 1}, {"low": 0, "high": 2}
    on = {"allow_writes": True}
    before = with_write(narrow, **on)
    for after in (
        with_write(wide, **on),
        with_write(narrow, address="y", **on),
        with_write(narrow, **on, foreign_commands=True),
    ):
        with pytest.raises(ConfigError, match="the hub may not"):
            refuse_more_writes(before, after)
    with pytest.raises(ConfigError, match=r"turn gateway\.allow_writes on"):
        refuse_more_writes(with_write(narrow), before)
    for after in (before, with_write(None, **on), with_write(wide)):
        refuse_more_writes(before, after)
