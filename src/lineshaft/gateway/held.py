"""What waits for a finding and what the diagnosis knows, on disk: a gateway that starts again still has both."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_args

import structlog

from lineshaft.analytics.bearings.findings import FaultKind
from lineshaft.errors import DataError
from lineshaft.gateway.cursor import sync_folder
from lineshaft.gateway.frames import decode, encode_samples
from lineshaft.gateway.steps.bursts import Holding
from lineshaft.gateway.steps.diagnosis import FaultKnown, Known
from lineshaft.model.samples import SampleBatch

log = structlog.get_logger(__name__)
_STATE: Final = "state.json"
_FRAME: Final = ".burst"


class HeldBursts:
    """One folder for each waveform that holds bursts back or is judged: a file for each burst, and one for the rest.

    A file is written when its burst is held and removed after the disk buffer has it, so that a kill at any moment
    loses none; the one that was being sent can be sent twice. Writing reaches the disk with the next `sync`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._there: dict[str, set[int]] = {}  # path -> times of the bursts that have a file
        self._last: dict[str, Holding] = {}  # path -> what its files say
        self._unsynced: set[Path] = set()
        self._failed = False

    def restore(self, paths: Iterable[str]) -> Mapping[str, Holding]:
        """What is held of these waveforms; folders of others are removed. Damaged files are passed over and told of."""
        found: dict[str, Holding] = {}
        known = {self._place(path).name: path for path in paths}
        for place in self._folder.iterdir() if self._folder.is_dir() else ():
            path = known.get(place.name)
            if path is None:
                shutil.rmtree(place, ignore_errors=True)
                continue
            try:
                found[path] = self._load(place, path)
            except OSError as error:
                log.warning("bursts.unreadable", waveform=path, error=str(error))
        return found

    def _load(self, place: Path, path: str) -> Holding:
        rows: dict[int, SampleBatch] = {}
        for file in place.glob(f"*{_FRAME}"):
            try:
                frame = decode(file.read_bytes())
            except DataError as error:
                log.warning("bursts.damaged", waveform=path, file=file.name, error=str(error))
                file.unlink(missing_ok=True)
                continue
            if frame.batch is not None and len(frame.batch):
                rows[int(frame.batch.times[0])] = frame.batch
        self._there[path] = set(rows)
        try:
            state = json.loads((place / _STATE).read_bytes())
            seen, owed, rms = int(state["seen"]), int(state["owed"]), float(state["sent_rms"])
            known = _known(state.get("diagnosis"))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            seen, owed, rms, known = 0, 0, math.nan, None
        return Holding(tuple(rows[time] for time in sorted(rows)), seen, owed, rms, known)

    def update(self, holdings: Mapping[str, Holding]) -> None:
        """Make the files what is held now; a disk that takes no more is told of once, and then memory has to do."""
        try:
            for path, holding in holdings.items():
                self._write(path, holding)
        except OSError as error:
            if not self._failed:
                log.error("bursts.not_kept", error=str(error), hint="Held bursts are lost when the gateway ends.")
            self._failed = True
            return
        if self._failed:
            log.info("bursts.kept_again")
        self._failed = False

    def _write(self, path: str, holding: Holding) -> None:
        if self._last.get(path) == holding:
            return
        place, there = self._place(path), self._there.setdefault(path, set())
        place.mkdir(parents=True, exist_ok=True)
        rows = {int(row.times[0]): row for row in holding.rows}
        for time in rows.keys() - there:
            self._put(place / f"{time}{_FRAME}", encode_samples(0, 0, path, rows[time], None))
            there.add(time)
        for time in there - rows.keys():
            (place / f"{time}{_FRAME}").unlink(missing_ok=True)
            there.discard(time)
        state: dict[str, Any] = {"path": path, "seen": holding.seen, "owed": holding.owed, "sent_rms": holding.sent_rms}
        if holding.known is not None:
            state["diagnosis"] = asdict(holding.known)
        self._put(place / _STATE, json.dumps(state).encode())
        self._last[path] = holding

    def _put(self, file: Path, data: bytes) -> None:
        new = file.with_name(file.name + ".new")
        new.write_bytes(data)
        os.replace(new, file)
        self._unsynced.add(file)

    def sync(self) -> None:
        """Make durable what was written; blocks. Raises OSError."""
        files, self._unsynced = self._unsynced, set()
        for file in files:
            try:
                handle = os.open(file, os.O_RDWR)
            except FileNotFoundError:
                continue
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        for folder in {file.parent for file in files if file.parent.is_dir()}:
            sync_folder(folder)

    def _place(self, path: str) -> Path:
        return self._folder / hashlib.sha256(path.encode()).hexdigest()[:16]


def _known(told: Any) -> Known | None:
    """What a diagnosis knew, out of its file. Raises ValueError, KeyError, TypeError or AttributeError for another."""
    if told is None:
        return None
    faults = {
        kind: FaultKnown(*(int(one[key]) for key in ("seen", "missed", "told", "since")))
        for kind, one in told["faults"].items()
        if kind in get_args(FaultKind)
    }
    return Known(int(told["next_at"]), str(told["refused"]), faults)
