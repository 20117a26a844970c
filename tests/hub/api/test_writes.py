"""Setting values through the API: who may, what is noted, what goes to the gateway, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from lineshaft.client import Client
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import Services
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Signal
from lineshaft.wire.notes import PipelineNote, SignalPipeline, WriteNote
from lineshaft.wire.writes import WriteCommand

from .conftest import ASSET, CHEAP_HASH, running

BOUNDS = json.dumps({"low": 5, "high": 10, "every": 5})
NODE = "north/gateway-1"
PATH = f"{ASSET}/setpoint"


@dataclass
class Site:
    """A hub with one signal that can be set, and what it sent to the gateway."""

    services: Services
    app: Any = None
    url: str = ""
    sent: list[WriteCommand] = field(default_factory=list)
    connected: bool = True
    signal: int = 0

    def command(self, node: str, command: WriteCommand) -> bool:
        assert node == NODE
        if self.connected:
            self.sent.append(command)
        return self.connected

    def client(self, role: Role = Role.ENGINEER, *, may_write: bool = True) -> httpx.AsyncClient:
        name = f"{role}-{may_write}".lower()
        self.services.state.accounts.add_user(name, role, CHEAP_HASH, 0)
        owner = Principal(name, role, "session", "", None)
        token = self.app.state.identity.make_token(owner, "test", role, None, may_write=may_write)[1]
        headers = {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=20)

    def settle(self, number: int = -1, **changes: Any) -> None:
        """The gateway answers a command."""
        command = self.sent[number]
        given = {"outcome": "done", "message": "set", "before": 6.0, "after": command.value, **changes}
        note = WriteNote(
            id=command.id, time=self.services.clock.now_us(), signal=PATH, value=command.value, user=command.user,
            reason=command.reason, **given,
        )  # fmt: skip
        self.services.state.writes.settle(NODE, note)


@pytest.fixture(name="site")
async def _site(services: Services) -> AsyncIterator[Site]:
    site = Site(services)
    state = services.state
    site.signal = int(state.register([BornSignal(Signal(ASSET, "setpoint"), NODE, "plc", "holding 1", BOUNDS)])[0])
    state.register([BornSignal(Signal(ASSET, "flow"), NODE, "plc", "input 1")])
    state.source(NODE, "", "online", services.clock.now_us())
    site.app = create_app(replace(services, command=site.command))
    async with running(site.app) as site.url:
        yield site


async def ask(client: httpx.AsyncClient, site: Site, **body: Any) -> httpx.Response:
    return await client.post(f"/signals/{site.signal}/writes", json={"value": 8, "reason": "trial", **body})


async def test_a_command_goes_to_the_gateway_and_its_answer_is_the_outcome(site: Site) -> None:
    """What is asked for is noted, sent with a deadline, and ends as the gateway says."""
    async with site.client() as client:
        asked = (await ask(client, site, expected=6.5)).json()
        assert (asked["outcome"], asked["user"], asked["via"]) == ("sent", "engineer-true", "token")
        (command,) = site.sent
        assert (command.signal, command.value, command.expected, command.dry_run) == (PATH, 8.0, 6.5, False)
        assert command.deadline == site.services.clock.now_us() + 30_000_000
        site.settle()
        site.settle()  # told twice is told once
        found = (await client.get(f"/writes/{command.id}")).json()
    assert (found["outcome"], found["before"], found["after"], found["can_undo"]) == ("done", 6.0, 8.0, True)


async def test_a_script_sets_a_value_and_waits_for_what_became_of_it(site: Site) -> None:
    """The client gives the gateway's answer, or why nothing was sent; both are in its audit log."""
    async with site.client() as http:
        token = http.headers["authorization"].removeprefix("Bearer ")

    def script() -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        with Client(site.url, token) as client:
            done = client.write(PATH, 8, "trial", expected=6.5)
            refused = client.write(PATH, 11, "trial")
            return done, refused, client.writes(PATH)["outcome"].tolist()

    working = asyncio.create_task(asyncio.to_thread(script))
    async with asyncio.timeout(30):
        while not site.sent:
            assert not working.done(), working.result()
            await asyncio.sleep(0.01)
    site.settle()
    done, refused, outcomes = await working
    assert (done["outcome"], done["after"]) == ("done", 8.0)
    assert (refused["outcome"], refused["message"]) == ("refused", "11 is not within 5 and 10")
    assert sorted(outcomes) == ["done", "refused"]


