"""The address shorthand."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.model.equipment import Datatype


@pytest.mark.parametrize(
    ("text", "size", "datatype"),
    [
        ("holding:100", 1, Datatype.UINT16),
        ("holding:100:float32", 2, Datatype.FLOAT),
        ("input:52:uint16", 1, Datatype.UINT16),
        ("coil:3", 1, Datatype.BOOLEAN),
        ("discrete:7", 1, Datatype.BOOLEAN),
        ("holding:10.4", 1, Datatype.BOOLEAN),
        ("holding:10.4-7", 1, Datatype.UINT16),
        ("holding:20:string16", 16, Datatype.STRING),
        ("5@holding:100:int64:cdab", 4, Datatype.INT64),
        ("holding:1:mod10k4", 4, Datatype.UINT64),
    ],
)
def test_shorthand(text: str, size: int, datatype: Datatype) -> None:
    """Each allowed form gives the number of registers and the datatype that one expects."""
    address = ModbusAddress.model_validate(text)
    assert (address.size, address.datatype) == (size, datatype)


def test_shorthand_and_keys_are_the_same() -> None:
    """The text form is the mapping form written shorter."""
    keys = {"table": "holding", "register": 100, "type": "float32", "order": "CDAB", "unit": 5}
    assert ModbusAddress.model_validate("5@holding:100:float32:CDAB") == ModbusAddress.model_validate(keys)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("40001", "allowed forms"),
        ("holding", "allowed forms"),
        ("holdin:3", "'holding', 'input', 'coil' or 'discrete'"),
        ("holding:3:float31", "allowed: int16"),
        ("holding:3:float32:ABDC", "'ABCD', 'CDAB', 'BADC' or 'DCBA'"),
        ("coil:3:int16", "a coil is one bit"),
        ("holding:3:bit", "holding:10.4"),
        ("holding:3.4:int32", "holding:10.4"),
        ("holding:3.7-4", "lower to the higher"),
        ("holding:3.16", "less than or equal to 15"),
        ("holding:3:string200", "at most 125"),
        ("holding:3:mod10k9", "mod10k2, mod10k3, mod10k4"),
        ({"table": "holding", "register": 3, "type": "bcd16", "nan": "sunspec"}, "raw contents"),
        ({"table": "holding", "register": 3, "type": "string3", "nan": 0}, "1, 2 or 4 registers"),
        ({"table": "holding", "regster": 3}, "register"),
        (17, "valid dictionary"),
    ],
)
def test_mistakes_are_explained(wrong: Any, words: str) -> None:
    """A wrong address is refused with the allowed forms."""
    with pytest.raises(ValidationError, match=words):
        ModbusAddress.model_validate(wrong)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("input:52:float32", "input 52 float32"),
        ("input:20:float32:CDAB", "input 20 float32 CDAB"),
        ("holding:0.0-1", "holding 0 bit 0-1"),
        ("coil:3", "coil 3"),
        ({"table": "holding", "register": 7, "unit": 2}, "holding 7 unit 2"),
    ],
)
def test_an_address_says_where_it_is_in_few_words(given: Any, words: str) -> None:
    """What people read of an address is short."""
    assert str(ModbusAddress.model_validate(given)) == words
