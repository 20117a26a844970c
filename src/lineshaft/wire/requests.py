"""Requests: what the hub asks of one gateway, and the answer; both travel as compressed JSON, in parts where long.

A request is the Bytes metric `Node Control/Lineshaft Request` of an NCMD, one message a part. An answer is a note of
type `answer` (wire/notes.py), one note a part; it goes out at once, beside the disk buffer, and is never repeated.
Neither is sent twice: what the network loses is told to the asker as a time-out, so that nothing is done twice.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from lineshaft.errors import DataError, Problem

PART: Final = 96_000
"""Bytes of a message that one part carries."""
MAX_PARTS: Final = 64
MAX_JSON: Final = 32 << 20
"""Bytes of JSON that a request or an answer may have when it is unpacked."""
_UNFINISHED: Final = 8  # messages of which parts may be missing; the oldest is forgotten
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<B16sHH32s")  # version, id, part, parts, SHA-256 of what all parts carry

Outcome: TypeAlias = Literal["done", "refused", "failed"]
"""refused: wrong, or not allowed, and nothing was changed; failed: tried, and it went wrong."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that the hub wants of a gateway. `kind` names the handler, such as 'ping'."""

    id: str  # 32 hex digits
    kind: str
    deadline: int  # UTC microseconds after which nothing may be begun
    body: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""  # the person, for the records


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. `error` and `mend` are words; `problems` are those of a refused configuration."""

    id: str
    outcome: Outcome
    body: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    mend: str = ""
    problems: tuple[Problem, ...] = ()


def encode_request(request: Request) -> tuple[bytes, ...]:
    """Values of the metric, one for each message. Raises DataError when it is too large."""
    return _pack(request.id, asdict(request))


def encode_answer(answer: Answer) -> tuple[bytes, ...]:
    """Bytes of each note. Raises DataError when it is too large."""
    return _pack(answer.id, asdict(answer))


def decode_request(data: bytes) -> Request:
    """From what `Assembler.add` gave. Raises DataError."""
    item = _object(data)
    try:
        return Request(str(item["id"]), str(item["kind"]), int(item["deadline"]), dict(item["body"]), str(item["by"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"malformed request: {error!r}") from error


def decode_answer(data: bytes) -> Answer:
    """From what `Assembler.add` gave. Raises DataError."""
    item = _object(data)
    try:
        if item["outcome"] not in ("done", "refused", "failed"):
            raise DataError(f"unknown outcome {item['outcome']!r}")
        problems = tuple(Problem(**problem) for problem in item["problems"])
        return Answer(
            str(item["id"]), item["outcome"], dict(item["body"]), str(item["error"]), str(item["mend"]), problems
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"malformed answer: {error!r}") from error


class Assembler:
    """Puts the parts of messages together; used by one thread."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[str, bytes, bytes], dict[int, bytes]] = OrderedDict()

    def add(self, part: bytes, sender: str = "") -> bytes | None:
        """Take one part; the JSON of the message when it was the last one that was missing.

        Raises DataError for what is no part, and for a message that is damaged or too large.
        """
        if len(part) < _HEAD.size:
            raise DataError("a part of a request is too short")
        version, number, index, count, digest = _HEAD.unpack_from(part)
        if version != _VERSION or not index < count <= MAX_PARTS or len(part) > _HEAD.size + PART:
            raise DataError(f"a part of a request is malformed: version {version}, part {index} of {count}")
        key = (sender, number, digest)
        parts = self._begun.setdefault(key, {})
        parts[index] = part[_HEAD.size :]
        if len(parts) < count:
            while len(self._begun) > _UNFINISHED:
                self._begun.popitem(last=False)
            return None
        del self._begun[key]
        packed = b"".join(parts[at] for at in sorted(parts))
        if hashlib.sha256(packed).digest() != digest:
            raise DataError("a request or an answer was damaged on its way")
        return _inflate(packed)


def _pack(identity: str, item: Mapping[str, Any]) -> tuple[bytes, ...]:
    text = json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()
    packed = zlib.compress(text, 6)
    cuts: Sequence[int] = range(0, max(1, len(packed)), PART)
    if len(cuts) > MAX_PARTS or len(text) > MAX_JSON:
        raise DataError(f"{len(text):,} bytes are too many for one request or answer")
    number, digest = bytes.fromhex(identity), hashlib.sha256(packed).digest()
    return tuple(
        _HEAD.pack(_VERSION, number, index, len(cuts), digest) + packed[at : at + PART] for index, at in enumerate(cuts)
    )


def _inflate(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, MAX_JSON)
    except zlib.error as error:
        raise DataError(f"a request or an answer cannot be unpacked: {error}") from error
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise DataError("a request or an answer is too large or cut off")
    return data


def _object(data: bytes) -> dict[str, Any]:
    try:
        item = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}") from error
    if not isinstance(item, dict):
        raise DataError("not a JSON object")
    return item
