"""Configurations from the hub: checked before use, tried on the running gateway, and taken back when it fails.

The plant folder is what runs. A push is staged beside it, loaded and checked like `lineshaft check` does; only then it
replaces the folder's files, and what was there before is kept until the devices that were online are online again.
The disk buffer is never touched: it belongs to the data folder, and the next gateway goes on with it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from lineshaft.clock import Clock
from lineshaft.config.bundle import Bundle, check_bundle, digest, read_bundle, write_bundle
from lineshaft.config.models import Plant
from lineshaft.errors import (
    ConfigError,
    ConnectionFailed,
    DataError,
    LineshaftError,
    Problem,
    StoreUnavailable,
    Unsupported,
)
from lineshaft.gateway.cursor import replace_file
from lineshaft.gateway.requests import Handler
from lineshaft.gateway.writes.guard import refuse_more_writes
from lineshaft.model.events import Event, Severity
from lineshaft.wire.notes import ConfigStatus
from lineshaft.wire.requests import Request

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the devices while a configuration is tried."""


class Watched(Protocol):
    """The running gateway, as far as a trial looks at it."""

    def online(self) -> frozenset[str]:
        """Ids of the devices that are online."""
        ...

    def connected(self) -> bool:
        """True while a way to the hub is open."""
        ...

    def event(self, event: Event) -> None:
        """Put an event into the disk buffer."""
        ...

    def tell(self) -> None:
        """Tell the status now."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A pushed configuration that must prove itself."""

    before: Bundle
    online: tuple[str, ...]  # devices of the new plant that were online, and those that are new in it
    uplink: bool  # the way to the hub was changed: it must open again as well
    seconds: float


