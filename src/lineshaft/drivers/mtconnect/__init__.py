"""MTConnect: what CNC machines tell through an agent; the HTTP library is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.mtconnect.options import MtconnectAddress, MtconnectConnection


def _create(connection: MtconnectConnection) -> Driver:
    from lineshaft.drivers.mtconnect.driver import MtconnectDriver

    return MtconnectDriver(connection)


SPEC = DriverSpec(
    name="mtconnect",
    title="MTConnect (CNC machines)",
    connection=MtconnectConnection,
    address=MtconnectAddress,
    create=_create,
    push=True,
    docs="guide/drivers/mtconnect.md",
)
