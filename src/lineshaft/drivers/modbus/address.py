"""Where a value is on a Modbus device, how it is coded there, and the text shorthand for both."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.model.equipment import Datatype

Table = Literal["holding", "input", "coil", "discrete"]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]

BIT_TABLES: Final = ("coil", "discrete")
FIXED_TYPES: Final[dict[str, tuple[int, Datatype]]] = {
    "int16": (1, Datatype.INT16),
    "uint16": (1, Datatype.UINT16),
    "int32": (2, Datatype.INT32),
    "uint32": (2, Datatype.UINT32),
    "int64": (4, Datatype.INT64),
    "uint64": (4, Datatype.UINT64),
    "float32": (2, Datatype.FLOAT),
    "float64": (4, Datatype.DOUBLE),
    "bool": (1, Datatype.BOOLEAN),
    "bit": (1, Datatype.BOOLEAN),
    "bcd16": (1, Datatype.UINT16),
    "bcd32": (2, Datatype.UINT32),
    "acc32": (2, Datatype.UINT32),
    "enum": (1, Datatype.UINT16),
}
"""Type -> registers, announced datatype; string<n> and mod10k<n> carry their number of registers in the name."""

BURST_TYPES: Final = ("int16", "uint16", "int32", "uint32", "float32", "float64")
"""What the samples of a waveform may be."""

NOT_IMPLEMENTED: Final[dict[str, int]] = {
    "int16": 0x8000,
    "uint16": 0xFFFF,
    "enum": 0xFFFF,
    "int32": 0x8000_0000,
    "uint32": 0xFFFF_FFFF,
    "acc32": 0,
    "int64": 0x8000_0000_0000_0000,
    "uint64": 0xFFFF_FFFF_FFFF_FFFF,
}
"""What SunSpec devices send for a value that they do not have; a float's NaN never needs saying."""

FORMS: Final = (
    "holding:100, holding:100:float32, holding:100:float32:CDAB, input:52:uint16, coil:3, discrete:7, "
    "holding:10.4 (bit 4), holding:10.4-7 (bits 4 to 7), holding:20:string8 (8 registers), 5@holding:100:int32 (unit 5)"
)
_SHORTHAND = re.compile(
    r"""(?:(?P<unit>\d+)@)? (?P<table>[a-z]+) : (?P<register>\d+) (?:\.(?P<bit>\d+)(?:-(?P<last_bit>\d+))?)?
    (?: : (?P<type>[a-z][a-z0-9]*) (?: : (?P<order>[A-Za-z]+))? )?""",
    re.VERBOSE,
)
_SIZED = re.compile(r"(string|mod10k)([1-9]\d*)")


