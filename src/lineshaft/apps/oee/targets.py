"""Who is told when a shift or an order has ended: what the plant folder says about it now."""

from __future__ import annotations

from dataclasses import dataclass

from lineshaft.config.models import Plant
from lineshaft.config.results import ShiftReportConfig, WebhookConfig


@dataclass(slots=True)
class Targets:
    """Replaced part by part when the plant folder changes. settle: microseconds until late rows are in."""

    webhooks: tuple[WebhookConfig, ...] = ()
    mails: tuple[ShiftReportConfig, ...] = ()
    settle: int = 0

    def take(self, plant: Plant) -> None:
        """What a plant says."""
        self.webhooks, self.mails = plant.oee.webhooks, plant.oee.reports
        self.settle = round(plant.oee.settle * 1e6)

    def webhook(self, number: str) -> WebhookConfig | None:
        """A webhook by its id."""
        return next((one for one in self.webhooks if one.id == number), None)

    def mail(self, number: str) -> ShiftReportConfig | None:
        """A report by its id."""
        return next((one for one in self.mails if one.id == number), None)
