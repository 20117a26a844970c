"""The trust step of OPC UA: which security a server offers, and whether its certificate is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.drivers.base import Finding
from lineshaft.errors import ConfigError, ConnectionFailed

if TYPE_CHECKING:
    from lineshaft.drivers.opcua.trust import TrustEntry


async def securities(url: str) -> Mapping[str, Any]:
    """Options for the best security that the server offers. Raises ConnectionFailed or PeerTimeout."""
    from lineshaft.drivers.opcua.diagnose import offered

    found = await offered(url)
    if not found:
        raise ConnectionFailed(f"{url}: the server offers no security that can be used")
    return found[0]


class Trusting:
    """The trust list in the gateway's data folder."""

    def __init__(self, data_dir: Path) -> None:
        from lineshaft.drivers.opcua.trust import PKI, TrustList

        self._list = TrustList(data_dir / PKI)

    def act(self, action: str, thumbprint: str) -> dict[str, Any]:
        """list, accept or reject. Raises AddressInvalid for an unknown thumbprint."""
        if action == "accept":
            self._list.accept(thumbprint)
        elif action == "reject":
            self._list.reject(thumbprint)
        elif action != "list":
            raise ConfigError(f"'{action}' is no action", hint="list, accept or reject")
        return {"entries": [self._entry(one) for one in self._list.entries()]}

    async def of(self, driver: str, options: Any, findings: Sequence[Finding]) -> dict[str, Any] | None:
        """The certificate that stands in the way of a connection, when it is that."""
        if driver != "opcua" or options.security == "none" or all(one.passed for one in findings):
            return None
        words = " ".join(one.detail for one in findings if not one.passed)
        entry = next((one for one in self._list.entries() if one.state == "rejected" and one.thumbprint in words), None)
        return None if entry is None else self._entry(entry)

    def _entry(self, entry: TrustEntry) -> dict[str, Any]:
        return {
            "thumbprint": entry.thumbprint,
            "state": entry.state,
            "subject": entry.subject,
            "application_uri": entry.application_uri,
            "not_after": entry.not_after.isoformat(),
        }
