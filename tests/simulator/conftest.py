"""Factories for the simulator's tests."""

from __future__ import annotations

import pytest
from tests.simulator.helpers import DAY, MONDAY, Run, demo, run

from lineshaft.config.models import Plant
from lineshaft.simulator.factory import Factory


@pytest.fixture(scope="session")
def plant() -> Plant:
    """plants/demo."""
    return demo()


@pytest.fixture(scope="session")
def week(plant: Plant) -> Run:
    """Monday to Sunday, every ten seconds."""
    return run(Factory(plant, MONDAY), MONDAY + 7 * DAY)
