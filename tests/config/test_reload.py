"""A running process takes good changes of its plant and refuses bad ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lineshaft.config.load import load_plant
from lineshaft.config.models import Plant
from lineshaft.config.reload import PlantWatcher
from lineshaft.drivers.builtin import DRIVERS

GOOD = "plant: {{enterprise: acme, site: works, name: {name}, timezone: UTC}}\n"


class Loader:
    """Loads plants and tells the test when it has tried."""

    def __init__(self) -> None:
        self.tried = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, folder: Path) -> Plant:
        try:
            return load_plant(folder, DRIVERS)
        finally:
            self._loop.call_soon_threadsafe(self.tried.set)


async def test_asked_reload(tmp_path: Path) -> None:
    """SIGHUP loads at once, and a plant that says the same is no change."""
    file = tmp_path / "plant.yaml"
    file.write_text(GOOD.format(name="Old"))
    load = Loader()
    asked = asyncio.Event()
    watcher = PlantWatcher(tmp_path, load, load(tmp_path), interval=3600, asked=asked)
    coming = asyncio.ensure_future(anext(watcher.changes()))
    await asyncio.sleep(0)
    load.tried.clear()
    asked.set()
    async with asyncio.timeout(30):
        await load.tried.wait()
        assert not coming.done()
        file.write_text(GOOD.format(name="New"))
        asked.set()
        assert (await coming).plant.name == "New"
