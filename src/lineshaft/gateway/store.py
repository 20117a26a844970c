"""A buffer folder beside its segments: bounds, epoch, checkpoint, the mark of a clean end, forcing to disk."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from lineshaft.errors import ConfigError
from lineshaft.gateway.cursor import replace_file
from lineshaft.model.samples import Int64Array

_MARK_BYTES: Final = 64
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class BufferOptions:
    """Bounds of a buffer."""

    max_bytes: int = 1_000_000_000
    max_age: float | None = None  # seconds
    segment_bytes: int = 8 << 20
    memory_bytes: int = 32 << 20  # while the disk takes nothing
    subject: str = ""  # path that events are about


@dataclass(slots=True)
class Checkpoint:
    """What the buffer knew when frame `frame` had been written; newer frames are read from the segments."""

    frame: int = 0
    dropped_rows: int = 0
    positions: dict[str, str] = field(default_factory=dict)
    totals: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def write(self, path: Path) -> None:
        """Replace the file in one step. Raises OSError."""
        content = {
            "frame": self.frame,
            "dropped_rows": self.dropped_rows,
            "positions": self.positions,
            "totals": self.totals.tolist(),
        }
        replace_file(path, json.dumps(content).encode())

    @staticmethod
    def load(path: Path) -> Checkpoint:
        """Read the file; none gives an empty checkpoint. Raises ConfigError when it is damaged."""
        if not path.exists():
            return Checkpoint()
        try:
            content = json.loads(path.read_bytes())
            totals = np.array(content["totals"], np.int64)
            return Checkpoint(int(content["frame"]), int(content["dropped_rows"]), dict(content["positions"]), totals)
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{path}: the checkpoint of the disk buffer is damaged",
                hint="Move the buffer folder away to begin a new one; what is in it can be read by support.",
            ) from error


def load_epoch(path: Path) -> bytes:
    """The buffer's 16 random bytes, made at the first call. Raises ConfigError when the file is damaged."""
    if not path.exists():
        replace_file(path, secrets.token_hex(16).encode())
    try:
        epoch = bytes.fromhex(path.read_text().strip())
    except ValueError:
        epoch = b""
    if len(epoch) != 16:
        raise ConfigError(f"{path}: the name of the disk buffer is damaged", hint="Move the buffer folder away.")
    return epoch


def forcing(handles: Sequence[int], files: Sequence[tuple[Path, bytes]]) -> Callable[[], None]:
    """A function for another thread that makes open files durable, closes them, and replaces small files.

    It raises OSError.
    """

    def work() -> None:
        try:
            for handle in handles:
                os.fsync(handle)
        finally:
            for handle in handles:
                os.close(handle)
        for path, data in files:
            replace_file(path, data)

    return work


class EndMark:
    """Says whether frames may have been sent that are not in the files.

    That is so after the computer stopped (the last second was perhaps not on the disk), or when the process died
    while the disk was full. Frame ids must then not be used again. The file has its room from the beginning, so
    that it can be changed on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> bool:
        """Mark the buffer as in use; True when the last end may have lost frames that were sent. Raises OSError."""
        boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
        lost = False
        if self._path.exists():
            state, _, last_boot = self._path.read_text().strip().partition(" ")
            lost = state == "full" or (state == "open" and (last_boot != boot or not boot))
        self._boot = boot
        self.set("open")
        return lost

    def set(self, state: str) -> None:
        """state: 'open', 'full' (frames live in memory only) or 'closed'. Raises OSError."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            os.pwrite(handle, f"{state} {self._boot}".ljust(_MARK_BYTES).encode(), 0)
            os.fsync(handle)
        finally:
            os.close(handle)
