"""Checks of the embedded broker's accounts: names that are free, and a broker that they are for."""

from __future__ import annotations

from lineshaft.config.draft import Draft
from lineshaft.config.models import GatewayConfig, HubConfig, Plant, PlantConfig
from lineshaft.config.problems import Report

SENSORS = "simulator"
"""User of the simulated sensors at the embedded broker."""


def taken_users(plant: Plant) -> dict[str, str]:
    """User names at the embedded broker that no account may have -> whose they are."""
    return _taken(plant.hub, plant.gateway)


def check_broker(draft: Draft, report: Report) -> None:
    """Note accounts with the name of another one or the rights of the gateway, and accounts of a broker not ours."""
    hub, gateway = draft.section("hub", HubConfig), draft.section("gateway", GatewayConfig)
    plant = draft.section("plant", PlantConfig)
    if hub is None or not hub.broker_accounts:
        return
    at = ("hub", "broker_accounts")
    if hub.broker:
        report.add(draft.document, at, "are of the embedded broker, and hub.broker names another one", value=hub.broker)
    taken = _taken(hub, gateway)
    own = f"{plant.site}/{gateway.id}" if plant is not None and gateway is not None else ""
    for place, account in enumerate(hub.broker_accounts):
        owner = taken.get(account.user)
        if owner is not None:
            report.add(draft.document, (*at, place, "user"), f"is {owner} user already", value=account.user)
        if account.sparkplug and account.sparkplug == own:
            words = "is the gateway of this plant, which speaks for itself"
            report.add(draft.document, (*at, place, "sparkplug"), words, value=own)
        taken[account.user] = "another account's"


def _taken(hub: HubConfig, gateway: GatewayConfig | None) -> dict[str, str]:
    taken = {hub.broker_user or f"host-{hub.host_id}": "the hub's", SENSORS: "that of the simulated sensors"}
    if gateway is not None:
        taken[gateway.id] = "the gateway's"
    return taken
