"""The buffer's own numbers for signals: they never change, whatever becomes of the plant folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lineshaft.errors import ConfigError
from lineshaft.model.samples import UInt32Array


@dataclass(frozen=True, slots=True)
class SignalKey:
    """A signal as the buffer knows it: enough to announce it when the plant folder does not name it any more."""

    device: str
    asset: str
    name: str
    kind: str
    datatype: str
    unit: str = ""

    @property
    def path(self) -> str:
        """Signal path."""
        return f"{self.asset}/{self.name}"


class SignalKeys:
    """A file of one JSON line per signal, appended to and never rewritten; the line's number is the signal's id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.keys: list[SignalKey] = []
        self._ids: dict[tuple[str, str, str], int] = {}

    def open(self) -> None:
        """Read the file; a torn last line goes, as no frame can use it yet. Raises ConfigError when it is damaged."""
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            os.truncate(self._path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._add(SignalKey(**json.loads(line)))
            except (ValueError, TypeError) as error:
                raise ConfigError(
                    f"{self._path}:{number}: the signal list of the disk buffer is damaged",
                    hint="Put the file back from a backup, or move the buffer folder away to begin a new one.",
                ) from error

    def register(self, keys: Sequence[SignalKey]) -> UInt32Array:
        """uint32 id of each key; new ones are durable when this returns. Raises OSError."""
        new = [key for key in dict.fromkeys(keys) if _identity(key) not in self._ids]
        if new:
            lines = "".join(json.dumps(asdict(key), ensure_ascii=False) + "\n" for key in new).encode()
            with open(self._path, "ab") as file:
                before = file.tell()
                try:
                    file.write(lines)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(before)
                    raise
            for key in new:
                self._add(key)
        return np.array([self._ids[_identity(key)] for key in keys], np.uint32)

    def _add(self, key: SignalKey) -> None:
        self._ids.setdefault(_identity(key), len(self.keys))
        self.keys.append(key)


def _identity(key: SignalKey) -> tuple[str, str, str]:
    return key.device, key.path, key.datatype
