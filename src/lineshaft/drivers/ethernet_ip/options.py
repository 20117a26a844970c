"""Connection options of an EtherNet/IP controller."""

from __future__ import annotations

import re
from typing import Final

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration

_ROUTE: Final = re.compile(r"(?:bp|backplane|enet|\d+)/[\w.]+(?:/(?:bp|backplane|enet|\d+)/[\w.]+)*")


class EthernetIpConnection(Section):
    """How to reach a controller over EtherNet/IP."""

    host: str = key(
        ..., "Name or IP address of the controller or of its network card.", min_length=1, pattern="^[^/:]+$"
    )
    port: int = key(44818, "TCP port.", ge=1, le=65535)
    slot: int | None = key(
        0,
        "Slot of the controller; 0 for CompactLogix. Empty (null) for Micro800 and devices without slots.",
        ge=0,
        le=63,
    )
    route: str = key("", "Way through other racks in place of slot, like backplane/2/enet/10.1.2.3/backplane/0.")
    prefix: str = key(
        "",
        "Put in front of every tag, like Filler_1. or Program:Main., for profiles.",
        pattern=r"^([A-Za-z_][\w:.]*\.)?$",
    )
    timeout: Duration = key(3.0, "How long to wait for one answer; the device's timeout when absent.", unit="s", gt=0)
    retry_missing: Duration = key(
        60.0, "How often a tag that the controller says it has not is tried again.", unit="s", gt=0
    )

    @field_validator("route")
    @classmethod
    def _route(cls, value: str) -> str:
        if value and not _ROUTE.fullmatch(value):
            raise ValueError("a route is pairs of port and link, like backplane/2/enet/10.1.2.3/backplane/0")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> EthernetIpConnection:
        if self.route and "slot" in self.model_fields_set and self.slot is not None:
            raise ValueError("give slot or route, not both")
        return self

    @property
    def path(self) -> str:
        """The way as pycomm3 writes it."""
        route = self.route or ("" if self.slot is None else f"bp/{self.slot}")
        return f"{self.host}:{self.port}" + (f"/{route}" if route else "")
