"""One set of registers with every coding, and what it has to read as."""

from __future__ import annotations

from lineshaft.testing import WritingSetup

from .device import registers

HOLDING: dict[int, list[int]] = {
    0: [0x8001],
    1: [0xFFFE],
    2: registers(">i", -123456),
    4: registers(">I", 4_000_000_000),
    6: registers(">q", -9_007_199_254_740_993),
    10: registers(">Q", 18_446_744_073_709_551_615),
    14: registers(">f", 123.456),
    16: registers(">d", -2.5e-300),
    20: [0x1234],
    21: [0x0123, 0x4567],
    23: [12, 3456, 7890],
    30: registers(">8s", b"Pump-7\0\0"),
    40: [0xE979, 0x42F6],  # 123.456 with its words swapped
    42: [0xF642, 0x79E9],  # bytes swapped
    44: [0x79E9, 0xF642],  # both
    46: list(reversed(registers(">d", 6.25))),
    50: [2305, 0xFFFF],  # 230.5 as 2305 and a scale factor of -1
    52: [0, 0b1011_0000],
    60: registers(">I", 4_294_967_295),
    62: [3],
}
INPUT: dict[int, list[int]] = {100: registers(">f", -0.5), 102: [65535]}
COILS = {3: 1, 4: 0, 17: 1}
DISCRETE = {7: 1, 8: 0}

EXPECTED: tuple[tuple[object, float | str], ...] = (
    ("holding:0:int16", -32767),
    ("holding:0:uint16", 32769),
    ("holding:0", 32769),
    ("holding:1:int16", -2),
    ("holding:2:int32", -123456),
    ("holding:4:uint32", 4_000_000_000),
    ("holding:6:int64", "-9007199254740993"),
    ("holding:10:uint64", "18446744073709551615"),
    ("holding:14:float32", 123.456),
    ("holding:16:float64", -2.5e-300),
    ("holding:20:bcd16", 1234),
    ("holding:21:bcd32", 1234567),
    ("holding:23:mod10k3", 12_3456_7890),
    ("holding:30:string4", "Pump-7"),
    ("holding:40:float32:CDAB", 123.456),
    ("holding:42:float32:BADC", 123.456),
    ("holding:44:float32:DCBA", 123.456),
    ("holding:46:float64:CDAB", 6.25),
    ({"table": "holding", "register": 50, "type": "int16", "scale_from": 51, "nan": "sunspec"}, 230.5),
    ("holding:53.4", 1),
    ("holding:53.6", 0),
    ("holding:53.4-7", 0b1011),
    ("holding:52:bool", 0),
    ("holding:53:bool", 1),
    ("holding:60:acc32", 4_294_967_295),
    ("holding:62:enum", 3),
    ("input:100:float32", -0.5),
    ("input:102:uint16", 65535),
    ("coil:3", 1),
    ("coil:4", 0),
    ("coil:17", 1),
    ("discrete:7", 1),
    ("discrete:8", 0),
)


def tables() -> dict[str, dict[int, int]]:
    """All four tables, filled with zeros between the values."""
    full: dict[str, dict[int, int]] = {
        "holding": dict.fromkeys(range(80), 0),
        "input": dict.fromkeys(range(100, 110), 0),
        "coil": dict.fromkeys(range(32), 0) | COILS,
        "discrete": dict.fromkeys(range(32), 0) | DISCRETE,
    }
    for table, bank in (("holding", HOLDING), ("input", INPUT)):
        for first, values in bank.items():
            full[table].update(enumerate(values, first))
    return full


SCALED = {"table": "holding", "register": 50, "type": "int16", "scale_from": 51, "nan": "sunspec"}
REGISTER_0 = ("holding:0:int16", "holding:0:uint16", "holding:0")
REGISTER_53 = ("holding:53.4", "holding:53.6", "holding:53.4-7", "holding:53:bool")
WRITING = WritingSetup(
    values=(
        ("holding:0:int16", -32768),
        ("holding:0:uint16", 65535),
        ("holding:2:int32", 2**31 - 1),
        ("holding:4:uint32", 1),
        ("holding:6:int64", "-9007199254740995"),
        ("holding:10:uint64", "18446744073709551614"),
        ("holding:14:float32", -0.5),
        ("holding:16:float64", 1e200),
        ("holding:20:bcd16", 9999),
        ("holding:21:bcd32", 10203),
        ("holding:23:mod10k3", 1_0002_0003),
        ("holding:30:string4", "P8 \u00f8"),
        ("holding:40:float32:CDAB", 1.5),
        ("holding:42:float32:BADC", 1.5),
        ("holding:44:float32:DCBA", 1.5),
        ("holding:46:float64:CDAB", -6.25),
        ("holding:53.4", 0),
        ("holding:53.6", 1),
        ("holding:53.4-7", 0b0110),
        ("holding:52:bool", 1),
        ("holding:62:enum", 4),
        ("coil:3", 0),
        ("coil:4", 1),
    ),
    unfit=(
        ("holding:0:int16", 32768),
        ("holding:0:uint16", -1),
        ("holding:0:uint16", 1.5),
        ("holding:0:uint16", float("nan")),
        ("holding:10:uint64", "18446744073709551616"),
        ("holding:14:float32", 1e39),
        ("holding:14:float32", float("inf")),
        ("holding:20:bcd16", 10000),
        ("holding:23:mod10k3", 1e12),
        ("holding:30:string4", "nine char"),
        ("holding:53.4-7", 16),
        ("holding:52:bool", 2),
        ("coil:3", 2),
    ),
    read_only=("input:100:float32", "discrete:7"),
    shared=dict.fromkeys(REGISTER_0, REGISTER_0) | dict.fromkeys(REGISTER_53, REGISTER_53),
)
