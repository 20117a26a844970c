"""Open Protocol: results, curves and alarms of tightening tools (Atlas Copco and compatible controllers)."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.open_protocol.options import OpenProtocolAddress, OpenProtocolConnection


def _create(connection: OpenProtocolConnection) -> Driver:
    from lineshaft.drivers.open_protocol.driver import OpenProtocolDriver

    return OpenProtocolDriver(connection)


SPEC = DriverSpec(
    name="open-protocol",
    title="Open Protocol (tightening tools)",
    connection=OpenProtocolConnection,
    address=OpenProtocolAddress,
    create=_create,
    push=True,
    docs="guide/drivers/open-protocol.md",
)
