"""Names of tags, replies and contents, also malformed ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.drivers.ethernet_ip.plan import pack
from lineshaft.drivers.ethernet_ip.replies import Answer, answer_in_frame, answer_of, answers_in, value_of
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality


@pytest.mark.parametrize(
    ("text", "whole", "bit"),
    [
        ("Speed", "Speed", None),
        ("Program:Main.Tag[3].Member", "Program:Main.Tag[3].Member", None),
        ("Status.5", "Status", 5),
        ("Matrix[1,2,3]", "Matrix[1,2,3]", None),
        ("Local:1:I.Data.3", "Local:1:I.Data", 3),
        ("Rack:2:O.Data[4].31", "Rack:2:O.Data[4]", 31),
    ],
)
def test_names(text: str, whole: str, bit: int | None) -> None:
    """Programs, members, indexes, modules and bits are understood."""
    address = TagAddress.model_validate(text)
    assert (address.whole, address.bit) == (whole, bit)


@pytest.mark.parametrize(
    "text", ["", "1abc", "A..B", "A[1", "A[]", "A[1,2,3,4]", "A.64", "Program:", "A B", "A[-1]", "A.5.B"]
)
def test_wrong_names_are_refused(text: str) -> None:
    """What cannot be the name of a tag is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        TagAddress.model_validate(text)


def test_routes() -> None:
    """A slot, no slot, and a way through other racks."""
    assert EthernetIpConnection(host="10.0.0.1").path == "10.0.0.1:44818/bp/0"
    assert EthernetIpConnection(host="10.0.0.1", slot=None).path == "10.0.0.1:44818"
    route = "backplane/2/enet/10.1.2.3/backplane/0"
    assert EthernetIpConnection(host="10.0.0.1", route=route).path == f"10.0.0.1:44818/{route}"
    for wrong in ({"route": "backplane"}, {"route": route, "slot": 1}, {"host": "10.0.0.1/0"}):
        with pytest.raises(ValidationError):
            EthernetIpConnection.model_validate({"host": "10.0.0.1", **wrong})


@given(st.binary(max_size=120), st.sampled_from((None, 0, 5, 31, 63)), st.booleans())
def test_any_contents_are_a_value_or_bad(data: bytes, bit: int | None, as_text: bool) -> None:
    """Every contents gives a finite number or a text, or a bad quality, and nothing else."""
    for content in (data, b"\xca\x00" + data, b"\xa0\x02\xce\x0f" + data, b"\xd0\x00" + data):
        value = value_of(content, bit, as_text=as_text)
        if value.quality == Quality.GOOD:
            assert math.isfinite(value.number) or value.text is not None


@given(st.binary(max_size=200), st.integers(0, 5))
def test_any_reply_is_answers_or_an_error(data: bytes, count: int) -> None:
    """A malformed reply raises DataError, and nothing else."""
    for parse in (
        lambda: answer_of(data, 0x4C),
        lambda: answer_in_frame(data, 0x4C, 1),
        lambda: answers_in(data, [0x4C] * count),
        lambda: answers_in(bytes([count, 0]) + data, [0x4C] * count),
    ):
        try:
            found = parse()
        except DataError:
            continue
        assert isinstance(found, Answer) or len(found) == count


@given(st.lists(st.integers(0, 600), max_size=60), st.sampled_from((500, 4000)))
def test_messages_and_replies_fit(sizes: list[int], size: int) -> None:
    """No message of several tags, and no reply to one, is longer than the connection allows; no tag is lost."""
    tags = [f"Program:Main.Tag_{n}" for n in range(len(sizes))]
    known = dict(zip(tags, sizes, strict=True))
    messages = pack(tags, known, size)
    assert [tag for _, group in messages for tag in group] == tags
    for message, group in messages:
        assert len(message) + 2 <= size
        assert len(group) == 1 or 8 + sum(6 + known[tag] for tag in group) <= size
