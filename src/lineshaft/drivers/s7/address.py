"""Where a value is in a Siemens controller, how it is coded there, and the text shorthand for both."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import model_validator

from lineshaft.config.models import Section, key
from lineshaft.model.equipment import Datatype

Area = Literal["DB", "M", "I", "Q"]

TYPES: Final[dict[str, tuple[int, Datatype]]] = {
    "bool": (1, Datatype.BOOLEAN),
    "byte": (1, Datatype.UINT8),
    "usint": (1, Datatype.UINT8),
    "sint": (1, Datatype.INT8),
    "char": (1, Datatype.STRING),
    "word": (2, Datatype.UINT16),
    "uint": (2, Datatype.UINT16),
    "int": (2, Datatype.INT16),
    "dword": (4, Datatype.UINT32),
    "udint": (4, Datatype.UINT32),
    "dint": (4, Datatype.INT32),
    "time": (4, Datatype.INT32),
    "real": (4, Datatype.FLOAT),
    "lword": (8, Datatype.UINT64),
    "ulint": (8, Datatype.UINT64),
    "lint": (8, Datatype.INT64),
    "lreal": (8, Datatype.DOUBLE),
    "date_and_time": (8, Datatype.DATETIME),
    "dtl": (12, Datatype.DATETIME),
}
"""Type -> bytes, announced datatype; string<n>, wstring<n> and chars<n> carry their characters in the name."""

FORMS: Final = (
    "DB10.DBD4:real, DB10.DBX0.3 (bit 3), DB10.DBW2:int, DB1.DBB10:string20, DB1.DBB40:dtl, DB1.DBB60:lreal, MW20, "
    "M10.3, MD24:dint, IW64, I0.1, QB3"
)
_DEFAULTS: Final = {"X": "bool", "B": "byte", "W": "word", "D": "dword"}
_WIDTHS: Final = {"X": 1, "W": 2, "D": 4}
_DATA = re.compile(
    r"DB(?P<db>\d+)\.DB(?P<width>[XBWD])(?P<byte>\d+)(?:\.(?P<bit>\d))?(?::(?P<type>\w+))?", re.IGNORECASE
)
_OTHER = re.compile(
    r"(?P<area>[MIEQA])(?P<width>[XBWD]?)(?P<byte>\d+)(?:\.(?P<bit>\d))?(?::(?P<type>\w+))?", re.IGNORECASE
)
_GERMAN: Final = {"E": "I", "A": "Q"}
_SIZED = re.compile(r"(string|wstring|chars)([1-9]\d*)")
_LONGEST: Final = {"string": 254, "wstring": 16382, "chars": 65535}


class S7Address(Section):
    """One value: `DB10.DBD4:real`, `DB10.DBX0.3`, `MW20` or the like as text, or these keys.

    Types: bool byte usint sint char word uint int dword udint dint time real lword ulint lint lreal, date_and_time,
    dtl, string<n> and wstring<n> (with their length in front, as declared), chars<n> (an array of char).
    """

    area: Area = key(..., "DB data block, M memory, I inputs, Q outputs.")
    db: int = key(0, "Number of the data block.", ge=0, le=65535)
    byte: int = key(..., "First byte.", ge=0, le=2**21 - 1)
    bit: int | None = key(None, "Bit of the byte, 0 is the lowest.", ge=0, le=7)
    type: str = key("byte", "How the value is coded.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _DATA.fullmatch(value.strip()) or _OTHER.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"'{value}' is not an S7 address; allowed forms: {FORMS}")
        parts = {name: text for name, text in match.groupdict().items() if text}
        letter = parts.get("area", "DB").upper()
        width = parts.pop("width", "X" if "bit" in parts else "").upper()
        if not width:
            raise ValueError(f"'{value}' says no width: M10.3, MB10, MW10 or MD10")
        if (width == "X") != ("bit" in parts):
            raise ValueError(f"'{value}': a bit is written like DB10.DBX0.3 or M10.3")
        coding = parts.get("type", _DEFAULTS[width]).lower()
        if width in _WIDTHS and (coding == "bool") == (width == "X") and (known := TYPES.get(coding)):
            if known[0] != _WIDTHS[width]:
                raise ValueError(
                    f"'{value}': {coding} has {known[0]} bytes; write DB..B in front of types of any length"
                )
        elif width != "B":
            raise ValueError(f"'{value}': {coding} cannot be read as {width}; allowed forms: {FORMS}")
        return {**parts, "area": _GERMAN.get(letter, letter), "type": coding}

    @model_validator(mode="after")
    def _fits(self) -> S7Address:
        sized = _SIZED.fullmatch(self.type)
        if self.type not in TYPES and not sized:
            raise ValueError(
                f"unknown type '{self.type}'; allowed: {', '.join(TYPES)}, string<n>, wstring<n>, chars<n>"
            )
        if sized and int(sized[2]) > _LONGEST[sized[1]]:
            raise ValueError(f"a {sized[1]} has at most {_LONGEST[sized[1]]} characters")
        if (self.type == "bool") != (self.bit is not None):
            raise ValueError("a bool has a bit, like DB10.DBX0.3, and nothing else has one")
        if (self.area == "DB") != (self.db > 0):
            raise ValueError("a data block has a number from 1 on, and no other area has one")
        return self

    @property
    def coding(self) -> str:
        """The type without its number of characters."""
        sized = _SIZED.fullmatch(self.type)
        return sized[1] if sized else self.type

    @property
    def size(self) -> int:
        """How many bytes the value takes."""
        sized = _SIZED.fullmatch(self.type)
        if not sized:
            return TYPES[self.type][0]
        return {"string": 2, "wstring": 4, "chars": 0}[sized[1]] + int(sized[2]) * (2 if sized[1] == "wstring" else 1)

    @property
    def is_text(self) -> bool:
        """True when the value is text."""
        return self.datatype is Datatype.STRING

    @property
    def read_only(self) -> str:
        """Why nothing can be written here, '' when something can."""
        if self.area == "I":
            return "inputs can only be read; write to a data block, memory or outputs"
        return f"{self.type} cannot be written" if self.type in ("date_and_time", "dtl") else ""

    @property
    def datatype(self) -> Datatype:
        """What the type is announced as when the plant file names no datatype."""
        return TYPES[self.type][1] if self.type in TYPES else Datatype.STRING
