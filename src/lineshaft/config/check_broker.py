"""Checks of the embedded broker's accounts: names that are free, and a broker that they are for."""

from __future__ import annotations

from lineshaft.config.draft import Draft
from lineshaft.config.models import GatewayConfig, HubConfig
from lineshaft.config.problems import Report

SENSORS = "simulator"
"""User of the simulated sensors at the embedded broker."""


def check_broker(draft: Draft, report: Report) -> None:
    """Note each account that has the name of another one, and accounts of a broker that is not ours."""
    hub, gateway = draft.section("hub", HubConfig), draft.section("gateway", GatewayConfig)
    if hub is None or not hub.broker_accounts:
        return
    at = ("hub", "broker_accounts")
    if hub.broker:
        report.add(draft.document, at, "are of the embedded broker, and hub.broker names another one", value=hub.broker)
    taken = {hub.broker_user or f"host-{hub.host_id}": "the hub's", SENSORS: "that of the simulated sensors"}
    if gateway is not None:
        taken[gateway.id] = "the gateway's"
    for place, account in enumerate(hub.broker_accounts):
        owner = taken.get(account.user)
        if owner is not None:
            report.add(draft.document, (*at, place, "user"), f"is {owner} user already", value=account.user)
        taken[account.user] = "another account's"
