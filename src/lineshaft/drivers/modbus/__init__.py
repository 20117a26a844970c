"""Modbus TCP, Modbus RTU and RTU over TCP; pymodbus is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.options import Connection, RtuConnection, TcpConnection


def _create(connection: Connection) -> Driver:
    from lineshaft.drivers.modbus.driver import ModbusDriver

    return ModbusDriver(connection)


TCP = DriverSpec(
    name="modbus-tcp",
    title="Modbus TCP",
    connection=TcpConnection,
    address=ModbusAddress,
    create=_create,
    writes=True,
    docs="guide/drivers/modbus.md",
    waveforms="counted",
)
RTU = DriverSpec(
    name="modbus-rtu",
    title="Modbus RTU",
    connection=RtuConnection,
    address=ModbusAddress,
    create=_create,
    writes=True,
    docs="guide/drivers/modbus.md",
    waveforms="counted",
)
