"""A configuration from the hub on the gateway's side, without a hub."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lineshaft.clock import SystemClock
from lineshaft.config.bundle import digest, read_bundle, write_bundle
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError, ConnectionFailed, DataError, Unsupported
from lineshaft.gateway.remote_config import RemoteConfig, put_files_back
from lineshaft.model.events import Event
from lineshaft.wire.notes import ConfigStatus
from lineshaft.wire.requests import Request

PLANT = """plant: {{enterprise: acme, site: {site}, name: North, timezone: UTC}}
equipment: [{{id: press}}]
gateway: {{id: gw, rollback_after: 200ms}}
devices:
  - {{id: plc, driver: modbus-tcp, asset: press, connection: {{host: 127.0.0.1, port: {port}}}, signals: []}}
"""
FIRST = {"plant.yaml": PLANT.format(site="north", port=1502)}
SECOND = {"plant.yaml": PLANT.format(site="north", port=1503)}


@dataclass
class Field:
    """What a trial sees of a gateway."""

    up: frozenset[str] = frozenset({"plc"})
    events: list[Event] = field(default_factory=list)

    def online(self) -> frozenset[str]:
        return self.up

    def connected(self) -> bool:
        return True

    def event(self, event: Event) -> None:
        self.events.append(event)

    def tell(self) -> None:
        pass


class Works:
    """A plant folder, and the remote configuration of a gateway that runs it."""

    def __init__(self, root: Path) -> None:
        self.folder, self.data = root / "plant", root / "data"
        self.field = Field()
        if not self.folder.exists():
            write_bundle(self.folder, FIRST)
        self.reloads = 0
        self.remote = RemoteConfig(
            self.folder,
            lambda folder: load_plant(folder, DRIVERS),
            lambda plant: None,
            self.data,
            SystemClock(),
            self._reload,
        )
        self.put_back = self.remote.resume()
        self.begin()

    def _reload(self) -> None:
        self.reloads += 1

    def begin(self) -> None:
        self.remote.began(load_plant(self.folder, DRIVERS), self.field)

    async def push(self, files: dict[str, str], *, base: dict[str, str] = FIRST, version: str = "7-ab") -> None:
        body = {"files": files, "digest": digest(files), "base": digest(base), "version": version}
        await self.remote.handlers()["config.push"](Request("00" * 16, "config.push", 0, body))

    def files(self) -> dict[str, str]:
        return read_bundle(self.folder)


@pytest.fixture
def works(tmp_path: Path) -> Works:
    return Works(tmp_path)


async def test_a_push_proves_itself(works: Works) -> None:
    """It is tried, and settled as soon as the devices that were online are."""
    await works.push(SECOND)
    assert (works.files(), works.remote.status().state) == (SECOND, "trying")
    works.begin()
    await works.remote.watch(works.field)
    assert works.remote.status().state == "settled"
    assert (works.remote.status().digest, works.remote.status().version) == (digest(SECOND), "7-ab")
    assert [event.kind for event in works.field.events] == ["config.applied"]
    assert works.field.events[0].subject == "north/gw"


async def test_a_device_that_stays_away_takes_the_push_back(works: Works) -> None:
    """After the configured time the old files are there again, with the reason."""
    await works.push(SECOND)
    works.begin()
    works.field.up = frozenset()
    before = works.reloads
    await works.remote.watch(works.field)
    assert works.files() == FIRST
    status = works.remote.status()
    assert (status.state, status.digest, status.version) == ("rolled-back", digest(FIRST), "7-ab")
    assert "plc" in status.words
    assert works.reloads > before
    assert [event.kind for event in works.field.events] == ["config.rolled_back"]


async def test_a_new_device_that_does_not_come_takes_the_push_back(works: Works) -> None:
    """What is added is watched like what was there; one that is known to be away is put in with enabled: false."""
    more = "  - {{id: saw, driver: modbus-tcp, asset: press, connection: {{host: 127.0.0.2}}, signals: []{}}}\n"
    added = {"plant.yaml": FIRST["plant.yaml"] + more.format("")}
    await works.push(added)
    works.begin()
    await works.remote.watch(works.field)
    status = works.remote.status()
    assert (works.files(), status.state) == (FIRST, "rolled-back")
    assert "saw" in status.words
    assert "plc" not in status.words
    works.begin()
    await works.push(added, version="8-ab")
    works.begin()
    works.field.up = frozenset({"plc", "saw"})
    await works.remote.watch(works.field)
    assert (works.files(), works.remote.status().state) == (added, "settled")
    later = {"plant.yaml": added["plant.yaml"] + more.replace("saw", "mill").format(", enabled: false")}
    await works.push(later, base=added, version="9-ab")
    works.begin()
    await works.remote.watch(works.field)
    assert (works.files(), works.remote.status().state) == (later, "settled")


async def test_a_gateway_that_cannot_run_takes_the_push_back(works: Works) -> None:
    """A process that survives it puts the files back at once; without a trial there is nothing to put back."""
    assert not works.remote.failed("it cannot")
    await works.push(SECOND)
    assert works.remote.failed("it cannot")
    assert (works.files(), works.remote.status().state) == (FIRST, "rolled-back")
    works.begin()
    assert [event.kind for event in works.field.events] == ["config.rolled_back"]


async def test_a_crash_during_a_trial_takes_it_back(works: Works, tmp_path: Path) -> None:
    """The next process finds the old files, even where the crash left a folder that cannot be loaded."""
    await works.push(SECOND)
    (works.folder / "plant.yaml").write_text("plant: [")
    assert put_files_back(works.folder, works.data)
    again = Works(tmp_path)
    assert again.put_back
    assert again.files() == FIRST
    assert again.remote.status().state == "rolled-back"
    assert [event.subject for event in again.field.events] == ["north/gw"]
    assert not put_files_back(works.folder, works.data)
    assert not Works(tmp_path).put_back


async def test_what_is_wrong_changes_nothing(works: Works) -> None:
    """Problems name file and line; another gateway's plant, a changed folder, and damage are refused."""
    wrong = {"plant.yaml": FIRST["plant.yaml"].replace("modbus-tcp", "modbs-tcp")}
    with pytest.raises(ConfigError, match="1 problem") as refused:
        await works.push(wrong)
    assert (refused.value.problems[0].file, refused.value.problems[0].line) == ("plant.yaml", 5)
    with pytest.raises(ConfigError, match="another gateway"):
        await works.push({"plant.yaml": PLANT.format(site="south", port=1)})
    with pytest.raises(ConfigError, match="no plant folder"):
        await works.push({"../x.yaml": ""})
    with pytest.raises(Unsupported, match="changed at the gateway"):
        await works.push(SECOND, base=SECOND)
    body = {"files": SECOND, "digest": digest(FIRST), "base": digest(FIRST)}
    with pytest.raises(DataError, match="digest"):
        await works.remote.handlers()["config.push"](Request("00" * 16, "config.push", 0, body))
    assert works.files() == FIRST
    assert works.remote.status() == ConfigStatus(digest(FIRST), since=works.remote.status().since)


async def test_one_trial_at_a_time_and_comments_need_none(works: Works) -> None:
    """A second push waits for the first; files that mean the same are taken without a trial."""
    commented = {"plant.yaml": "# words\n" + FIRST["plant.yaml"]}
    await works.push(commented)
    assert (works.remote.status().state, works.reloads) == ("settled", 0)
    await works.push(SECOND, base=commented)
    with pytest.raises(ConnectionFailed, match="still tried"):
        await works.push(FIRST, base=SECOND)