async def test_every_refused_attempt_is_in_the_audit_log_and_an_event(site: Site) -> None:
    """Wrong role, token without the right, no reason, out of bounds, not writable, no gateway: nothing is sent."""
    async with (
        site.client(Role.OPERATOR) as operator,
        site.client(may_write=False) as weak,
        site.client() as client,
    ):
        assert (await ask(operator, site)).status_code == 403
        assert (await ask(weak, site)).status_code == 403
        assert (await ask(client, site, reason="  ")).status_code == 422
        assert (await ask(client, site, value=11)).json()["message"] == "11 is not within 5 and 10"
        flow = site.services.state.catalogue.by_path(f"{ASSET}/flow")
        assert flow is not None
        other = await client.post(f"/signals/{flow.id}/writes", json={"value": 8, "reason": "trial"})
        assert other.json()["message"] == "this signal cannot be set: its gateway does not allow it"
        site.connected = False
        assert (await ask(client, site)).json()["message"] == "the hub has no connection to the broker"
        site.connected = True
        site.services.state.source(NODE, "", "offline", site.services.clock.now_us())
        assert (await ask(client, site)).json()["message"] == "the gateway is not online"
        log = (await client.get("/writes")).json()["items"]
        assert (await operator.get("/writes")).status_code == 403
    assert not site.sent
    assert len(log) == 7
    assert {one["outcome"] for one in log} == {"refused"}
    assert len(site.services.state.events.find(subject=ASSET)) == 7


async def test_a_value_is_taken_back_only_while_it_stands(site: Site) -> None:
    """Undo sets the value from before, and the gateway refuses it when somebody changed it since."""
    async with site.client() as client:
        first = (await ask(client, site)).json()["id"]
        assert (await client.post(f"/writes/{first}/undo", json={"reason": "back"})).status_code == 422  # not settled
        site.settle()
        back = (await client.post(f"/writes/{first}/undo", json={"reason": "back"})).json()
        assert (back["undo_of"], back["value"], back["outcome"]) == (first, 6.0, "sent")
        assert (site.sent[-1].value, site.sent[-1].expected) == (6.0, 8.0)


async def test_no_answer_is_said(site: Site) -> None:
    """A command that nobody answers is 'unanswered' after its time; a late answer still counts."""
    async with site.client() as client:
        made = (await ask(client, site)).json()["id"]
        site.services.clock.step_wall(120)  # type: ignore[attr-defined]
        assert (await client.get(f"/writes/{made}")).json()["outcome"] == "unanswered"
        site.settle(outcome="refused", message="came late")
        assert (await client.get(f"/writes/{made}")).json()["message"] == "came late"


async def test_only_the_gateway_of_a_signal_settles_its_command(site: Site) -> None:
    """Another node's word about it changes nothing; a command that the hub never sent is noted all the same."""
    async with site.client() as client:
        made = (await ask(client, site)).json()["id"]
        command = site.sent[-1]
        note = WriteNote(command.id, 1, PATH, "done", "hm", 8.0, "x", "y")
        site.services.state.writes.settle("north/other", note)
        assert (await client.get(f"/writes/{made}")).json()["outcome"] == "sent"
        foreign = WriteNote("f1", 5, PATH, "refused", "not taken", 9.0, "sparkplug", "plain command", via="sparkplug")
        site.services.state.writes.settle(NODE, foreign)
        found = (await client.get("/writes/f1")).json()
    assert (found["user"], found["via"], found["outcome"]) == ("sparkplug", "sparkplug", "refused")


async def test_the_log_comes_in_pages(site: Site) -> None:
    """Newest first, in pages, each attempt once."""
    async with site.client() as client:
        made = []
        for _ in range(5):
            made.append((await ask(client, site, dry_run=True)).json()["id"])
            site.services.clock.step_wall(1)  # type: ignore[attr-defined]
        found: list[str] = []
        cursor = ""
        while True:
            page = (await client.get("/writes", params={"limit": 2, "cursor": cursor, "signal": ASSET})).json()
            found += [one["id"] for one in page["items"]]
            cursor = page["next"]
            if not cursor:
                break
    assert found == made[::-1]


async def test_a_weak_token_makes_no_strong_one(site: Site) -> None:
    """A token that may not set values cannot make one that may."""
    async with site.client(may_write=False) as weak, site.client() as strong:
        body = {"name": "more", "role": "engineer", "may_write": True}
        assert (await weak.post("/tokens", json=body)).status_code == 403
        assert (await strong.post("/tokens", json=body)).json()["may_write"] is True


async def test_what_the_pipeline_did_to_a_signal(site: Site) -> None:
    """Raw in, sent out, and what each step changed or dropped; before the gateway has spoken there is no time."""
    async with site.client() as client:
        before = (await client.get(f"/signals/{site.signal}/pipeline")).json()
        assert (before["time"], before["steps"]) == (None, [])
        figures = SignalPipeline(100, 7, {"exception": 93}, {"scale": 100})
        site.services.pipelines.told(NODE, PipelineNote(5, {PATH: figures}))
        after = (await client.get(f"/signals/{site.signal}/pipeline")).json()
    assert (after["time"], after["rows_in"], after["rows_out"]) == (5, 100, 7)
    assert after["steps"] == [
        {"step": "scale", "changed": 100, "dropped": 0},
        {"step": "exception", "changed": 0, "dropped": 93},
    ]
