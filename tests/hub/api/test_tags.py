"""ETags: what is asked again is not sent again, and nobody overwrites what another has just changed."""

from __future__ import annotations

import asyncio

from lineshaft.hub.security.roles import Role

from .conftest import Hub, born


async def test_what_has_not_changed_is_not_sent_again(hub: Hub) -> None:
    """Every JSON answer has an ETag; the same tag gives 304 without a body until something changes."""
    async with hub.client(Role.ENGINEER) as client:
        for path in ("/signals", "/sources", "/views", "/operators", "/equipment", "/events", "/inbox", "/changes"):
            first = await client.get(f"/api/v1{path}")
            assert first.status_code == 200, first.text
            again = await client.get(f"/api/v1{path}", headers={"if-none-match": f'"x", {first.headers["etag"]}'})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == first.headers["etag"]
        before = (await client.get("/api/v1/signals")).headers["etag"]
        hub.state.register([born("torque", unit="N m")])
        after = await client.get("/api/v1/signals", headers={"if-none-match": before})
        assert (after.status_code, len(after.json()["items"])) == (200, 4)


async def test_of_two_who_edit_the_same_the_second_is_told(hub: Hub) -> None:
    """A change with the tag of what was read is made once; the other is refused with 412 and changes nothing."""
    async with hub.client(Role.ENGINEER) as client:
        read = await client.get("/api/v1/views")
        tag = {"if-match": read.headers["etag"]}
        views = [{"name": name, "address": "/trend?s=1", "shared": True} for name in ("one", "two")]
        answers = await asyncio.gather(*(client.post("/api/v1/views", json=view, headers=tag) for view in views))
        assert sorted(answer.status_code for answer in answers) == [201, 412]
        refused = next(answer for answer in answers if answer.status_code == 412)
        assert "somebody has changed it" in refused.json()["detail"]
        assert len((await client.get("/api/v1/views")).json()["items"]) == 1
        assert (await client.post("/api/v1/views", json=views[0], headers={"if-match": "*"})).status_code == 201
        assert (await client.delete("/api/v1/views/77", headers={"if-match": tag["if-match"]})).status_code == 412
