"""Ports and the data folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineshaft.errors import ConfigError
from lineshaft.server import ports
from lineshaft.server.folder import DataFolder


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_busy_port_has_an_owner(busy: int) -> None:
    """A busy port is seen, and the process that holds it is named."""
    assert not ports.is_free(busy)
    assert f"(process {os.getpid()})" in ports.owner(busy)
    free = ports.next_free(busy, {busy + 1})
    assert free > busy + 1
    assert ports.is_free(free)


def test_free_port_has_no_owner(busy: int) -> None:
    """Nobody owns a free port."""
    assert ports.owner(ports.next_free(busy, set())) == ""


def test_second_process_is_refused(tmp_path: Path) -> None:
    """Two hubs never share a data folder: the second is told which process has it."""
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    with folder.lock("hub"):
        with pytest.raises(ConfigError, match=rf"runs already \(process {os.getpid()}\)"), folder.lock("hub"):
            pass
        with folder.lock("gateway"):
            pass
    with folder.lock("hub"):
        pass


def test_unwritable_folder(tmp_path: Path) -> None:
    """A data folder that cannot be made is an error with a hint."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        DataFolder(tmp_path / "file" / "data").prepare()
    assert "--data" in caught.value.hint
