"""Siemens S7 over ISO-on-TCP; python-snap7 is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.s7.address import S7Address
from lineshaft.drivers.s7.options import S7Connection


def _create(connection: S7Connection) -> Driver:
    from lineshaft.drivers.s7.driver import S7Driver

    return S7Driver(connection)


SPEC = DriverSpec(
    name="s7",
    title="Siemens S7",
    connection=S7Connection,
    address=S7Address,
    create=_create,
    writes=True,
    docs="guide/drivers/s7.md",
)
