"""Saved views through the API."""

from __future__ import annotations

import pytest

from hub.api.conftest import Hub
from lineshaft.hub.security.roles import Role

TREND = "/trend?s=1,2&from=2026-01-05T06:00Z&to=2026-01-05T14:00Z&lanes=each"


async def test_a_view_is_kept_replaced_and_forgotten(hub: Hub) -> None:
    """The same name again replaces the view; after its removal it is gone."""
    async with hub.client(Role.VIEWER) as client:
        made = await client.post("/api/v1/views", json={"name": " Night shift ", "address": TREND})
        assert made.status_code == 201
        assert (made.json()["name"], made.json()["address"], made.json()["shared"]) == ("Night shift", TREND, False)
        again = await client.post("/api/v1/views", json={"name": "Night shift", "address": "/events", "shared": True})
        assert again.json()["id"] == made.json()["id"]
        items = (await client.get("/api/v1/views")).json()["items"]
        assert [(one["name"], one["address"], one["shared"]) for one in items] == [("Night shift", "/events", True)]
        assert (await client.delete(f"/api/v1/views/{made.json()['id']}")).status_code == 204
        assert (await client.get("/api/v1/views")).json()["items"] == []


async def test_others_see_only_what_is_shared(hub: Hub) -> None:
    """A private view is seen by its owner alone; a shared one by all, and removed by its owner or an admin."""
    async with hub.client(Role.OPERATOR) as owner, hub.client(Role.VIEWER) as other, hub.client(Role.ADMIN) as admin:
        for name, shared in (("mine", False), ("ours", True)):
            await owner.post("/api/v1/views", json={"name": name, "address": TREND, "shared": shared})
        items = (await other.get("/api/v1/views")).json()["items"]
        assert [(one["name"], one["owner"]) for one in items] == [("ours", "the-operator")]
        refused = await other.delete(f"/api/v1/views/{items[0]['id']}")
        assert refused.status_code == 404
        assert (await admin.delete(f"/api/v1/views/{items[0]['id']}")).status_code == 204
        assert [one["name"] for one in (await owner.get("/api/v1/views")).json()["items"]] == ["mine"]


@pytest.mark.parametrize("address", ["https://example.com", "//example.com", "/\\example.com", "trend", "/a b", ""])
async def test_a_view_leads_to_no_other_host(hub: Hub, address: str) -> None:
    """Only a path of this page can be saved."""
    async with hub.client(Role.VIEWER) as client:
        assert (await client.post("/api/v1/views", json={"name": "x", "address": address})).status_code == 422


async def test_a_removed_user_takes_the_views_along(hub: Hub) -> None:
    """No view outlives its owner."""
    async with hub.client(Role.OPERATOR) as owner, hub.client(Role.ADMIN) as admin:
        await owner.post("/api/v1/views", json={"name": "ours", "address": TREND, "shared": True})
        assert (await admin.delete("/api/v1/users/the-operator")).status_code == 204
        assert (await admin.get("/api/v1/views")).json()["items"] == []
