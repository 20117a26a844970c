"""What a plant file says about a tightening controller and about an item of it."""

from __future__ import annotations

from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration
from lineshaft.drivers.open_protocol.items import ITEMS


class OpenProtocolConnection(Section):
    """How to reach a tightening controller."""

    host: str = key(..., "Name or IP address of the controller.", min_length=1)
    port: int = key(4545, "TCP port; a controller with several cells has one each.", ge=1, le=65535)
    timezone: str = key(..., "IANA time zone of the controller's clock, like Europe/Berlin; it sends local time.")
    revision: Literal[1, 2, 3, 4, 5, 6, 7, 999] = key(
        7, "Newest revision of results to ask for; the controller's own lower one wins. 999 is a short form."
    )
    alarms: bool = key(True, "Follow the controller's alarms, where it can tell them.")
    history: int = key(1000, "Most missed results that are fetched after an outage.", ge=0, le=100_000)
    keep_alive: Duration = key(
        10.0, "A sign of life is sent this often; most controllers hang up after 15 s.", unit="s", gt=0, le=14.0
    )
    timeout: Duration = key(3.0, "How long to wait for an answer before it is asked for again.", unit="s", gt=0)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("an IANA time zone looks like Europe/Berlin or UTC") from error
        return value


class OpenProtocolAddress(Section):
    """One item of the results, the alarms or the controller; its name alone may stand for the whole."""

    item: str = key(..., "Name of the item, like torque, angle, status, vin or tightening-id.")

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"item": value} if isinstance(value, str) else value

    @field_validator("item")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ITEMS:
            raise ValueError(f"no such item; one of: {', '.join(sorted(ITEMS))}")
        return value
