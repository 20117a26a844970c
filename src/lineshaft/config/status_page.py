"""The gateway's own small page."""

from __future__ import annotations

import ipaddress
from typing import Self

from pydantic import model_validator

from lineshaft.config.section import Section, key


class StatusPageConfig(Section):
    """A small page that the gateway serves by itself, to look at and not to change, also while the hub is away."""

    port: int | None = key(None, "Port of the page; none: there is no page.", ge=0, le=65535)
    host: str = key("127.0.0.1", "Address that it listens on; 0.0.0.0 for the whole network, then with a token.")
    token_file: str = key(
        "",
        "File with the token that the page asks for, relative to the data folder; on this computer alone it may lack.",
    )

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.port is not None and not self.token_file and not is_loopback(self.host):
            raise ValueError(f"a page that others can reach ({self.host}) needs a token_file")
        return self


def is_loopback(host: str) -> bool:
    """True when only this computer reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
