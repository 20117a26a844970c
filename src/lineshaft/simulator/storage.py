"""The factory on disk: its state, and the history that waits to be imported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from lineshaft.errors import DataError
from lineshaft.simulator.history import EVENTS, ORDERS, WAVES

STATE_FILE = "simulator-state.json"
IMPORT_FOLDER = "import"
COMPLETE_FILE = "complete"
_ROWS_PER_FILE = 400_000
_ASIDE: Final = {WAVES: "waveforms", EVENTS: "events", ORDERS: "0-orders"}
"""Kinds of rows that have files of their own; files are taken in by their names, so orders come before rows."""


def prepare(data_dir: Path) -> None:
    """Make the folders."""
    (data_dir / IMPORT_FOLDER).mkdir(parents=True, exist_ok=True)


def _replace(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def save_state(data_dir: Path, state: dict[str, Any], *, clean: bool) -> None:
    """Keep the factory's state. clean: it stops here, nothing was served after it."""
    _replace(data_dir / STATE_FILE, json.dumps({"clean": clean, "factory": state}))


def load_state(data_dir: Path) -> tuple[dict[str, Any], bool] | None:
    """The kept state and whether it was a clean end; None when there is none. Raises DataError when it is damaged."""
    path = data_dir / STATE_FILE
    if not path.exists():
        return None
    try:
        saved = json.loads(path.read_text())
        return saved["factory"], bool(saved["clean"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the state of the simulated factory in {path} is damaged") from error


def is_complete(data_dir: Path) -> bool:
    """True when the first start's history was written to its end."""
    return (data_dir / IMPORT_FOLDER / COMPLETE_FILE).exists()


def mark_complete(data_dir: Path, rows: int) -> None:
    """Say that the first start's history is there as a whole."""
    _replace(data_dir / IMPORT_FOLDER / COMPLETE_FILE, json.dumps({"rows": rows}))


def forget_partial(data_dir: Path) -> None:
    """Remove what an interrupted first start left, so that it begins again."""
    for path in (data_dir / IMPORT_FOLDER).glob("*.arrow*"):
        path.unlink()


def write_batches(data_dir: Path, name: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Write batches to import/<name>-0001.arrow ..., each renamed to its name when it is whole."""
    folder = data_dir / IMPORT_FOLDER
    number = aside = 0
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.schema in _ASIDE:
            aside += 1
            _write_file(folder / f"{name}-{_ASIDE[batch.schema]}-{aside:04d}.arrow", [batch])
            continue
        pending.append(batch)
        if sum(part.num_rows for part in pending) >= _ROWS_PER_FILE:
            number += 1
            _write_file(folder / f"{name}-{number:04d}.arrow", pending)
            pending = []
    if any(batch.num_rows for batch in pending):
        _write_file(folder / f"{name}-{number + 1:04d}.arrow", pending)


def _write_file(path: Path, batches: list[pa.RecordBatch]) -> None:
    part = path.with_name(f"{path.name}.part")
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    part.replace(path)
