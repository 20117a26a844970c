"""A controller with every kind of tag in it, and what it has to read as."""

from __future__ import annotations

from lineshaft.drivers.base import Point
from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.simulator.servers.ethernet_ip import EthernetIpServer
from lineshaft.simulator.servers.ethernet_ip_tags import Member
from lineshaft.testing import WritingSetup

EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("Running", 1),
    ("Small", -7),
    ("Medium", -1234),
    ("Count", 123456),
    ("Count.6", 1),
    ("Count.0", 0),
    ("Big", "-9007199254740993"),
    ("Speed", 1450.5),
    ("Exact", 2.5e-300),
    ("Recipe", "Schraube ü"),
    ("Temperatures[0]", 20.0),
    ("Temperatures[49]", 69.0),
    ("Program:Main.Step", 12),
    ("Program:Main.Axes[1].Position", -12.25),
    ("Program:Main.Axes[1].Homed", 1),
    ("Program:Main.Axes[1].Enabled", 0),
    ("Program:Main.Axes[0].Name", "X"),
    ("Program:Main.Axes[1].Torques[2]", 3.5),
    ("Flags[3]", 1),
    ("Flags[31]", 0),
    ("Flags[37]", 1),
    ("Flags[95]", 1),
)

WRITING = WritingSetup(
    values=(
        ("Running", 0), ("Small", 127), ("Medium", 32767), ("Count", -5), ("Count.6", 0), ("Count.0", 1),
        ("Big", "9007199254740993"), ("Speed", -0.5), ("Exact", 1e200), ("Recipe", "Mutter ö"),
        ("Temperatures[49]", 1.5), ("Program:Main.Step", 13), ("Program:Main.Axes[1].Position", 4.75),
        ("Program:Main.Axes[1].Homed", 0), ("Program:Main.Axes[0].Name", "Z"),
        ("Program:Main.Axes[1].Torques[2]", -1.0), ("Flags[3]", 0), ("Flags[31]", 1), ("Flags[37]", 0),
        ("Flags[95]", 0),
    ),
    unfit=(
        ("Running", 2), ("Small", 128), ("Medium", 0.5), ("Speed", 1e39), ("Recipe", "x" * 83), ("Recipe", "Ω"),
        ("Flags[3]", 7), ("Count.6", 2),
    ),
    shared={"Count": ("Count.6", "Count.0"), "Count.6": ("Count",), "Count.0": ("Count",)},
)  # fmt: skip


def points(*tags: str, first: int = 100) -> tuple[Point, ...]:
    """Points of the given tags; of all that are expected when none is given."""
    wanted = tags or tuple(tag for tag, _ in EXPECTED)
    return tuple(Point(first + row, TagAddress(tag=tag)) for row, tag in enumerate(wanted))


def server() -> EthernetIpServer:
    plc = EthernetIpServer("127.0.0.1", 0)
    plc.define(
        "Axis_t",
        [Member("Homed", "BOOL"), Member("Enabled", "BOOL"), Member("Position", "REAL"), Member("Name", "STRING"),
         Member("Torques", "REAL", 3)],
    )  # fmt: skip
    plc.put("Running", "BOOL", True)
    plc.put("Small", "SINT", -7)
    plc.put("Medium", "INT", -1234)
    plc.put("Count", "DINT", 123456)
    plc.put("Big", "LINT", -(2**53) - 1)
    plc.put("Speed", "REAL", 1450.5)
    plc.put("Exact", "LREAL", 2.5e-300)
    plc.put("Recipe", "STRING", "Schraube ü")
    plc.put("Temperatures", "REAL", [20.0 + n for n in range(50)])
    plc.put("Flags", "BOOL", [n in (3, 37, 95) for n in range(96)])
    plc.put("Program:Main.Step", "DINT", 12)
    axes = [
        {"Homed": False, "Enabled": True, "Position": 1.5, "Name": "X", "Torques": [0.0, 0.5, 1.0]},
        {"Homed": True, "Enabled": False, "Position": -12.25, "Name": "Y", "Torques": [2.5, 3.0, 3.5]},
    ]
    plc.put("Program:Main.Axes", "Axis_t", axes)
    return plc
