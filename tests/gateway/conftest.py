"""A real broker for the gateway's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.helpers import Host
from tests.hub.mqtt import Mosquitto


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Mosquitto on a free port; the test may stop and start it."""
    mosquitto = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def host(broker: Mosquitto) -> Iterator[Host]:
    """A Sparkplug host, online."""
    observer = Host(broker.port)
    observer.state(True)
    yield observer
    observer.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The gateway's data folder."""
    path = tmp_path / "gateway"
    path.mkdir()
    return path
