"""Accounts of the embedded broker over the API, with the real broker beside it and real MQTT clients."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.api.conftest import Hub
from hub.mqtt import Peer
from lineshaft.config.models import Plant
from lineshaft.errors import ConnectionFailed
from lineshaft.hub.broker import PASSWORDS, BrokerSettings, EmbeddedBroker
from lineshaft.hub.broker.book import MADE
from lineshaft.hub.broker.desk import BrokerDesk
from lineshaft.hub.security.roles import Role
from lineshaft.server.broker import PlantNow, admitted, follow, given_of, run_broker
from lineshaft.server.context import PartContext
from lineshaft.server.folder import DataFolder

PATH = "/api/v1/broker/accounts"
PATIENCE = 20.0  # seconds
REFUSED = 135  # as paho says it
PLANT: dict[str, Any] = {
    "plant": {"enterprise": "acme", "site": "north", "name": "Works North", "timezone": "UTC"},
    "gateway": {"id": "hall-1"},
    "hub": {"broker_accounts": [{"user": "scada", "receive": ["press-7/#"], "description": "Control room"}]},
}
PRESS = {"user": "press-7", "publish": ["press-7/#"], "receive": ["press-7/set"]}


@pytest.fixture(name="plants")
def _plants() -> PlantNow:
    return PlantNow(Plant.model_validate(PLANT))


@pytest.fixture(name="broker")
def _broker(plants: PlantNow, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    settings = BrokerSettings(admitted(plants.now, (), tmp_path).accounts)
    broker = EmbeddedBroker(settings, tmp_path / PASSWORDS, follow(plants, tmp_path))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(name="client")
async def _client(hub: Hub, plants: PlantNow, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    hub.app.state.services = replace(hub.services, broker=BrokerDesk(tmp_path, lambda: given_of(plants.now)))
    async with hub.client() as client:
        yield client


def code(broker: EmbeddedBroker, user: str, password: str) -> int | None:
    with Peer(broker.port, user, password) as peer:
        return peer.code


async def until(look: Callable[[], Any]) -> Any:
    """What `look`, in a thread, gives when it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := await asyncio.to_thread(look)):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
    return found


async def test_an_account_counts_at_once_until_it_is_removed(
    broker: EmbeddedBroker, client: httpx.AsyncClient, hub: Hub, tmp_path: Path
) -> None:
    """Made, it comes in and the gateway hears it; other rights count while it is connected; another password and its
    removal hang up on it; each is an event, and only the hash of the password is kept."""
    made = (await client.post(PATH, json=PRESS)).json()
    secret = made["password"]
    assert len(secret) >= 20
    assert secret not in (tmp_path / MADE).read_text()
    assert (tmp_path / MADE).stat().st_mode & 0o077 == 0
    await until(lambda: code(broker, "press-7", secret) == 0)
    gateway_password = (tmp_path / "hall-1.password").read_text().strip()
    with (
        Peer(broker.port, "hall-1", gateway_password) as gateway,
        Peer(broker.port, "press-7", secret, "press") as press,
    ):
        assert gateway.subscribe("press-7/#") == [1]
        press.publish("press-7/force", b"8.5", qos=1)
        assert (await asyncio.to_thread(gateway.take, PATIENCE))[:2] == ("press-7/force", b"8.5")
        rights = {"publish": ["oven/#"], "description": "An oven now"}
        assert (await client.put(f"{PATH}/press-7", json=rights)).json()["publish"] == ["oven/#"]
        assert gateway.subscribe("oven/#") == [1]

        def oven() -> bool:
            press.publish("press-7/force", b"9", qos=1)
            press.publish("oven/heat", b"210", qos=1)
            return gateway.take(PATIENCE)[0] == "oven/heat"

        await until(oven)
        mine = (await client.post(f"{PATH}/press-7/password", json={"password": "three or four words"})).json()
        assert mine["password"] == "three or four words"
        assert await asyncio.to_thread(press.lost.wait, PATIENCE)
    assert code(broker, "press-7", secret) == REFUSED
    with Peer(broker.port, "press-7", "three or four words", "press") as press:
        assert press.code == 0
        assert (await client.delete(f"{PATH}/press-7")).status_code == 204
        assert await asyncio.to_thread(press.lost.wait, PATIENCE)
    assert code(broker, "press-7", "three or four words") == REFUSED
    assert [one["user"] for one in (await client.get(PATH)).json()["items"]] == ["scada"]
    told = [one for one in (await client.get("/api/v1/events")).json()["items"] if one["subject"] == "broker/press-7"]
    kinds = ["broker.account.removed", "broker.account.changed", "broker.account.changed", "broker.account.added"]
    assert [one["kind"] for one in told] == kinds
    assert {one["details"]["by"] for one in told} == {"the-admin"}


