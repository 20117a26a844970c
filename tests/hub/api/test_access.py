"""Who gets in: every route, every role, cookies, tokens, origins."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.api.conftest import CHEAP_HASH, PASSWORD, Hub, running
from lineshaft.clock import VirtualClock
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.gate import OPEN
from lineshaft.hub.api.services import Services
from lineshaft.hub.security import passwords
from lineshaft.hub.security.identity import Principal, setup_link
from lineshaft.hub.security.roles import Role


def routes_of(hub: Hub) -> Iterator[tuple[str, BaseRoute]]:
    """Path with its parameters filled in, and the route, for everything that the app serves."""
    for context in iter_route_contexts(hub.app.routes):
        assert context.path is not None, f"{context.route!r} is of a kind that this test does not know: teach it"
        yield re.sub(r"{[^}]*}", "1", context.path), context.original_route


async def test_every_route_needs_credentials(hub: Hub) -> None:
    """Each route of the app, known to this test or not, answers 401 to a stranger unless it is on the short list."""
    tried = set()
    async with hub.client(None) as client:
        for path, route in routes_of(hub):
            if isinstance(route, WebSocketRoute | APIWebSocketRoute):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(hub.url.replace("http", "ws") + path).__aenter__()
                assert refused.value.response.status_code == 401
                tried.add(("WS", path))
                continue
            assert isinstance(route, Route | APIRoute)
            for method in sorted(route.methods or {"GET"}):
                if (method, path) in OPEN or not path.startswith("/api"):
                    continue
                response = await client.request(method, path)
                assert response.status_code == 401, (method, path)
                tried.add((method, path))
    assert len(tried) > 25
    assert ("WS", "/api/v1/live") in tried
    assert ("GET", "/api/openapi.json") in tried


async def test_what_is_open_to_all(hub: Hub) -> None:
    """Without credentials there are liveness, setup, sign-in and the shell of the page, and nothing else."""
    async with hub.client(None) as client:
        assert (await client.get("/api/v1/alive")).json() == {"alive": True}
        assert (await client.get("/api/v1/setup")).json() == {"needed": True}
        assert (await client.get("/assets/../../etc/passwd")).status_code in (404, 503)
        for path in ("/api/v1/nothing", "/api", "/api/", "/api/v2/signals", "/api/v1/alive/"):
            assert (await client.get(path)).status_code == 401, path
        assert (await client.post("/api/v1/alive")).status_code == 401
        assert (await client.post("/")).status_code == 401


async def test_roles_bound_what_may_be_done(hub: Hub) -> None:
    """A viewer looks, an operator injects faults, an engineer imports, only an admin sees users."""
    calls = {
        ("GET", "/api/v1/signals"): Role.VIEWER,
        ("POST", "/api/v1/faults"): Role.OPERATOR,
        ("POST", "/api/v1/import"): Role.ENGINEER,
        ("GET", "/api/v1/users"): Role.ADMIN,
        ("GET", "/api/v1/broker/accounts"): Role.ADMIN,
        ("POST", "/api/v1/broker/accounts"): Role.ADMIN,
        ("DELETE", "/api/v1/users/nobody"): Role.ADMIN,
    }
    for role in Role:
        async with hub.client(role) as client:
            for (method, path), needed in calls.items():
                response = await client.request(method, path, json={} if method == "POST" else None)
                assert (response.status_code == 403) == (not role.covers(needed)), (role, path, response.text)


async def test_the_first_user_comes_from_the_printed_link_once(hub: Hub) -> None:
    """The printed link makes one admin and signs in; the same link and any other are refused afterwards."""
    link = setup_link(hub.state, hub.url)
    assert link is not None
    parts = urlsplit(link)
    assert parts.path == "/setup"
    secret = parts.query.removeprefix("link=")
    body = {"link": secret, "name": "ada", "password": PASSWORD}
    async with hub.client(None) as client:
        wrong = await client.post("/api/v1/setup", json=body | {"link": "x" * 43})
        assert wrong.status_code == 403
        weak = await client.post("/api/v1/setup", json=body | {"password": "short"})
        assert weak.status_code == 422
        assert "10 characters" in weak.json()["detail"]
        made = await client.post("/api/v1/setup", json=body)
        assert made.status_code == 201
        assert made.json()["role"] == "admin"
        assert (await client.get("/api/v1/session")).json()["name"] == "ada"
        assert (await client.post("/api/v1/setup", json=body)).status_code == 403
        assert (await client.get("/api/v1/setup")).json() == {"needed": False}
    assert setup_link(hub.state, hub.url) is None


async def test_the_printed_link_ends_after_a_day(hub: Hub) -> None:
    """A link that is a day old makes nobody, and a newer one makes an older one void."""
    identity = hub.app.state.identity
    first, second = identity.make_setup_link(), identity.make_setup_link()
    body = {"name": "ada", "password": PASSWORD}
    async with hub.client(None) as client:
        assert (await client.post("/api/v1/setup", json=body | {"link": first})).status_code == 403
        await hub.clock.advance(24 * 3600 + 1)
        assert (await client.post("/api/v1/setup", json=body | {"link": second})).status_code == 403
    assert hub.state.accounts.count() == 0


@asynccontextmanager
async def signed_in(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    hub.state.accounts.add_user("ada", "admin", passwords.hashed(PASSWORD), 0)
    async with httpx.AsyncClient(base_url=hub.url) as client:
        response = await client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
        assert response.status_code == 200
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie  # this test speaks plain http
        yield client


async def test_a_cookie_works_only_from_our_own_page(hub: Hub) -> None:
    """With a cookie, a change needs the Origin of this hub; a foreign or missing one is refused, for WebSockets too."""
    async with signed_in(hub) as client:
        body = {"name": "script"}
        assert (await client.get("/api/v1/tokens")).status_code == 200
        assert (await client.post("/api/v1/tokens", json=body)).status_code == 403
        foreign = {"origin": "http://evil.example"}
        assert (await client.post("/api/v1/tokens", json=body, headers=foreign)).status_code == 403
        own = {"origin": hub.url}
        assert (await client.post("/api/v1/tokens", json=body, headers=own)).status_code == 201
        cookie = {"cookie": f"lineshaft_session={client.cookies['lineshaft_session']}"}
        address = hub.url.replace("http", "ws") + "/api/v1/live"
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, additional_headers=cookie, origin="http://evil.example").__aenter__()  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
        async with connect(address, additional_headers=cookie, origin=hub.url):  # type: ignore[arg-type]
            pass
        assert (await client.delete("/api/v1/session", headers=own)).status_code == 204
        client.cookies.set("lineshaft_session", cookie["cookie"].partition("=")[2])
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_session_ends_by_itself(hub: Hub) -> None:
    """A session lives twelve hours after its last use and a week at most."""
    async with signed_in(hub) as client:
        for _ in range(14):
            await hub.clock.advance(11 * 3600)
            assert (await client.get("/api/v1/session")).status_code == 200
        await hub.clock.advance(12 * 3600 + 1)
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_session_ends_after_a_week_of_use(hub: Hub) -> None:
    """However much it is used, a session ends after seven days."""
    async with signed_in(hub) as client:
        for _ in range(16):
            await hub.clock.advance(11 * 3600)
            last = await client.get("/api/v1/session")
        assert last.status_code == 401


async def test_guessing_is_locked_out(hub: Hub) -> None:
    """After five wrong passwords even the right one waits; the lock opens by itself."""
    hub.state.accounts.add_user("ada", "admin", passwords.hashed(PASSWORD), 0)
    right = {"name": "ada", "password": PASSWORD}
    async with hub.client(None) as client:
        for _ in range(5):
            wrong = await client.post("/api/v1/session", json=right | {"password": "wrong"})
            assert wrong.status_code == 403
        locked = await client.post("/api/v1/session", json=right)
        assert locked.status_code == 429
        assert int(locked.headers["retry-after"]) <= 30
        assert "try again in" in locked.json()["hint"]
        await hub.clock.advance(31)
        assert (await client.post("/api/v1/session", json=right)).status_code == 200


async def test_an_unknown_name_looks_like_a_wrong_password(hub: Hub) -> None:
    """The answer does not tell whether the name exists."""
    hub.state.accounts.add_user("ada", "admin", passwords.hashed(PASSWORD), 0)
    async with hub.client(None) as client:
        answers = [
            (await client.post("/api/v1/session", json={"name": name, "password": "wrong"})).text
            for name in ("ada", "bob")
        ]
    assert answers[0] == answers[1]


async def test_tokens_are_shown_once_and_bound_by_their_owner(hub: Hub) -> None:
    """A token's secret is only in the first answer; it has at most its owner's role, and ends when it is removed."""
    async with hub.client(Role.OPERATOR) as client:
        too_much = await client.post("/api/v1/tokens", json={"name": "x", "role": "admin"})
        assert too_much.status_code == 403
        made = (await client.post("/api/v1/tokens", json={"name": "report", "role": "operator", "days": 30})).json()
        assert made["last_used"] is None
        listed = (await client.get("/api/v1/tokens")).json()["items"]
        assert made["id"] in [one["id"] for one in listed]
        assert made["token"] not in str(listed)
        bearer = {"authorization": f"Bearer {made['token']}"}
        who = httpx.AsyncClient(base_url=hub.url, headers=bearer)
        async with who:
            assert (await who.get("/api/v1/session")).json()["role"] == "operator"
            hub.state.accounts.change_user("the-operator", role="viewer")
            assert (await who.get("/api/v1/session")).json()["role"] == "viewer"
            used = {one["id"]: one["last_used"] for one in (await client.get("/api/v1/tokens")).json()["items"]}
            assert used[made["id"]] is not None
            assert (await client.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
            assert (await who.get("/api/v1/session")).status_code == 401


async def test_users_can_be_added_changed_and_removed(hub: Hub) -> None:
    """An admin adds users; a new password ends sessions; the last admin cannot be removed."""
    async with hub.client() as client:
        new = {"name": "bob", "password": PASSWORD, "role": "viewer"}
        assert (await client.post("/api/v1/users", json=new)).status_code == 201
        assert (await client.post("/api/v1/users", json=new)).status_code == 422
        weak = await client.post("/api/v1/users", json=new | {"name": "eve", "password": "1234567890"})
        assert weak.status_code == 422
        async with hub.client(None) as browser:
            sign_in = {"name": "bob", "password": PASSWORD}
            assert (await browser.post("/api/v1/session", json=sign_in)).status_code == 200
            changed = {"role": "engineer", "password": PASSWORD + "!"}
            assert (await client.patch("/api/v1/users/bob", json=changed)).json()["role"] == "engineer"
            assert (await browser.get("/api/v1/session")).status_code == 401
        assert (await client.delete("/api/v1/users/bob")).status_code == 204
        assert (await client.delete("/api/v1/users/the-admin")).status_code == 422
        assert (await client.patch("/api/v1/users/the-admin", json={"role": "viewer"})).status_code == 422
        told = (await client.get("/api/v1/events", params={"subject": "user/bob"})).json()["items"]
        assert [one["message"] for one in told][::-1] == [
            "bob was added as viewer by the-admin",
            "bob got a new password by the-admin",
            "bob got the role engineer by the-admin",
            "bob was removed by the-admin",
        ]


async def test_anybody_changes_the_own_password_with_the_present_one(hub: Hub) -> None:
    """A viewer sets a new password by telling the old one; other browsers are signed out, a token may not do it."""
    async with hub.client() as admin:
        await admin.post("/api/v1/users", json={"name": "zoe", "password": PASSWORD, "role": "viewer"})
    async with hub.client(None) as browser, hub.client(None) as other:
        for client in (browser, other):
            client.headers["origin"] = hub.url
            await client.post("/api/v1/session", json={"name": "zoe", "password": PASSWORD})
        new = {"password": PASSWORD, "new_password": PASSWORD + "!"}
        assert (await browser.patch("/api/v1/session", json=new | {"password": "not it at all"})).status_code == 403
        assert (await browser.patch("/api/v1/session", json=new | {"new_password": "short"})).status_code == 422
        token = (await browser.post("/api/v1/tokens", json={"name": "x", "role": "viewer"})).json()["token"]
        bearer = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=hub.url, headers=bearer) as program:
            assert (await program.patch("/api/v1/session", json=new)).status_code == 403
        assert (await browser.patch("/api/v1/session", json=new)).json()["name"] == "zoe"
        assert (await browser.get("/api/v1/session")).status_code == 200
        assert (await other.get("/api/v1/session")).status_code == 401


async def test_headers_of_every_answer(hub: Hub) -> None:
    """Pages, data and errors carry the security headers; nothing is shown out of a cache without asking."""
    async with hub.client() as client:
        for path in ("/", "/api/v1/signals", "/api/v1/nothing", "/api/docs"):
            headers = (await client.get(path)).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "server" not in headers
        assert (await client.get("/api/v1/signals")).headers["cache-control"] == "private, no-cache"
        assert (await client.get("/api/v1/nothing")).headers["cache-control"] == "no-store"


async def test_a_body_that_is_too_large_is_refused(hub: Hub) -> None:
    """A stranger cannot make the hub read a large body, told in advance or sent in pieces."""

    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b"x" * 65536

    async with hub.client(None) as client:
        assert (await client.post("/api/v1/session", content=b"x" * 2_000_000)).status_code == 413
        assert (await client.post("/api/v1/session", content=pieces())).status_code == 413


async def test_behind_a_proxy_with_a_certificate(hub: Hub) -> None:
    """When the proxy on this computer says https, the cookie is sent only encrypted, and the origin still fits."""
    hub.state.accounts.add_user("ada", "admin", passwords.hashed(PASSWORD), 0)
    headers = {"x-forwarded-proto": "https", "host": "plant.example", "origin": "https://plant.example"}
    async with httpx.AsyncClient(base_url=hub.url, headers=headers) as client:
        response = await client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
        assert response.status_code == 200
        assert "secure" in response.headers["set-cookie"].lower()
        assert "strict-transport-security" in response.headers


async def test_a_script_in_a_loop_is_put_off(services: Services) -> None:
    """More requests than hub.rate_limit: 429 with the time to wait; another token goes on."""
    app = create_app(replace(services, rate_limit=2.0))
    services.state.accounts.add_user("ada", Role.ADMIN, CHEAP_HASH, 0)
    owner = Principal("ada", Role.ADMIN, "session", "", None)
    tokens = [app.state.identity.make_token(owner, name, Role.VIEWER, None)[1] for name in ("loop", "page")]
    async with running(app) as url, httpx.AsyncClient(base_url=url) as client:
        loop, page = ({"authorization": f"Bearer {token}"} for token in tokens)
        codes = [(await client.get("/api/v1/events", headers=loop)).status_code for _ in range(11)]
        assert codes == [200] * 10 + [429]
        refused = await client.get("/api/v1/events", headers=loop)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["title"] == "Too many requests"
        assert (await client.get("/api/v1/events", headers=page)).status_code == 200
        assert (await client.get("/api/v1/events")).status_code == 401
        await advance(services, 1.0)
        assert (await client.get("/api/v1/events", headers=loop)).status_code == 200


async def advance(services: Services, seconds: float) -> None:
    assert isinstance(services.clock, VirtualClock)
    await services.clock.advance(seconds)


async def test_a_wall_screen_looks_and_nothing_else(hub: Hub) -> None:
    """A screen's key opens its own page; every other call is refused, and a key that was taken back is dead."""
    async with hub.client(Role.ENGINEER) as engineer, hub.client(None) as screen:
        made = (await engineer.post("/api/v1/screens", json={"name": "Line 1"})).json()
        assert (await screen.post("/api/v1/session/screen", json={"key": "lsw_x"})).status_code == 403
        opened = await screen.post("/api/v1/session/screen", json={"key": made["key"]})
        assert (opened.json()["via"], opened.json()["role"]) == ("screen", "viewer")
        assert "HttpOnly" in opened.headers["set-cookie"]
        assert (await screen.get("/api/v1/session")).json()["name"] == "screen Line 1"
        allowed = {("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), *OPEN}
        for path, route in routes_of(hub):
            if not isinstance(route, APIRoute):
                continue
            for method in sorted(route.methods or ()):
                if (method, path) not in allowed and path.startswith("/api"):
                    answer = await screen.request(method, path, headers={"origin": hub.url})
                    assert answer.status_code == 403, (method, path)
        bearer = {"authorization": f"Bearer {made['key']}"}
        async with hub.client(None) as stranger:
            assert (await stranger.get("/api/v1/signals", headers=bearer)).status_code == 401
        assert (await engineer.get("/api/v1/screens")).json()["items"][0]["last_used"] is not None
        assert (await engineer.delete(f"/api/v1/screens/{made['id']}")).status_code == 204
        assert (await screen.get("/api/v1/session")).status_code == 401
