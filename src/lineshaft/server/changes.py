"""What a running hub takes of a changed plant folder, and what waits until it starts anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from lineshaft.apps.base import App
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, DataError, StoreUnavailable
from lineshaft.hub.api.services import Check
from lineshaft.hub.shift_calendars import ShiftCalendars
from lineshaft.server.history import calendar_of
from lineshaft.server.messages import Message, tell
from lineshaft.server.operators import Working

AT_START: Final = ("plant", "hub", "models")
"""Sections that hold for the life of the process; calendars, OEE and operators are taken while it runs."""
_log = structlog.get_logger(__name__)


class PlantChanges:
    """`take` from any thread."""

    def __init__(
        self, plant: Plant, folder: Path, load: Callable[[Path], Plant], calendars: ShiftCalendars, work: Working
    ) -> None:
        self._started = self._now = plant
        self._folder = folder
        self._load = load
        self.calendars = calendars
        self._work = work
        self._taking = threading.Lock()
        self.start_took = 0.0  # seconds from the start of the hub until it served
        self.apps: Sequence[tuple[App, object]] = ()  # with what runs of each

    def waiting(self) -> Sequence[str]:
        """Sections of the folder that differ from what the hub has started with."""
        return waiting_sections(self._started, self._now)

    @property
    def now(self) -> Plant:
        """The plant as its files say now."""
        return self._now

    def take(self, plant: Plant) -> None:
        """Let a changed plant count. Raises ConfigError; nothing was taken then."""
        with self._taking:
            if plant == self._now:
                return
            self._work.replan(plant)
            self.calendars.base = calendar_of(plant)
            for app, running in self.apps:
                if app.take is not None:
                    app.take(running, plant)
            before, self._now = self._now, plant
            new = waiting_sections(before, plant)
        if new:
            words = f"changed in the plant folder: {', '.join(new)}; the hub takes it when it starts anew"
            tell(Message("notice", words))

    def add_file(self, name: str, text: str) -> None:
        """Add a file to the plant folder; it counts at once. Raises ConfigError or DataError, and adds none then."""
        target = self._folder / name
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise DataError(f"the plant folder has a file {name} already", hint="add to it by hand") from None
        except OSError as error:
            raise DataError(f"{target} cannot be written: {error.strerror}", hint="may the hub write there?") from error
        try:
            self.take(self._load(self._folder))
        except ConfigError:
            target.unlink(missing_ok=True)
            raise

    def check(self) -> Sequence[Check]:
        """Health of what was changed."""
        waiting = self.waiting()
        if not waiting:
            return ()
        words = f"changed, and not taken yet: {', '.join(f'`{name}`' for name in waiting)}"
        return (Check("plant folder", "warn", words, "start the hub anew"),)


def waiting_sections(before: Plant, after: Plant) -> tuple[str, ...]:
    """Sections that differ and that a running hub does not take."""
    hub = before.hub.model_copy(update={"broker_accounts": after.hub.broker_accounts})  # the broker's, which takes them
    before = before.model_copy(update={"hub": hub})
    return tuple(name for name in AT_START if getattr(before, name) != getattr(after, name))


async def tried(changes: PlantChanges, plant: Plant) -> None:
    """Take a change of the folder; what is wrong with it is logged, and the plant that runs stays."""
    try:
        await asyncio.to_thread(changes.take, plant)
    except (ConfigError, StoreUnavailable) as error:
        _log.error("the changed plant is not taken, the running one stays", problems=str(error))