async def test_the_plants_own_accounts_are_shown_and_stay(
    broker: EmbeddedBroker, client: httpx.AsyncClient, plants: PlantNow, tmp_path: Path
) -> None:
    """They are listed with their password's file and who is connected; nothing here changes them, no account takes
    their names; one that comes into the plant's files counts at once too."""
    scada = (tmp_path / "scada.password").read_text().strip()
    assert code(broker, "scada", "wrong password") == REFUSED
    with Peer(broker.port, "scada", scada):

        async def seen() -> dict[str, Any]:
            return (await client.get(PATH)).json()["items"][0]

        deadline = time.monotonic() + PATIENCE
        while not (item := await seen())["connections"]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    assert (item["user"], item["origin"], item["password_file"]) == ("scada", "plant", "scada.password")
    assert item["reason"].startswith("wrong user or password (from 127.0.0.1")
    assert item["refused"] <= item["came"]
    for method, path in (("PUT", "/scada"), ("DELETE", "/scada"), ("POST", "/scada/password")):
        answer = await client.request(method, PATH + path, json={} if method != "DELETE" else None)
        assert (answer.status_code, answer.json()["hint"]) == (422, "Change it in the plant's files."), path
    for user, words in (("scada", "plant's files"), ("hall-1", "the gateway's"), ("host-lineshaft", "the hub's")):
        answer = await client.post(PATH, json=PRESS | {"user": user})
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    more = {**PLANT, "hub": {"broker_accounts": [{"user": "oven", "publish": ["oven/#"]}]}}
    plants.take(Plant.model_validate(more))
    await until((tmp_path / "oven.password").exists)
    oven = (tmp_path / "oven.password").read_text().strip()
    await until(lambda: code(broker, "oven", oven) == 0)
    assert code(broker, "scada", scada) == REFUSED


async def test_what_cannot_be_an_account_is_refused_in_words(client: httpx.AsyncClient) -> None:
    """Rights over the gateways, topics that are none, short passwords, names that are taken or unknown."""
    for change, words in (
        ({"publish": ["#"]}, "speak for gateways"),
        ({"receive": ["a#"]}, "no topic"),
        ({"sparkplug": "north/hall-1"}, "gateway of this plant"),
        ({"publish": [], "receive": []}, "may nothing"),
        ({"password": "short"}, "at least 10 characters"),
        ({"user": "press 7"}, "user: letters"),
    ):
        answer = await client.post(PATH, json=PRESS | change)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    assert (await client.post(PATH, json=PRESS)).status_code == 201
    assert "already" in (await client.post(PATH, json=PRESS)).json()["detail"]
    assert (await client.put(f"{PATH}/nobody", json={})).status_code == 404
    assert (await client.delete(f"{PATH}/nobody")).status_code == 404


async def test_a_damaged_file_changes_nothing(
    broker: EmbeddedBroker, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The broker keeps whom it knows, and the page says which file is damaged and what to do."""
    secret = (await client.post(PATH, json=PRESS)).json()["password"]
    await until(lambda: code(broker, "press-7", secret) == 0)
    (tmp_path / MADE).write_text("{")
    answer = await client.get(PATH)
    assert answer.status_code == 422
    assert "is damaged" in answer.json()["detail"]
    assert "backup" in answer.json()["hint"]
    assert code(broker, "press-7", secret) == 0


async def test_another_broker_has_its_own_accounts(hub: Hub) -> None:
    """Where the plant names another broker nothing can be made here."""
    hub.app.state.services = replace(hub.services, broker="mqtts://broker.example")
    async with hub.client() as client:
        found = (await client.get(PATH)).json()
        assert found == {"embedded": False, "address": "mqtts://broker.example", "items": [], "next": None}
        answer = await client.post(PATH, json=PRESS)
        assert (answer.status_code, answer.json()["hint"]) == (404, "Make its accounts there.")
    async with hub.client(Role.ENGINEER) as client:
        assert (await client.get(PATH)).status_code == 403


async def test_a_broker_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    """As one error in words, which names the port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plant = Plant.model_validate({**PLANT, "hub": {"broker_port": port}})
        context = PartContext(plant, tmp_path, lambda _: plant, DataFolder(tmp_path), asyncio.Event(), asyncio.Event())
        with pytest.raises(ConnectionFailed, match=str(port)):
            await run_broker(context)
