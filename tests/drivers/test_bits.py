"""Fields of bits in hexadecimal text."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.drivers.base import Point
from lineshaft.drivers.bits import field_of, hex_bytes
from lineshaft.drivers.http.options import HttpAddress
from lineshaft.drivers.mapping import Extractor, JsonForm, Rows
from lineshaft.drivers.mqtt.options import MqttAddress
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_field_is_what_whole_bytes_say(data: bytes, draw: st.DataObject) -> None:
    """Fields that begin and end with bytes are int.from_bytes of these bytes, from the front and from the end."""
    first = draw.draw(st.integers(0, len(data) - 1))
    count = draw.draw(st.integers(1, min(8, len(data) - first)))
    part, after = data[first : first + count], len(data) - first - count
    for coding, signed in (("int", True), ("uint", False)):
        wanted = int.from_bytes(part, "big", signed=signed)
        assert field_of(f"byte{first}:{coding}{8 * count}").read(data) == wanted
        assert field_of(f"bit{8 * after}:{coding}{8 * count}").read(data) == wanted


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_field_of_any_bits_reads_what_was_put_and_leaves_the_rest(data: bytes, draw: st.DataObject) -> None:
    """Of all bits only those of the field change, and it reads back; bits are those of the binary text of the bytes."""
    width = draw.draw(st.integers(1, min(64, 8 * len(data))))
    low = draw.draw(st.integers(0, 8 * len(data) - width))
    number = draw.draw(st.integers(0, 2**width - 1))
    field = field_of(f"bit{low}:uint{width}")
    text = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    end = len(text) - low
    assert field.read(data) == int(text[end - width : end], 2)
    changed = field.put(data, number)
    assert field.read(changed) == number
    assert f"{int.from_bytes(changed, 'big'):0{len(text)}b}" == (f"{text[: end - width]}{number:0{width}b}{text[end:]}")
    if width > 1:
        signed = field_of(f"bit{low}:int{width}").read(changed)
        assert signed == (number - 2**width if number >= 2 ** (width - 1) else number)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("byte0", "byte0:int24"),
        ("byte0:int1", "2 to 64"),
        ("byte0:int65", "2 to 64"),
        ("byte0:uint0", "uint 1 to 64"),
        ("byte0:float16", "float32"),
        ("byte8:bool", "bit0:bool"),
        ("8:int8", "bit<N>"),
    ],
)
def test_a_field_that_is_none_is_refused_with_what_to_write(text: str, words: str) -> None:
    """The message names what stands there and what may."""
    with pytest.raises(ValueError, match=r"is no field|'byte") as caught:
        field_of(text)
    assert text in str(caught.value)
    assert words in str(caught.value)
    with pytest.raises(ValueError, match=text):
        HttpAddress.model_validate(f"a /data #{text}" if text[0] == "b" else {"value": "/data", "bits": text})


@pytest.mark.parametrize("text", ["03C9", "0x03c9", "03 C9", "03-C9", "03:c9"])
def test_hexadecimal_text_as_devices_write_it(text: str) -> None:
    """With or without 0x and separators; half a byte and other letters are refused."""
    assert hex_bytes(text) == b"\x03\xc9"
    for wrong in (text[:-1], text[:-1] + "G"):
        with pytest.raises(DataError, match="hexadecimal"):
            hex_bytes(wrong)


FM100 = "003039" + struct.pack(">f", 1234.5).hex() + "FCC1"
"""Process data by the table of the SITRANS FM100: 12.345 L/min, 1234.5 L, -5.2 degC, and one output on."""


@pytest.mark.parametrize(
    ("address", "value", "quality"),
    [
        ("pdin /data/value #byte0:int24", 12_345, Quality.GOOD),
        ("pdin /data/value #byte3:float32", 1234.5, Quality.GOOD),
        ("pdin /data/value #byte7:int12", -52, Quality.GOOD),
        ("pdin /data/value #bit4:int12", -52, Quality.GOOD),
        ("pdin /data/value #bit0:bool @/t", 1, Quality.GOOD),
        ("pdin /data/value #byte8:uint16", None, Quality.BAD_ADDRESS),
        ("pdin /data/word #byte0:uint8", None, Quality.BAD_DEVICE),
        ("pdin /data/number #byte0:uint8", None, Quality.BAD_DEVICE),
        ("pdin /data/none #byte0:uint8", None, Quality.BAD_NO_VALUE),
        ("pdin /data/empty #byte0:uint8", None, Quality.BAD_NO_VALUE),
    ],
)
def test_process_data_of_a_document(address: str, value: float | None, quality: int) -> None:
    """Fields of the hexadecimal text in a document are numbers; what is none is bad, with the reason as its quality."""
    document = {"t": 7, "data": {"value": FM100, "word": "off", "number": 5, "none": None, "empty": ""}}
    for model in (HttpAddress, MqttAddress):
        rows = Rows()
        Extractor(Point(3, model.model_validate(address), Datatype.DOUBLE, 1.0), JsonForm()).add(rows, document, 9)
        assert rows.qualities == [quality]
        assert rows.values == [value] or value is None
        assert rows.times == [7000 if "@" in address else 9]
