"""A controller with every type in it, and what it has to read as."""

from __future__ import annotations

from lineshaft.drivers.base import Point
from lineshaft.drivers.s7.address import S7Address
from lineshaft.simulator.servers.s7 import S7Server
from lineshaft.testing import WritingSetup

MOMENT = 1_735_689_599_250.0  # 2024-12-31T23:59:59.250Z

EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("DB10.DBX0.3", 1),
    ("DB10.DBX0.4", 0),
    ("DB10.DBX0.7", 1),
    ("DB10.DBB1", 200),
    ("DB10.DBB1:sint", -56),
    ("DB10.DBB2:char", "K"),
    ("DB10.DBD4:real", 21.5),
    ("DB10.DBW8:int", -1234),
    ("DB10.DBW8", 64302),
    ("DB10.DBD10:dint", -123456),
    ("DB10.DBD14", 4_000_000_000),
    ("DB10.DBB18:lreal", -2.5e-300),
    ("DB10.DBB26:lint", "-9007199254740993"),
    ("DB10.DBB34:ulint", "18446744073709551615"),
    ("DB10.DBD42:time", 86_400_000),
    ("DB10.DBB50:dtl", MOMENT),
    ("DB10.DBB62:date_and_time", MOMENT),
    ("DB10.DBB100:string20", "Schraube M8x20 ü"),
    ("DB10.DBB124:wstring8", "Ωmega"),
    ("DB10.DBB150:chars6", "0042"),
    ("DB20.DBB0:string254", "x" * 250),
    ("DB20.DBD2000:real", -0.125),
    ("MW20", 4711),
    ("M10.3", 1),
    ("MD24:real", 1e-3),
    ("IW64:int", -5),
    ("QB3", 7),
)

WRITING = WritingSetup(
    values=(
        ("DB10.DBX0.3", 0), ("DB10.DBX0.4", 1), ("DB10.DBB1", 7), ("DB10.DBB1:sint", 127), ("DB10.DBB2:char", "X"),
        ("DB10.DBD4:real", -0.5), ("DB10.DBW8:int", 32767), ("DB10.DBW8", 1), ("DB10.DBD10:dint", -(2**31)),
        ("DB10.DBD14", 5), ("DB10.DBB18:lreal", 1e200), ("DB10.DBB26:lint", "9007199254740993"),
        ("DB10.DBB34:ulint", "18446744073709551614"), ("DB10.DBD42:time", -1), ("DB10.DBB100:string20", "Mutter ö"),
        ("DB10.DBB124:wstring8", "Ωmega 23"), ("DB10.DBB150:chars6", "43"), ("DB20.DBB0:string254", "y" * 254),
        ("MW20", 0), ("M10.3", 0), ("QB3", 255),
    ),
    unfit=(
        ("DB10.DBX0.3", 2), ("DB10.DBB1", 256), ("DB10.DBW8:int", 32768), ("DB10.DBD4:real", 1e39),
        ("DB10.DBD10:dint", 0.5), ("DB10.DBB100:string20", "x" * 21), ("DB10.DBB124:wstring8", "nine char"),
        ("DB10.DBB150:chars6", "seven c"), ("DB10.DBB100:string20", "Ω"),
    ),
    read_only=("IW64:int",),
    shared={
        "DB10.DBB1": ("DB10.DBB1:sint",), "DB10.DBB1:sint": ("DB10.DBB1",), "DB10.DBW8": ("DB10.DBW8:int",),
        "DB10.DBW8:int": ("DB10.DBW8",),
    },
)  # fmt: skip


def address(text: str) -> S7Address:
    return S7Address.model_validate(text)


def server() -> S7Server:
    plc = S7Server("127.0.0.1", 0)
    plc.make("DB", 10, 160)
    plc.make("DB", 20, 2004)
    for area in ("M", "I", "Q"):
        plc.make(area, 0, 128)
    for text, value in EXPECTED:
        if text not in ("DB10.DBB1", "DB10.DBW8"):  # the same bytes read in another way
            plc.put(address(text), int(value) if ":lint" in text or ":ulint" in text else value)
    return plc


def points(*texts: str, first: int = 100) -> tuple[Point, ...]:
    """Points of the given addresses; of all that are expected when none is given."""
    wanted = texts or tuple(text for text, _ in EXPECTED)
    return tuple(Point(first + row, address(text)) for row, text in enumerate(wanted))
