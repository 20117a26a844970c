"""The hub asks a gateway over a real broker, and gets its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.helpers import plant
from tests.hub.ingest.conftest import Hub, broker, hub
from tests.hub.ingest.edge import until
from tests.hub.mqtt import Peer

from lineshaft.clock import SystemClock
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, ConnectionFailed, Problem, Unsupported
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.hub.requests import GatewayFailed, GatewayRefused, Requests
from lineshaft.testing import FieldDevice, ScriptedDriver
from lineshaft.wire import names, topics
from lineshaft.wire.requests import Answer, Assembler, Request, decode_request, encode_answer, encode_request
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, encode

__all__ = ["broker", "hub"]
NODE = "north/gw"


class Handlers:
    """What the gateway of these tests can be asked for."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def echo(self, request: Request) -> Mapping[str, Any]:
        self.done.append(request.id)
        return {"by": request.by, **request.body}

    async def refuse(self, request: Request) -> Mapping[str, Any]:
        raise Unsupported("not writable", hint="allow it")

    async def check(self, request: Request) -> Mapping[str, Any]:
        raise ConfigError("one problem", [Problem("plant.yaml", 3, "plant.site", "a b", "not an id", "letters")])

    async def fail(self, request: Request) -> Mapping[str, Any]:
        raise ConnectionFailed("no such device")

    async def fault(self, request: Request) -> Mapping[str, Any]:
        raise ZeroDivisionError

    async def hang(self, request: Request) -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    def all(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("echo", "refuse", "check", "fail", "fault", "hang")}


class Running:
    """A gateway with one device, beside the hub."""

    def __init__(self, port: int, folder: Path, handlers: Handlers, **sections: Any) -> None:
        clock = SystemClock()
        made: Plant = plant({"press": ["force"]}, **sections)
        spec = ScriptedDriver.spec({"press": FieldDevice(force=1.0)}, clock)
        options = GatewayOptions(made.gateway, folder, BrokerAccess("127.0.0.1", port), clock, handlers.all())
        self._gateway = Gateway(make_plan(made), {"scripted": spec}, options)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._gateway.run(self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._task


async def test_a_gateway_answers(hub: Hub, tmp_path: Path) -> None:
    """A ping, a request with a body in both directions, and each way of saying no come back as what they are."""
    ask = hub.ingest.requests.ask
    with pytest.raises(ConnectionFailed, match="offline"):
        await ask(NODE, "ping")
    async with Running(hub.port, tmp_path / "gw", Handlers()):
        await asyncio.to_thread(until, lambda: hub.catalogue.state(NODE) == "online")
        assert (await ask(NODE, "ping"))["node"] == "north/gw"
        long = "ö" * 500_000
        assert await ask(NODE, "echo", {"text": long}, by="anna") == {"by": "anna", "text": long}
        with pytest.raises(GatewayRefused, match="not writable") as refused:
            await ask(NODE, "refuse")
        assert refused.value.hint == "allow it"
        with pytest.raises(ConfigError) as wrong:
            await ask(NODE, "check")
        assert wrong.value.problems[0] == Problem("plant.yaml", 3, "plant.site", "a b", "not an id", "letters")
        with pytest.raises(GatewayFailed, match="no such device"):
            await ask(NODE, "fail")
        with pytest.raises(GatewayFailed, match="ZeroDivisionError"):
            await ask(NODE, "fault")
        with pytest.raises(GatewayFailed, match="not done within"):
            await ask(NODE, "hang", within=0.2)
        with pytest.raises(GatewayRefused, match="knows no request 'dance'"):
            await ask(NODE, "dance")
        with pytest.raises(GatewayRefused, match="after its deadline"):
            await ask(NODE, "echo", within=-1.5)
    assert hub.figures.rejected == {}


def send_twice(port: int, request: Request) -> None:
    """The request, twice, as somebody with the right to command would send it; then a wish for a new birth."""
    with Peer(port) as peer:
        topic = topics.command_topics("north", "gw")[0]
        for part in encode_request(request) * 2:
            metric = Metric(names.REQUEST, SparkplugType.BYTES, part)
            peer.publish(topic, encode(Payload(1, None, (metric,))))
        peer.publish(topic, encode(Payload(1, None, (Metric(names.REBIRTH, SparkplugType.BOOLEAN, True),))))


async def test_nothing_is_done_twice(hub: Hub, tmp_path: Path) -> None:
    """A request whose message comes again is done once."""
    handlers = Handlers()
    request = Request("ab" * 16, "echo", SystemClock().now_us() + 60_000_000)
    async with Running(hub.port, tmp_path / "gw", handlers):
        await asyncio.to_thread(until, lambda: hub.catalogue.state(NODE) == "online")
        send_twice(hub.port, request)
        await hub.ingest.requests.ask(NODE, "echo")
    assert handlers.done.count(request.id) == 1


async def test_a_foreign_host_has_nothing_to_ask(hub: Hub, tmp_path: Path) -> None:
    """A gateway does requests only for a host that acknowledges, which is Lineshaft's own, and says so at birth."""
    uplink = {"id": "foreign", "acknowledge": False}
    handlers = Handlers()
    with Peer(hub.port) as peer:
        peer.subscribe("spBv1.0/north/NBIRTH/gw")
        async with Running(hub.port, tmp_path / "gw", handlers, gateway={"uplinks": [uplink]}):
            await asyncio.to_thread(peer.take)
            await asyncio.to_thread(until, lambda: hub.catalogue.state(NODE) == "online")
            with pytest.raises(ConnectionFailed, match="takes no requests"):
                await hub.ingest.requests.ask(NODE, "echo")
            send_twice(hub.port, Request("ab" * 16, "echo", SystemClock().now_us() + 60_000_000))
            await asyncio.to_thread(peer.take)  # the birth that was asked for after it
    assert handlers.done == []


async def test_only_the_asked_gateway_can_answer() -> None:
    """An answer under the name of another node is dropped."""
    sent: list[Metric] = []
    mine = Requests(lambda node, metric: not sent.append(metric))
    asking = asyncio.ensure_future(mine.ask(NODE, "ping", within=30))
    await asyncio.sleep(0)
    data = Assembler().add(bytes(sent[0].value))  # type: ignore[arg-type]
    assert data is not None
    (part,) = encode_answer(Answer(decode_request(data).id, "done", {"ok": True}))
    mine.answered("north/other", part)
    mine.answered(NODE, part)
    assert await asking == {"ok": True}
