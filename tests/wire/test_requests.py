"""Requests of the hub and answers of the gateway, as bytes."""

from __future__ import annotations

import random

import pytest

from lineshaft.errors import DataError, Problem
from lineshaft.wire.requests import (
    MAX_JSON,
    PART,
    Answer,
    Assembler,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)

ID = "0123456789abcdef" * 2


def noise(length: int) -> str:
    """Text that does not get smaller."""
    return random.Random(7).randbytes(length // 2).hex()  # noqa: S311


def test_a_request_comes_back_as_it_was() -> None:
    """What the hub packs, the gateway unpacks to the same object."""
    request = Request(ID, "ping", 5_000_000, {"words": "Ölstand", "list": [1, 2.5, None]}, "anna")
    (part,) = encode_request(request)
    data = Assembler().add(part)
    assert data is not None
    assert decode_request(data) == request


def test_a_long_answer_travels_in_parts_in_any_order() -> None:
    """Parts are put together by their numbers; problems stay problems."""
    problem = Problem("devices.yaml", 4, "devices[0].driver", "modbs", "unknown driver", "modbus-tcp, opcua")
    answer = Answer(ID, "refused", {"text": noise(900_000)}, "wrong", "mend it", (problem,))
    parts = list(encode_answer(answer))
    assert len(parts) > 3
    assert max(map(len, parts)) <= PART + 64
    random.Random(1).shuffle(parts)  # noqa: S311
    assembler = Assembler()
    given = [assembler.add(part) for part in parts]
    assert given[:-1] == [None] * (len(parts) - 1)
    assert given[-1] is not None
    assert decode_answer(given[-1]) == answer


def test_parts_of_two_senders_are_not_mixed() -> None:
    """The same id from another gateway is another message."""
    parts = encode_answer(Answer(ID, "done", {"text": noise(300_000)}))
    assembler = Assembler()
    assert assembler.add(parts[0], "north/a") is None
    assert all(assembler.add(part, "north/b") is None for part in parts[1:])


def test_damage_and_bombs_are_refused() -> None:
    """A flipped byte, a cut part and a message that unpacks to too much are typed errors."""
    (part,) = encode_request(Request(ID, "ping", 1))
    with pytest.raises(DataError, match="damaged"):
        Assembler().add(part[:-1] + bytes([part[-1] ^ 1]))
    with pytest.raises(DataError, match="too short"):
        Assembler().add(part[:20])
    with pytest.raises(DataError, match="malformed"):
        Assembler().add(b"\x09" + part[1:])
    with pytest.raises(DataError, match="too many"):
        encode_request(Request(ID, "ping", 1, {"zeros": "0" * MAX_JSON}))


@pytest.mark.parametrize("text", [b"", b"3", b"{}", b'{"id": "x", "kind": "ping", "deadline": "soon"}'])
def test_what_is_no_request_is_a_data_error(text: bytes) -> None:
    """JSON of another form is refused with a typed error."""
    with pytest.raises(DataError):
        decode_request(text)
    with pytest.raises(DataError):
        decode_answer(text)
