"""What a plant file says about an MTConnect agent and about a data item of it."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration, Size


class MtconnectConnection(Section):
    """How to reach an MTConnect agent."""

    url: str = key(..., "Address of the agent, like http://cnc-7.example:5000; a path in it is kept.")
    device: str = key("", "Name or uuid of one device of the agent; all of them when empty.")
    mode: Literal["stream", "poll"] = key(
        "stream", "stream: the agent sends changes as they come; poll: it is asked for them every interval."
    )
    interval: Duration = key(0.25, "Least time between two documents of the agent.", unit="s", gt=0)
    heartbeat: Duration = key(
        10.0, "A silent agent sends a sign of life this often; two missing ones are a loss.", unit="s", gt=0
    )
    count: int = key(1000, "Most observations in one document.", ge=1, le=1_000_000)
    time_series: Literal["first", "last"] = key(
        "first", "Which value of a time series its timestamp belongs to; agents differ."
    )
    timeout: Duration = key(5.0, "How long to wait for an answer.", unit="s", gt=0)
    max_document: Size = key(32 * 2**20, "A larger document is refused.", ge=2**10)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an agent's address looks like http://host:5000")
        if parts.username or parts.password:
            raise ValueError("user and password cannot stand in the url")
        return value.rstrip("/")


class MtconnectAddress(Section):
    """One data item; its id alone may stand for the whole."""

    item: str = key(..., "Id of the data item (dataItemId), as the agent's probe document has it.", min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"item": value} if isinstance(value, str) else value