class ModbusAddress(Section):
    """One value: `table:register[.bit[-bit]][:type[:order]]` as text, or these keys.

    Types: int16 uint16 int32 uint32 int64 uint64 float32 float64, bool (a register that is not 0), bit, bcd16, bcd32,
    mod10k2..4 (base-10000 digits), acc32 (wrapping counter), enum (uint16 for kind state), string<number of registers>.
    """

    table: Table = key(..., "holding (function 3), input (4), coil (1) or discrete (2).")
    register_: int = key(..., "Number as the device's manual counts it; see connection.base.", alias="register", ge=0)
    type: str = key("", "How the value is coded; empty: uint16, or a bit in coil and discrete.")
    bit: int | None = key(None, "Bit of the register, 0 is the lowest.", ge=0, le=15)
    last_bit: int | None = key(None, "Last bit of a field of several bits.", ge=0, le=15)
    order: Order | None = key(None, "Byte order; the connection's when empty. 64-bit values follow the same rule.")
    unit: int | None = key(None, "Unit (slave) id; the connection's when empty.", ge=0, le=255)
    scale_from: int | None = key(None, "Register (same table) with a power of ten to multiply by (sunssf).", ge=0)
    sequence: int | None = key(
        None,
        "Kind waveform: register (same table) that counts bursts; it is read before and after, so that no burst is "
        "torn and none is read twice.",
        ge=0,
    )
    nan: tuple[int, ...] | Literal["sunspec"] = key(
        (), "Raw contents that mean 'no value', like 0x8000; sunspec: the type's own of the SunSpec standard."
    )

    def __str__(self) -> str:
        """For people: `input 52 float32`, with bits, byte order and unit where they are given."""
        bits = "" if self.bit is None else f"bit {self.bit}" + ("" if self.last_bit is None else f"-{self.last_bit}")
        unit = "" if self.unit is None else f"unit {self.unit}"
        type_ = "" if bits and self.type == "bit" else self.type
        return " ".join(word for word in (self.table, str(self.register_), bits, type_, self.order, unit) if word)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _SHORTHAND.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"'{value}' is not a Modbus address; allowed forms: {FORMS}")
        parts = {name: text for name, text in match.groupdict().items() if text is not None}
        if "order" in parts:
            parts["order"] = parts["order"].upper()
        return parts

    @field_validator("nan", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _fits(self) -> ModbusAddress:
        if self.table in BIT_TABLES:
            if (
                self.type not in ("", "bool", "bit")
                or self.bit is not None
                or self.scale_from is not None
                or self.order
            ):
                raise ValueError(f"a {self.table} is one bit: no type, bit, order or scale_from; like {self.table}:3")
            return self
        self._check_type()
        if (self.type == "bit") != (self.bit is not None) and not (self.bit is not None and self.type == ""):
            raise ValueError("a bit is written like holding:10.4, or as type: bit with bit: 4")
        if self.last_bit is not None and (self.bit is None or self.last_bit <= self.bit):
            raise ValueError("a field of bits goes from the lower to the higher bit, like holding:10.4-7")
        if isinstance(self.nan, tuple) and self.nan and self.size not in (1, 2, 4):
            raise ValueError(f"nan needs a value of 1, 2 or 4 registers, {self.type} has {self.size}")
        if self.nan == "sunspec" and self.coding not in (*NOT_IMPLEMENTED, "float32", "float64"):
            raise ValueError(
                f"SunSpec knows no 'not implemented' for {self.coding}; give the raw contents, like 0xFFFF"
            )
        return self

    def _check_type(self) -> None:
        sized = _SIZED.fullmatch(self.type)
        if self.type == "" or self.type in FIXED_TYPES:
            return
        if sized is None:
            raise ValueError(f"unknown type '{self.type}'; allowed: {', '.join(FIXED_TYPES)}, string<n>, mod10k2..4")
        if sized[1] == "string" and int(sized[2]) > 125:
            raise ValueError("a string has at most 125 registers")
        if sized[1] == "mod10k" and not 2 <= int(sized[2]) <= 4:
            raise ValueError("mod10k has 2, 3 or 4 registers: mod10k2, mod10k3, mod10k4")

    @property
    def coding(self) -> str:
        """The type with its default filled in and without the number of registers."""
        if self.table in BIT_TABLES or self.bit is not None:
            return "bit"
        sized = _SIZED.fullmatch(self.type)
        return sized[1] if sized else self.type or "uint16"

    @property
    def size(self) -> int:
        """How many registers (or coils) the value takes."""
        sized = _SIZED.fullmatch(self.type)
        return int(sized[2]) if sized else FIXED_TYPES[self.coding][0]

    @property
    def is_text(self) -> bool:
        """True when the value is text."""
        return self.coding == "string"

    @property
    def read_only(self) -> str:
        """Why nothing can be written here, '' when something can."""
        return "" if self.table in ("coil", "holding") else f"{self.table} can only be read; write to a coil or holding"

    @property
    def no_burst(self) -> str:
        """Why the samples of a burst cannot begin here, '' when they can."""
        if self.coding not in BURST_TYPES:
            return f"samples of a waveform are {', '.join(BURST_TYPES)} in holding or input, not {self.coding}"
        if self.scale_from is not None or self.nan:
            return "a waveform has neither scale_from nor nan; its scale is the signal's"
        return ""

    @property
    def burst_only(self) -> str:
        """Why nothing but a waveform can be here, '' when other kinds can."""
        return "" if self.sequence is None else "sequence is for kind: waveform"

    @property
    def datatype(self) -> Datatype:
        """What to announce when the plant file names no datatype and the value is not scaled."""
        if self.is_text:
            return Datatype.STRING
        if self.scale_from is not None:
            return Datatype.DOUBLE
        if self.last_bit is not None:
            return Datatype.UINT16
        return Datatype.UINT64 if self.coding == "mod10k" else FIXED_TYPES[self.coding][1]
