"""EtherNet/IP: tags of Logix controllers and the like; pycomm3 is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection


def _create(connection: EthernetIpConnection) -> Driver:
    from lineshaft.drivers.ethernet_ip.driver import EthernetIpDriver

    return EthernetIpDriver(connection)


SPEC = DriverSpec(
    name="ethernet-ip",
    title="EtherNet/IP (Logix tags)",
    connection=EthernetIpConnection,
    address=TagAddress,
    create=_create,
    writes=True,
    docs="guide/drivers/ethernet-ip.md",
)
