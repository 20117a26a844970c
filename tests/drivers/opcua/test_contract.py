"""The OPC UA driver keeps the promises of every driver."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asyncua import ua

from lineshaft.drivers.opcua import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract, WritingDriverContract, WritingSetup

from .servers import URI, FieldServer

T = ua.VariantType
MOMENT = datetime(2024, 2, 29, 12, 0, 0, 123456, UTC)
VALUES: dict[str, tuple[ua.Variant, float | str]] = {
    "Boolean": (ua.Variant(True, T.Boolean), 1.0),
    "SByte": (ua.Variant(-128, T.SByte), -128.0),
    "Byte": (ua.Variant(255, T.Byte), 255.0),
    "Int16": (ua.Variant(-32768, T.Int16), -32768.0),
    "UInt16": (ua.Variant(65535, T.UInt16), 65535.0),
    "Int32": (ua.Variant(-(2**31), T.Int32), -(2.0**31)),
    "UInt32": (ua.Variant(2**32 - 1, T.UInt32), 2.0**32 - 1),
    "Int64": (ua.Variant(-(2**53) - 1, T.Int64), str(-(2**53) - 1)),
    "Int64 small": (ua.Variant(-7, T.Int64), -7.0),
    "UInt64": (ua.Variant(2**64 - 1, T.UInt64), str(2**64 - 1)),
    "Float": (ua.Variant(-0.5, T.Float), -0.5),
    "Double": (ua.Variant(1.25e-300, T.Double), 1.25e-300),
    "String": (ua.Variant("Bohrung Ø 8; Los=7", T.String), "Bohrung Ø 8; Los=7"),
    "String empty": (ua.Variant("", T.String), ""),
    "DateTime": (ua.Variant(MOMENT, T.DateTime), MOMENT.timestamp() * 1000),
    "LocalizedText": (ua.Variant(ua.LocalizedText("läuft", "de"), T.LocalizedText), "läuft"),
    "name;with=signs": (ua.Variant(3.0, T.Double), 3.0),
}
EXPECTED = tuple((f"nsu={URI};s={name}", value) for name, (_, value) in VALUES.items())


WRITING = WritingSetup(
    values=tuple(
        (f"nsu={URI};s={name}", value)
        for name, value in (
            ("Boolean", 0), ("SByte", 127), ("Byte", 0), ("Int16", 32767), ("UInt16", 1), ("Int32", 2**31 - 1),
            ("UInt32", 5), ("Int64", "9007199254740993"), ("UInt64", "18446744073709551614"), ("Float", 1.5),
            ("Double", -1e300), ("String", "Bohrung Ø 9"), ("DateTime", 1_735_689_599_250.0),
            ("LocalizedText", "steht"),
        )
    ),
    unfit=tuple(
        (f"nsu={URI};s={name}", value)
        for name, value in (
            ("Boolean", 2), ("SByte", 128), ("Byte", -1), ("Int16", 0.5), ("UInt64", "18446744073709551616"),
            ("Float", 1e39), ("Double", float("nan")), ("String", 5.0), ("DateTime", 1e18),
        )
    ),
    read_only=("i=2258",),
)  # fmt: skip


class TestOpcua(NetworkDriverContract, WritingDriverContract):
    """Runs the suite on a server with every scalar type."""

    @pytest.fixture
    def writing(self) -> WritingSetup:
        return WRITING

    @pytest.fixture
    def setup(self) -> DriverSetup:
        server = FieldServer({name: variant for name, (variant, _) in VALUES.items()})
        options = {"url": server.url, "security": "none", "keep_alive": "500ms"}
        return DriverSetup(SPEC, server.start, server.stop, lambda: options, EXPECTED, f"nsu={URI};s=nothing")