class RemoteConfig:
    """Lives as long as the process, over all reloads. Use `resume` before the plant is loaded for the first time."""

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], Plant],
        check: Callable[[Plant], None],
        data_dir: Path,
        clock: Clock,
        reload: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._load = load
        self._check = check
        self._clock = clock
        self._reload = reload
        self._place = data_dir / "config"
        self._file = self._place / "state.json"
        self._busy = asyncio.Lock()
        self._status = ConfigStatus("")
        self._trial: Trial | None = None
        self._events: list[Event] = []
        self._plant: Plant | None = None
        self._watched: Watched | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """What the hub may ask for."""
        return {"config.read": self._read, "config.check": self._only_check, "config.push": self.push}

    def status(self) -> ConfigStatus:
        """Which configuration runs."""
        return self._status

    # -- the life of the process

    def resume(self) -> bool:
        """Read what an earlier process left. True when the plant folder was put back and must be loaded anew.

        A process that ended while it tried a configuration may have ended because of it: the one before is put back.
        Raises StoreUnavailable when the folder cannot be used.
        """
        try:
            saved = json.loads(self._file.read_text(encoding="utf-8"))
            self._status = ConfigStatus(**saved["status"])
            trial = Trial(**saved["trial"]) if saved.get("trial") else None
        except FileNotFoundError:
            trial = None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("config.state_unreadable", error=str(error))
            trial = None
        if trial is not None:
            self._trial = trial
            self._take_back("The gateway ended while it tried this configuration.")
        return trial is not None

    def failed(self, words: str) -> bool:
        """The gateway could not run: put a configuration that is tried back. False when none is tried."""
        if self._trial is None:
            return False
        self._take_back(words)
        return True

    def began(self, plant: Plant, watched: Watched) -> None:
        """A gateway runs with this plant, which was read from the folder."""
        self._plant, self._watched = plant, watched
        found = digest(read_bundle(self._folder))
        if self._trial is None and found != self._status.digest:
            known = self._status if self._status.state == "rolled-back" else ConfigStatus("")
            self._set(replace(known, digest=found, since=known.since or self._clock.now_us()))
        for event in self._events:
            watched.event(replace(event, subject=self._subject(plant)))
        self._events.clear()

    async def watch(self, watched: Watched) -> None:
        """While a configuration is tried: wait until it has proven itself, or take it back."""
        trial = self._trial
        if trial is None:
            return
        deadline = self._clock.monotonic() + trial.seconds
        while True:
            missing = sorted(set(trial.online) - watched.online())
            uplink = trial.uplink and not watched.connected()
            if not missing and not uplink:
                break
            words = ", ".join([*missing, *(["the way to the hub"] if uplink else [])])
            if self._clock.monotonic() >= deadline:
                self._fail(f"Not back within {trial.seconds:g} s: {words}.", watched)
                return
            if words != self._status.words:
                self._set(replace(self._status, words=words))
                watched.tell()
            await self._clock.sleep_until(self._clock.monotonic() + LOOK_EVERY)
        self._trial = None
        self._set(replace(self._status, state="settled", words="", since=self._clock.now_us()))
        details = {"version": self._status.version}
        message = f"Configuration {self._status.version} is in use; all devices that were online are, and the new ones."
        watched.event(Event(self._clock.now_us(), "config.applied", self._subject(), message, details=details))
        watched.tell()

    def _fail(self, words: str, watched: Watched) -> None:
        self._take_back(words)
        for event in self._events:
            watched.event(replace(event, subject=self._subject()))
        self._events.clear()
        watched.tell()
        self._reload()

    def _take_back(self, words: str) -> None:
        trial, version = self._trial, self._status.version
        if trial is None:
            return
        try:
            write_bundle(self._folder, trial.before)
        except OSError as error:
            raise StoreUnavailable(f"the plant folder cannot be put back: {error}") from error
        now = self._clock.now_us()
        self._trial = None
        self._set(ConfigStatus(digest(trial.before), "rolled-back", version, words, now))
        log.error("config.rolled_back", version=version, reason=words)
        message = f"Configuration {version} was taken back. {words}"
        details = {
            "version": version,
            "mend": "See which device it broke, mend it and push again. One that is not there yet: enabled: false.",
        }
        self._events.append(Event(now, "config.rolled_back", "", message, Severity.HIGH, details))

    # -- requests

    async def _read(self, request: Request) -> Mapping[str, Any]:
        files = await asyncio.to_thread(read_bundle, self._folder)
        return {"files": files, "digest": digest(files)}

    async def _only_check(self, request: Request) -> Mapping[str, Any]:
        files = _files(request)
        plant = await asyncio.to_thread(self.checked, files)
        return {"digest": digest(files), "devices": len(plant.devices)}

    async def push(self, request: Request) -> Mapping[str, Any]:
        """Check, then put in use. The answer comes before the gateway starts anew; how it ended is in the status."""
        async with self._busy:
            if self._trial is not None:
                raise ConnectionFailed(f"configuration {self._status.version} is still tried", hint="Wait for it.")
            files, version = _files(request), str(request.body.get("version", ""))
            if not os.access(self._folder, os.W_OK):
                raise Unsupported(
                    f"the gateway may not write its plant folder {self._folder}",
                    hint="Give its user the right to, or run it with a folder of its own.",
                )
            present = await asyncio.to_thread(read_bundle, self._folder)
            if digest(present) != request.body.get("base"):
                raise Unsupported(
                    "the plant folder was changed at the gateway since this version was made",
                    hint="Take the folder's present state as a new version, and make the change there.",
                )
            plant = await asyncio.to_thread(self.checked, files)
            await self._put_in_use(plant, files, present, version)
        return {"digest": digest(files), "state": self._status.state}

    def checked(self, files: Bundle) -> Plant:
        """The plant of a bundle, checked as a whole. Raises ConfigError with every problem."""
        try:
            plant = check_bundle(files, self._load_and_check, self._place / "staged")
        except OSError as error:
            raise StoreUnavailable(f"a configuration cannot be staged: {error}", hint="Is the disk full?") from error
        if self._plant is not None:
            _refuse_another_gateway(self._plant, plant)
            refuse_more_writes(self._plant, plant)
        return plant

    def _load_and_check(self, folder: Path) -> Plant:
        plant = self._load(folder)
        self._check(plant)
        return plant

    async def _put_in_use(self, plant: Plant, files: Bundle, present: Bundle, version: str) -> None:
        running, watched = self._plant, self._watched
        if running is None or watched is None:
            raise ConnectionFailed("the gateway is starting", hint="Ask again in a moment.")
        now, found = self._clock.now_us(), digest(files)
        wanted = {device.id for device in plant.devices if device.enabled}
        known = {device.id for device in running.devices if device.enabled}
        self._trial = Trial(
            before=dict(present),
            online=tuple(sorted((watched.online() & wanted) | (wanted - known))),
            uplink=_way_out(plant) != _way_out(running) and watched.connected(),
            seconds=running.gateway.rollback_after,
        )
        self._set(ConfigStatus(found, "trying", version, "", now))  # before the files: a crash between puts back
        try:
            await asyncio.to_thread(self._write, files)
            same = await asyncio.to_thread(self._load, self._folder) == running
        except LineshaftError as error:
            self._take_back(f"It cannot be put in place: {error}")
            raise
        if same:  # only words for people have changed
            self._trial = None
            self._set(ConfigStatus(found, "settled", version, "", now))
            return
        log.info("config.trying", version=version)
        asyncio.get_running_loop().call_later(0.1, self._reload)  # the answer goes out first

    def _write(self, files: Bundle) -> None:
        try:
            write_bundle(self._folder, files)
        except OSError as error:
            raise StoreUnavailable(f"the plant folder cannot be written: {error}") from error

    # -- state

    def _set(self, status: ConfigStatus) -> None:
        self._status = status
        trial = None if self._trial is None else asdict(self._trial)
        text = json.dumps({"status": asdict(status), "trial": trial}, ensure_ascii=False)
        try:
            self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self._file, text.encode())
        except OSError as error:
            raise StoreUnavailable(f"the state of the configuration cannot be kept: {error}") from error

    def _subject(self, plant: Plant | None = None) -> str:
        of = plant or self._plant
        return "" if of is None else f"{of.plant.site}/{of.gateway.id}"


