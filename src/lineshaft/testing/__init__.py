"""Contract suites and fakes for people who write a driver or an operator; a test subclasses a suite."""

from lineshaft.testing.drivers import (
    PATIENCE,
    DriverContract,
    DriverSetup,
    FieldDevice,
    NetworkDriverContract,
    PushingDriver,
    ScriptedAddress,
    ScriptedDriver,
    ScriptedOptions,
    WritingDriverContract,
    WritingSetup,
    expect_values,
    expect_written,
)
from lineshaft.testing.operators import OperatorContract, OperatorSetup, run_whole

__all__ = [
    "PATIENCE",
    "DriverContract",
    "DriverSetup",
    "FieldDevice",
    "NetworkDriverContract",
    "OperatorContract",
    "OperatorSetup",
    "PushingDriver",
    "ScriptedAddress",
    "ScriptedDriver",
    "ScriptedOptions",
    "WritingDriverContract",
    "WritingSetup",
    "expect_values",
    "expect_written",
    "run_whole",
]
