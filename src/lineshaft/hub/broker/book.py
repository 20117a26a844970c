"""Accounts that administrators made: a file of the data folder that the hub writes and the running broker follows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError

from lineshaft.clock import Clock, SystemClock
from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.errors import ConfigError
from lineshaft.hub.broker.accounts import write_private

MADE: Final = "broker.accounts.json"
"""Name of the file in the data folder."""
LOOK_EVERY: Final = 0.25
"""Seconds between two looks of the broker at the file."""
_HERE: Final = {"password_file"}  # keys of plant files that have no meaning here
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MadeAccount:
    """An account that an administrator made; only the hash of its password is kept."""

    config: BrokerAccountConfig
    hash: str
    changed: int  # UTC microseconds
    by: str

    def stored(self) -> dict[str, Any]:
        """As it stands in the file."""
        account = self.config.model_dump(mode="json", exclude=_HERE)
        return {**account, "hash": self.hash, "changed": self.changed, "by": self.by}


def _made(stored: dict[str, Any]) -> MadeAccount:
    rest = dict(stored)
    hashed, changed, by = str(rest.pop("hash")), int(rest.pop("changed")), str(rest.pop("by"))
    return MadeAccount(BrokerAccountConfig.model_validate(rest), hashed, changed, by)


class AccountBook:
    """The file; what is written is whole, readable by its owner alone."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / MADE

    def read(self) -> tuple[MadeAccount, ...]:
        """All accounts by name; none when there is no file. Raises ConfigError when it cannot be read."""
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be read: {error.strerror}") from error
        try:
            found = [_made(one) for one in json.loads(text)["accounts"]]
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            hint = "Bring it back from a backup, or remove it and make the accounts anew."
            raise ConfigError(f"{self._path} is damaged: {error}", hint=hint) from error
        return tuple(sorted(found, key=lambda one: one.config.user))

    def write(self, accounts: Sequence[MadeAccount]) -> None:
        """Replace all. Raises ConfigError when the folder cannot be written."""
        text = json.dumps({"accounts": [one.stored() for one in accounts]}, indent=1)
        try:
            write_private(self._path, text + "\n")
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}", hint="Is the disk full?") from error

    async def changes(
        self, asked: Callable[[], bool] = lambda: False, clock: Clock | None = None
    ) -> AsyncIterator[tuple[MadeAccount, ...]]:
        """The accounts now, and again after each change of the file or when `asked`; a damaged file changes nothing."""
        clock = clock or SystemClock()
        taken: tuple[int, ...] | None = None
        while True:
            now = self._stamp()
            if now != taken or asked():
                taken = now
                try:
                    yield self.read()
                except ConfigError as error:
                    _log.error("broker: accounts stay as they are", error=str(error), hint=error.hint)
            await clock.sleep_until(clock.monotonic() + LOOK_EVERY)

    def _stamp(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino
