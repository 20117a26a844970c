"""Connection options of a Siemens S7 controller."""

from __future__ import annotations

import zoneinfo

from pydantic import field_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration


class S7Connection(Section):
    """How to reach a Siemens S7 controller."""

    host: str = key(..., "Name or IP address.", min_length=1)
    port: int = key(102, "TCP port.", ge=1, le=65535)
    rack: int = key(0, "Rack of the CPU.", ge=0, le=7)
    slot: int = key(
        1, "Slot of the CPU: 1 for S7-1200 and S7-1500, 2 for S7-300, as configured for S7-400.", ge=0, le=31
    )
    local_tsap: int | None = key(
        None, "TSAP of this side, for LOGO! and communication processors; 0x0100 when empty.", ge=0, le=0xFFFF
    )
    remote_tsap: int | None = key(
        None, "TSAP of the controller, for LOGO!, S7-200 and the like; from rack and slot when empty.", ge=0, le=0xFFFF
    )
    pdu: int = key(960, "Longest message to ask for; the controller may grant less.", unit="bytes", ge=240, le=960)
    max_gap: int = key(16, "Unused bytes that are read along when that saves an item.", unit="bytes", ge=0, le=400)
    timezone: str = key("UTC", "IANA time zone in which the controller keeps DTL and DATE_AND_TIME.")
    timeout: Duration = key(3.0, "How long to wait for one answer; the device's timeout when absent.", unit="s", gt=0)
    retry_missing: Duration = key(
        60.0, "How often an address that the controller says it has not is tried again.", unit="s", gt=0
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not an IANA time zone, like Europe/Berlin or UTC") from None
        return value

    @property
    def tsaps(self) -> tuple[int, int]:
        """Ours and the controller's; connection type 3 (basic) leaves the places of engineering tools free."""
        ours = 0x0100 if self.local_tsap is None else self.local_tsap
        theirs = 0x0300 | self.rack << 5 | self.slot if self.remote_tsap is None else self.remote_tsap
        return ours, theirs
