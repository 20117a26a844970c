"""OPC UA: subscriptions or polling of any OPC UA server; asyncua (60 MB) is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection


def _create(connection: OpcuaConnection) -> Driver:
    from lineshaft.drivers.opcua.driver import create

    return create(connection)


SPEC = DriverSpec(
    name="opcua",
    title="OPC UA",
    connection=OpcuaConnection,
    address=OpcuaAddress,
    create=_create,
    push=True,
    writes=True,
    docs="drivers/opcua.md",
    waveforms="bare",
)
