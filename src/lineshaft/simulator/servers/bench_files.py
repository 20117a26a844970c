"""A test bench whose computer writes a CSV file every minute into a shared folder."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lineshaft.errors import ConnectionFailed
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import option
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.documents import json_value

ROW_US: Final = 10_000_000
FILE_US: Final = 60_000_000
_KEPT: Final = 240
"""Files that stay; the bench's computer removes older ones."""


class SharedFolder:
    """The folder, which is away as a whole when the bench's computer is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._away = folder.with_name(f"{folder.name}.away")
        self.running = False

    async def start(self) -> None:
        """Make the folder, or give it back. Raises ConnectionFailed when that is not possible."""
        try:
            await asyncio.to_thread(self._open)
        except OSError as error:
            raise ConnectionFailed(f"the folder {self.folder} cannot be made: {error.strerror}") from error
        self.running = True

    def _open(self) -> None:
        if self._away.exists() and not self.folder.exists():
            self._away.rename(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    async def stop(self) -> None:
        """Take the folder away with what is in it."""
        if self.running:
            self.running = False
            await asyncio.to_thread(self.folder.rename, self._away)

    def write(self, name: str, text: str) -> None:
        """One more file, whole under its name or not there; the oldest beyond the bound go."""
        draft = self.folder / f".{name}.part"
        draft.write_text(text, encoding="utf-8")
        draft.rename(self.folder / name)
        for old in sorted(self.folder.glob("*.csv"))[:-_KEPT]:
            old.unlink(missing_ok=True)


def bench_machine(channels: Sequence[Channel]) -> OneMachine:
    """A bench with a row every ten seconds and a file every minute, one column for each signal."""
    device = channels[0].device
    shared = SharedFolder(Path(str(option(device, "folder"))))
    stem = str(option(device, "pattern") or "*").partition("*")[0]
    columns = [str(option(device, "time_column") or "time"), *(channel.address.item for channel in channels)]
    rows: list[list[object]] = []
    last = 0

    def write(shown: Shown) -> None:
        nonlocal last
        now = int(shown.frame.times[-1])
        if now // ROW_US <= last // ROW_US:
            return
        if rows and now // FILE_US > last // FILE_US:
            text = io.StringIO()
            csv.writer(text).writerows([columns, *rows])
            shared.write(f"{stem}{_moment(now).strftime('%Y%m%dT%H%M%SZ')}.csv", text.getvalue())
            rows.clear()
        last = now
        values = [json_value(channel, shown.raw[channel.path]) for channel in channels]
        rows.append([_moment(now).isoformat().replace("+00:00", "Z"), *values])

    return OneMachine(channels, shared, write)


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1e6, UTC)
