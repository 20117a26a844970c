"""When a shift or an order has ended: the messages about it, with what is known then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from lineshaft.apps.oee.b2mml import performance
from lineshaft.apps.oee.deliveries import Delivery, Outbox
from lineshaft.apps.oee.order_files import iso
from lineshaft.apps.oee.order_view import order_rows
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.shift_report import build, periods
from lineshaft.apps.oee.slots import Slot
from lineshaft.apps.oee.targets import Targets
from lineshaft.config.results import ShiftReportConfig, WebhookConfig

_BACK_US: Final = 7 * 86_400_000_000
"""After a longer standstill of the hub what ended before is not reported any more."""


@dataclass(frozen=True)
class Closing:
    """Makes deliveries of what has ended."""

    reports: Reports
    outbox: Outbox
    targets: Targets
    root: str  # path of the site
    plant: str

    def close(self, now: int) -> int:
        """Put what has ended since the last call, or since the hub stood, into the outbox; gives how many."""
        new: list[Delivery] = []
        for hook in self.targets.webhooks:
            since = max(self.outbox.first_seen(hook.id, now), now - _BACK_US)
            if "shift" in hook.on:
                new += self._shifts(hook, since, now)
            if "order" in hook.on:
                new += self._orders(hook, since, now)
        for mail in self.targets.mails:
            new += self._shifts(mail, max(self.outbox.first_seen(mail.id, now), now - _BACK_US), now)
        self.outbox.add(new)
        return len(new)

    def _path(self, path: str) -> str:
        return f"{self.root}/{path}" if path else ""

    def _shifts(self, target: WebhookConfig | ShiftReportConfig, since: int, now: int) -> Iterator[Delivery]:
        path = self._path(target.path)
        ended = {
            f"{target.id}:shift:{target.path}:{slot.start}": slot
            for slot in periods(self.reports, path, since - 1, now)
            if since < slot.end <= now - self.targets.settle
        }
        known = self.outbox.known(list(ended))
        for key, slot in ended.items():
            if key not in known:
                yield self._of_shift(target, key, path, slot, now)

    def _of_shift(
        self, target: WebhookConfig | ShiftReportConfig, key: str, path: str, slot: Slot, now: int
    ) -> Delivery:
        report = build(self.reports, path, slot, self.plant, now)
        subject = f"{slot.shift or 'day'} {slot.day}"
        if isinstance(target, ShiftReportConfig):
            return Delivery(key, target.id, "mail", "shift", path, subject, slot.start, now, now, {"report": report})
        payload = self._body(target, "oee.shift.ended", report, report["orders"], now)
        return Delivery(key, target.id, "webhook", "shift", path, subject, slot.start, now, now, payload)

    def _orders(self, hook: WebhookConfig, since: int, now: int) -> Iterator[Delivery]:
        path = self._path(hook.path)
        found = self.reports.store.orders.find(path, since - _BACK_US, now)
        rows = [
            one
            for one in order_rows(self.reports, found, now)
            if one["ended"] is not None and since < one["ended"] <= now - self.targets.settle
        ]
        keys = {f"{hook.id}:order:{one['id']}": one for one in rows}
        known = self.outbox.known(list(keys))
        for key, row in keys.items():
            if key not in known:
                order = row | order_figures(self.reports, row)
                payload = self._body(hook, "oee.order.ended", order, [order], now)
                yield Delivery(
                    key, hook.id, "webhook", "order", row["path"], row["id"], row["began"], now, now, payload
                )

    def _body(
        self, hook: WebhookConfig, kind: str, data: dict[str, Any], orders: list[dict[str, Any]], now: int
    ) -> dict[str, str]:
        if hook.format == "b2mml":
            figures = [one if "kpis" in one else one | order_figures(self.reports, one) for one in orders]
            text = performance(figures, self.plant, now, self.reports.setup.products)
            return {"type": "application/xml", "body": text}
        body = {"type": kind, "timestamp": iso(now), "plant": self.root, "data": data}
        return {"type": "application/json", "body": json.dumps(body, allow_nan=False)}


def order_figures(reports: Reports, row: dict[str, Any]) -> dict[str, Any]:
    """KPIs and times of one order, over the slots in which it ran."""
    machines = [one.path for one in reports.setup.machines.values() if row["path"] in (one.path, one.line)]
    if row["began"] is None or not machines:
        return {"kpis": {}, "times": {}}
    end = row["ended"] or row["began"] + 1
    low = row["began"] - 2 * 86_400_000_000
    return reports.order_figures(row["path"], row["id"], low, end)


def asdicts(found: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Deliveries without their payload."""
    return [{name: value for name, value in asdict(one).items() if name != "payload"} for one in found]
