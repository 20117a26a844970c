"""A burst that is none is told as an event with its reason, whichever way it came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from asyncua import ua
from tests.drivers.http_json.api import Api
from tests.drivers.opcua.space import new_server
from tests.gateway.live import Seen
from tests.hub.mqtt import Mosquitto, Peer
from tests.ports import free_port

from lineshaft.clock import SystemClock
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.plan import make_plan
from lineshaft.model.events import Event

PLANT = """
plant: {{enterprise: acme, site: north, name: North, timezone: UTC}}
equipment: [{{id: hall, level: area}}]
devices:
"""
DEVICE = """
  - id: {id}
    driver: {driver}
    connection: {connection}
    asset: hall
    signals:
      - name: burst-{id}
        address: {address}
        kind: waveform
        unit: m/s2
        poll: 50ms
        waveform: {{rate: 1000, samples: 4}}
"""
NAN = '{"data": [1.5, NaN, 3.5, 4.5]}'
SHORT = '{"data": [1.5, 2.5]}'
GOOD = '{"data": [1.5, 2.5, 3.5, 4.5]}'


@dataclass
class Field:
    """Where senders and servers of the plant are."""

    folder: Path
    broker: Mosquitto
    api: Api
    hook: int
    opcua: int

    def plant(self) -> str:
        """The plant file."""
        token = str(self.folder / "token")
        keys: dict[str, tuple[str, dict[str, Any], Any]] = {
            "files": ("files", {"folder": str(self.folder / "drop"), "scan": "10ms", "settle": "20ms"},
                      {"item": "x", "file": "*.csv"}),
            "mqtt": ("mqtt", {"url": f"mqtt://127.0.0.1:{self.broker.port}"}, "vib /data"),
            "webhook": ("webhook", {"port": self.hook, "path": "/in", "token_file": token}, "/data"),
            "http": ("http", {"url": f"http://127.0.0.1:{self.api.port}/"}, "vib /data"),
            "opcua": ("opcua", {"url": f"opc.tcp://127.0.0.1:{self.opcua}/", "security": "none"}, "ns=1;s=vib"),
            "replay": ("replay", {"path": str(self.folder / "record.csv"), "speed": "max"}, "vib"),
        }  # fmt: skip
        return PLANT.format() + "".join(
            DEVICE.format(id=name, driver=driver, connection=json.dumps(connection), address=json.dumps(address))
            for name, (driver, connection, address) in keys.items()
        )


@asynccontextmanager
async def field(folder: Path, broker: Mosquitto) -> AsyncIterator[tuple[Field, Any]]:
    """Servers whose one burst has a NaN: an OPC UA server, a JSON API, a recording."""
    (folder / "token").write_text("right\n")
    (folder / "drop").mkdir()
    (folder / "record.csv").write_text("time,vib\n1,1.5 nan 3.5 4.5\n")
    api, port = Api(), free_port()
    api.documents = {"/vib": NAN.encode()}
    await api.start()
    server = await new_server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    array = [1.5, float("nan"), 3.5, 4.5]
    node = await server.nodes.objects.add_variable(ua.NodeId("vib", 1), "vib", array, ua.VariantType.Double)
    try:
        async with server:
            yield Field(folder, broker, api, free_port(), port), node
    finally:
        await api.stop()


async def test_nan_and_a_wrong_length_are_told_of_whichever_way_they_came(tmp_path: Path, broker: Mosquitto) -> None:
    """Six ways: NaN is told once with device, place and reason; after a good burst a wrong length is told as well."""
    async with AsyncExitStack() as stack:
        there, node = await stack.enter_async_context(field(tmp_path, broker))
        (tmp_path / "plant").mkdir()
        (tmp_path / "plant" / "plant.yaml").write_text(there.plant())
        plan, seen = make_plan(load_plant(tmp_path / "plant", DRIVERS)), Seen()
        engine = Engine(plan.devices, DRIVERS, seen, SystemClock(), plan.device_path)
        running = asyncio.create_task(engine.run())
        http = await stack.enter_async_context(httpx.AsyncClient(headers={"Authorization": "Bearer right"}))
        peer = stack.enter_context(Peer(broker.port))

        async def send(text: str, name: str) -> None:
            data = json.loads(text)["data"]
            peer.client.publish("vib", text.replace("NaN", "null"), 1).wait_for_publish(30)
            (tmp_path / "drop" / f"{name}.csv").write_text("x\n" + "\n".join(str(one) for one in data))
            await http.post(f"http://127.0.0.1:{there.hook}/in", content=text)
            there.api.documents = {"/vib": text.encode()}
            await node.write_value(ua.Variant(data, ua.VariantType.Double))

        try:
            await seen.until(lambda: all(one.state in ("online", "degraded") for one in engine.status()))
            await send(NAN, "a")
            await seen.until(lambda: len(told(seen.events)) == 6)
            await send(GOOD, "b")
            await seen.until(lambda: all(seen.good.get(name) for name in set(told(seen.events)) - {"replay"}))
            await send(SHORT, "c")
            await seen.until(lambda: sum(map(len, told(seen.events).values())) == 11)  # a recording has but one
            status = engine.status()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert all(one.broken_bursts and one.burst_error for one in status)
    for name, (first, *rest) in told(seen.events).items():
        assert any(word in first.message for word in ("no numbers", "one row of numbers", "NaN")), first.message
        assert first.details["address"]
        assert first.details["signal"] == f"acme/north/hall/burst-{name}"
        assert first.details["reason"] in first.message
        assert [("half a waveform: 2 of 4" in one.message) for one in rest] == ([] if name == "replay" else [True])


def told(events: list[Event]) -> dict[str, list[Event]]:
    """Device -> events about its bursts."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == "waveform.malformed":
            found.setdefault(event.subject.rpartition("/")[2], []).append(event)
    return found
