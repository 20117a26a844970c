"""Replay: a recording is played through the whole chain as if it were a device."""

from __future__ import annotations

from lineshaft.drivers.base import DriverSpec
from lineshaft.drivers.replay.driver import ReplayDriver
from lineshaft.drivers.replay.options import ReplayAddress, ReplayConnection

SPEC = DriverSpec(
    name="replay",
    title="Replay of a recording",
    connection=ReplayConnection,
    address=ReplayAddress,
    create=ReplayDriver,
    push=True,
    docs="drivers/replay.md",
    waveforms="told",
)