def put_files_back(folder: Path, data_dir: Path) -> bool:
    """The files of the plant as they were before a trial that a crash interrupted; False when there was none.

    For a folder that cannot be loaded because its files were being replaced; `resume` does the rest. Raises OSError.
    """
    try:
        saved = json.loads((data_dir / "config" / "state.json").read_text(encoding="utf-8"))
        before = dict(saved["trial"]["before"])
    except (OSError, ValueError, TypeError, KeyError):
        return False
    write_bundle(folder, before)
    return True


def _files(request: Request) -> dict[str, str]:
    files = request.body.get("files")
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise ConfigError("the request has no files")
    if digest(files) != request.body.get("digest"):
        raise DataError("the files are not those that the hub meant: their digest is another")
    return files


def _refuse_another_gateway(running: Plant, plant: Plant) -> None:
    """A push may change everything but who the gateway is: its history and its buffer go by these names."""
    names = (
        ("plant.enterprise", running.plant.enterprise, plant.plant.enterprise),
        ("plant.site", running.plant.site, plant.plant.site),
        ("gateway.id", running.gateway.id, plant.gateway.id),
    )
    problems = [
        Problem("", 0, where, new, "cannot be changed from the hub: it is who the gateway is", old)
        for where, old, new in names
        if old != new
    ]
    if problems:
        raise ConfigError("this is the configuration of another gateway", problems)


def _way_out(plant: Plant) -> tuple[Any, ...]:
    return plant.gateway.uplinks, plant.hub.broker, plant.hub.broker_host, plant.hub.broker_port
