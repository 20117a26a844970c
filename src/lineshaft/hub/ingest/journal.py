"""The journal: blocks are written here before the historian gets them, so that a kill loses and repeats nothing.

`journal.log` holds blocks and done marks since the last snapshot; `committed.json` is the snapshot: which frames were
committed before. A block is in the journal for good when `append` returns. Only the last block can be unfinished,
because blocks are committed one after the other.
"""

from __future__ import annotations

import json
import os
import struct
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from lineshaft.errors import DataError, StoreUnavailable
from lineshaft.hub.ingest.blocks import Block
from lineshaft.hub.ingest.frames import FrameLog

ROTATE_BYTES: Final = 64_000_000
_HEAD: Final = struct.Struct("<4sIQII")  # magic, kind, block, length of the body, CRC-32 of kind, block and body
_MAGIC: Final = b"LSJ1"
_BLOCK, _DONE = 1, 2
_log = structlog.get_logger(__name__)


class Journal:
    """Used by one thread. `open` before anything else."""

    def __init__(self, folder: Path, frames: FrameLog, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._rotate_bytes = rotate_bytes
        self._log_path = folder / "journal.log"
        self._snapshot_path = folder / "committed.json"
        self._folder = folder
        self._frames = frames
        self._file: BinaryIO | None = None
        self._name = ""
        self._next = 1
        self._good_size = 0

    def open(self) -> list[tuple[int, Block]]:
        """Read what is there into the frame log; gives the unfinished blocks. Raises StoreUnavailable."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._read_snapshot()
            unfinished: dict[int, Block] = {}
            for number, block in self._records():
                self._next = max(self._next, number + 1)
                if block is None:
                    unfinished.pop(number, None)
                else:
                    unfinished[number] = block
                    for ref in block.frames:
                        self._frames.commit(ref.node, ref.epoch, ref.frames)
            self._file = self._log_path.open("r+b")
            self._file.truncate(self._good_size)
            self._file.seek(self._good_size)
            return list(unfinished.items())
        except OSError as error:
            raise StoreUnavailable(f"ingest journal in {self._folder}: {error}") from error

    def token(self, number: int) -> str:
        """The historian's token of a block; differs between data folders."""
        return f"{self._name}-{number}"

    def append(self, block: Block) -> int:
        """Write a block so that it survives; gives its number. Raises StoreUnavailable, and may be called again."""
        number = self._next
        self._write(_BLOCK, number, block.encode(), sync=True)
        self._next += 1
        return number

    def done(self, number: int, block: Block) -> None:
        """The historian has the block. The mark need not survive: a block twice with one token is stored once.

        Raises StoreUnavailable when a due snapshot cannot be written.
        """
        self._write(_DONE, number, b"", sync=False)
        for ref in block.frames:
            self._frames.commit(ref.node, ref.epoch, ref.frames)
        if self._good_size >= self._rotate_bytes:
            self._rotate()

    def close(self) -> None:
        """Close the file; what is unfinished stays for the next start."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_snapshot(self) -> None:
        if self._snapshot_path.exists():
            try:
                snapshot = json.loads(self._snapshot_path.read_text("utf-8"))
                self._name, self._next = str(snapshot["name"]), int(snapshot["next"])
                self._frames.load(snapshot["frames"])
            except (ValueError, KeyError, TypeError, DataError) as error:
                raise StoreUnavailable(
                    f"{self._snapshot_path} is damaged: {error!r}",
                    hint="restore it from a backup; without it, frames that are sent again may be stored twice",
                ) from error
        else:
            self._name = uuid.uuid4().hex
            self._write_snapshot()
        self._log_path.touch()

    def _write_snapshot(self) -> None:
        text = json.dumps({"name": self._name, "next": self._next, "frames": self._frames.to_json()})
        _replace(self._snapshot_path, text.encode())

    def _records(self) -> Iterator[tuple[int, Block | None]]:
        """Blocks, and None for a done mark, up to the first record that was not written to its end."""
        data = self._log_path.read_bytes()
        at = 0
        while at < len(data):
            found = _record(data, at)
            if found is None:
                _log.warning("ingest: journal ends in a torn record", bytes=len(data) - at)
                break
            kind, number, body = found
            at += _HEAD.size + len(body)
            self._good_size = at
            yield number, Block.decode(body) if kind == _BLOCK else None

    def _write(self, kind: int, number: int, body: bytes, *, sync: bool) -> None:
        if self._file is None:
            raise StoreUnavailable("ingest journal is closed")
        head = _HEAD.pack(_MAGIC, kind, number, len(body), _checksum(kind, number, body))
        try:
            self._file.seek(self._good_size)  # over what a failed write may have left
            self._file.write(head)
            self._file.write(body)
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreUnavailable(f"ingest journal in {self._folder}: {error}") from error
        self._good_size += len(head) + len(body)

    def _rotate(self) -> None:
        """All blocks are done: put what is committed into the snapshot and begin an empty log."""
        try:
            self._write_snapshot()
            if self._file is not None:
                self._file.truncate(0)
                os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreUnavailable(f"ingest journal in {self._folder}: {error}") from error
        self._good_size = 0


def _record(data: bytes, at: int) -> tuple[int, int, bytes] | None:
    if at + _HEAD.size > len(data):
        return None
    magic, kind, number, length, checksum = _HEAD.unpack_from(data, at)
    body = data[at + _HEAD.size : at + _HEAD.size + length]
    if magic != _MAGIC or len(body) != length or _checksum(kind, number, body) != checksum:
        return None
    return kind, number, body


def _checksum(kind: int, number: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<IQ", kind, number)))


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step that survives a power cut."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
