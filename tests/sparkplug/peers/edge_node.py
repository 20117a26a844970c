"""An edge node made with pysparkplug: says its births, and on a word on stdin sends data.

It ends without a word: the NDEATH of its `disconnect` has the bdSeq of the session to come, so only its will is right.
"""

from __future__ import annotations

import sys

from pysparkplug import DataType, Device, EdgeNode, Metric

START = 1_750_000_000_000
TYPES = {
    "i8": (DataType.INT8, -1, -12),
    "i16": (DataType.INT16, 1, -30000),
    "i32": (DataType.INT32, 1, -(2**31)),
    "i64": (DataType.INT64, 1, -(2**63)),
    "u8": (DataType.UINT8, 1, 250),
    "u16": (DataType.UINT16, 1, 65535),
    "u32": (DataType.UINT32, 1, 2**32 - 1),
    "u64": (DataType.UINT64, 1, 2**64 - 1),
    "f": (DataType.FLOAT, 0.5, 1.5),
    "d": (DataType.DOUBLE, 0.25, -0.1),
    "b": (DataType.BOOLEAN, False, True),
    "s": (DataType.STRING, "before", "007 é"),
    "n": (DataType.DOUBLE, 1.0, None),
}


def metrics(column: int, timestamp: int) -> tuple[Metric, ...]:
    return tuple(
        Metric(timestamp=timestamp, name=name, datatype=row[0], value=row[column]) for name, row in TYPES.items()
    )


def main() -> None:
    rebirth = Metric(timestamp=START, name="Node Control/Rebirth", datatype=DataType.BOOLEAN, value=False)
    node = EdgeNode("north", "py", (rebirth,))
    node.register(Device("mill", metrics(1, START)))
    node.connect("127.0.0.1", port=int(sys.argv[1]))
    for _ in sys.stdin:
        node.update_device("mill", metrics(2, START + 1000))


main()
