"""Certificates and brokers for the uplinks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.uplinks.brokers import TlsMosquitto
from tests.gateway.uplinks.line import Watcher
from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who vouches for the servers and things of all tests."""
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def tls_broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsMosquitto]:
    """A broker that takes only certificates of the authority."""
    broker = TlsMosquitto(tmp_path_factory.mktemp("broker"), authority)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def watcher(broker: Mosquitto) -> Iterator[Watcher]:
    """Sees everything on the plain broker."""
    made = Watcher(broker.port)
    yield made
    made.close()


@pytest.fixture
def tls_watcher(tls_broker: TlsMosquitto) -> Iterator[Watcher]:
    """Sees everything on the TLS broker."""
    made = Watcher(tls_broker.port)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The gateway's data folder."""
    path = tmp_path / "gateway"
    path.mkdir()
    return path
