"""A Mosquitto for the tests of the MQTT driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hub.mqtt import Mosquitto


@pytest.fixture
def broker(tmp_path: Path, require: Callable[..., str]) -> Iterator[Mosquitto]:
    require("mosquitto", "mosquitto")
    found = Mosquitto(tmp_path)
    yield found
    found.stop()
