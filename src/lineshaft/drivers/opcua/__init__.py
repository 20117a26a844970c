"""OPC UA: subscriptions or polling of any OPC UA server."""

from __future__ import annotations

from lineshaft.drivers.base import DriverSpec
from lineshaft.drivers.opcua.driver import create
from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection

SPEC = DriverSpec(
    name="opcua",
    title="OPC UA",
    connection=OpcuaConnection,
    address=OpcuaAddress,
    create=create,
    push=True,
    writes=True,
    docs="drivers/opcua.md",
    waveforms="bare",
)
