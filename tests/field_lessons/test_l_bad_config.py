"""Lesson l: elsewhere a bad configuration restarts the container hundreds of times a minute."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.config.test_reload import GOOD, Loader

from lineshaft.config.load import load_plant
from lineshaft.config.reload import PlantWatcher
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError

BAD = """
plant: {enterprise: acme, site: works, name: Works, timezone: UTC}
devices:
  - id: meter
    driver: modbus-tcp
    connection: {host: 127.0.0.1, order: ACBD}
    signals: [{name: power, address: holding:0}]
"""


def test_a_bad_config_is_refused_with_file_line_key_and_reason(tmp_path: Path) -> None:
    """The words name file and line, the key, what it says, and what it may say."""
    (tmp_path / "plant.yaml").write_text(BAD)
    with pytest.raises(ConfigError) as refused:
        load_plant(tmp_path, DRIVERS)
    words = str(refused.value)
    assert "plant.yaml:6" in words
    assert "connection.order" in words
    assert "ACBD" in words
    assert "ABCD" in words


async def test_a_bad_config_leaves_the_running_one_in_place(tmp_path: Path) -> None:
    """A wrong file keeps the old plant running; as soon as the file is right, the new plant comes."""
    file = tmp_path / "plant.yaml"
    file.write_text(GOOD.format(name="Old"))
    load = Loader()
    watcher = PlantWatcher(tmp_path, load, load(tmp_path), interval=0.02)
    coming = asyncio.ensure_future(anext(watcher.changes()))
    await asyncio.sleep(0)
    load.tried.clear()
    file.write_text("plant: [")
    async with asyncio.timeout(30):
        await load.tried.wait()
        assert not coming.done()
        file.write_text(GOOD.format(name="New"))
        assert (await coming).plant.name == "New"
    assert watcher.refused == 1
