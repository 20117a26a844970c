"""HTTP: a JSON API that is asked, and a webhook that is told; the libraries are imported when a driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.http.options import HttpAddress, HttpConnection, WebhookAddress, WebhookConnection


def _poll(connection: HttpConnection) -> Driver:
    from lineshaft.drivers.http.poll import HttpDriver

    return HttpDriver(connection)


def _webhook(connection: WebhookConnection) -> Driver:
    from lineshaft.drivers.http.webhook import WebhookDriver

    return WebhookDriver(connection)


POLL = DriverSpec(
    name="http",
    title="HTTP (JSON API)",
    connection=HttpConnection,
    address=HttpAddress,
    create=_poll,
    docs="guide/drivers/http.md",
    waveforms="bare",
)
WEBHOOK = DriverSpec(
    name="webhook",
    title="Webhook (JSON by POST)",
    connection=WebhookConnection,
    address=WebhookAddress,
    create=_webhook,
    push=True,
    silence=3600.0,
    docs="guide/drivers/http.md",
    waveforms="bare",
)
