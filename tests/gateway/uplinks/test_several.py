"""One gateway feeds several sinks at once, and none of them depends on another."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.helpers import Host, plant, running, until
from tests.gateway.uplinks.line import Line, Watcher
from tests.gateway.uplinks.pki import Authority
from tests.gateway.uplinks.web import Endpoint, endpoint
from tests.hub.mqtt import Mosquitto
from tests.memory import held
from tests.ports import free_port

from lineshaft.config.models import GatewayConfig
from lineshaft.errors import ConfigError
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.store import BufferOptions
from lineshaft.testing import FieldDevice


@pytest.fixture
def server(authority: Authority) -> Iterator[Endpoint]:
    with endpoint(authority.server()) as made:
        yield made


def json_uplink(port: int, **more: object) -> dict[str, Any]:
    return {"type": "mqtt-json", "broker": f"mqtt://127.0.0.1:{port}", "layout": "batch", **more}


def https_uplink(server: Endpoint, authority: Authority) -> dict[str, Any]:
    return {"type": "https", "url": server.url, "tls": {"ca_file": str(authority.ca)}}


async def test_a_dead_sink_holds_up_no_other(
    broker: Mosquitto, watcher: Watcher, server: Endpoint, authority: Authority, folder: Path
) -> None:
    """While one sink takes nothing the others stay current; when it comes back it gets everything, they nothing."""
    server.down = True
    line = Line(folder, [json_uplink(broker.port), https_uplink(server, authority)])
    async with line.running():
        for _ in range(40):
            line.write(50)
            await until(lambda: line.forwarders["uns"].done)
        assert line.status("https").pending_rows == 2_000
        assert line.status("https").state == "offline"
        assert (line.status("uns").state, line.status("uns").error) == ("online", "")
        await until(lambda: len(watcher.samples()) == 2_000)
        server.down = False
        await until(lambda: line.forwarders["https"].done)
    assert server.samples() == dict.fromkeys(line.written, 1)
    assert watcher.samples() == dict.fromkeys(line.written, 1)


async def test_each_place_in_the_buffer_survives_a_restart(
    broker: Mosquitto, watcher: Watcher, server: Endpoint, authority: Authority, folder: Path
) -> None:
    """After a restart each sink goes on where it stood: one repeats nothing, the other misses nothing."""
    server.down = True
    sinks = [json_uplink(broker.port), https_uplink(server, authority)]
    line = Line(folder, sinks)
    async with line.running():
        for _ in range(10):
            line.write(50)
        await until(lambda: line.forwarders["uns"].done)
    server.down = False
    again = Line(folder, sinks)
    assert (again.status("uns").pending_rows, again.status("https").pending_rows) == (0, 500)
    async with again.running():
        await until(lambda: again.forwarders["https"].done)
    await until(lambda: len(watcher.samples()) == 500)
    assert watcher.samples() == dict.fromkeys(line.written, 1)
    assert server.samples() == dict.fromkeys(line.written, 1)


async def test_a_sink_that_is_gone_for_long_costs_no_memory(broker: Mosquitto, folder: Path) -> None:
    """85,000 samples wait on the disk for a dead sink: the memory stays where it was."""
    dead = {**json_uplink(free_port()), "id": "dead"}
    line = Line(folder, [json_uplink(broker.port), dead], options=BufferOptions(segment_bytes=1 << 20))
    async with line.running():
        tracemalloc.start()
        try:
            for _ in range(3):
                await _pass(line, 5)
            before = held()
            for _ in range(14):
                await _pass(line, 5)
            after = held()
        finally:
            tracemalloc.stop()
    assert line.status("dead").pending_rows == 85_000
    assert after - before < 300_000


async def _pass(line: Line, frames: int) -> None:
    """Write frames, and wait until the sink that lives has them; forgets what was written."""
    for _ in range(frames):
        line.write(1_000)
    line.written.clear()
    await until(lambda: line.forwarders["uns"].done)


async def test_a_full_buffer_drops_only_for_the_dead_sink(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """At the bound the oldest samples go for the sink that lacks them, counted for it; the other has them."""
    dead = {**json_uplink(free_port()), "id": "dead"}
    options = BufferOptions(max_bytes=400_000, segment_bytes=50_000)
    line = Line(folder, [json_uplink(broker.port), dead], options=options)
    async with line.running():
        for _ in range(50):
            line.write(800)
            await until(lambda: line.forwarders["uns"].done)
        dropped = sum(rows for _, rows, reason in line.drops() if reason == "buffer size")
        assert dropped + line.status("dead").pending_rows >= 40_000
        assert 0 < line.status("dead").pending_rows < 25_000
    await until(lambda: len(watcher.samples()) == 40_000)


async def test_a_whole_gateway_feeds_hub_and_cloud(
    broker: Mosquitto, host: Host, server: Endpoint, authority: Authority, folder: Path
) -> None:
    """Sparkplug with acknowledgement, a unified namespace and an endpoint get the same samples of one device."""
    watcher = Watcher(broker.port, "acme/#")
    sinks = [
        {"type": "sparkplug", "broker": f"mqtt://127.0.0.1:{broker.port}"},
        json_uplink(broker.port),
        https_uplink(server, authority),
    ]
    device = FieldDevice(force=0.0)
    one = plant({"press": ["force"]}, poll="20ms", gateway={"uplinks": sinks})
    async with running(one, {"press": device}, 1, folder) as gateway:
        await until(lambda: all(uplink.state == "online" for uplink in gateway.status().uplinks))
        for step in range(30):
            device.values["force"], read = float(step), device.reads
            await until(lambda read=read: device.reads > read + 1)  # type: ignore[misc]
        await until(lambda: not any(uplink.pending_rows for uplink in gateway.status().uplinks))
    hub = {(row[1], row[2]) for row in host.samples("force")}
    assert len(hub) > 10
    await until(lambda: {(time, value) for _, time, value in watcher.samples()} == hub)
    assert {(time, value) for _, time, value in server.samples()} == hub
    watcher.close()


async def test_one_mistake_stops_no_other_sink(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """A certificate that cannot be read is that sink's own trouble, said in its status."""
    wrong = {"type": "https", "url": "https://localhost:1/", "tls": {"ca_file": "missing.pem"}}
    line = Line(folder, [json_uplink(broker.port), wrong])
    async with line.running():
        line.write(10)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: "cannot use the certificates" in line.status("https").error)
    await until(lambda: len(watcher.samples()) == 10)


def test_missing_secrets_are_found_before_anything_connects(tmp_path: Path) -> None:
    """Every file that holds a secret is looked at when the gateway is made; all mistakes are named at once."""
    sinks = [
        {"type": "https", "url": "https://localhost/", "token_file": "token"},
        {"type": "azure-iot", "hub": "localhost", "key_file": "key"},
        json_uplink(1, password_file="password"),
    ]
    one = plant({"press": ["force"]})
    config = GatewayConfig.model_validate({"uplinks": sinks})
    (tmp_path / "password").write_text(" \n")
    with pytest.raises(ConfigError) as caught:
        Gateway(make_plan(one), {}, GatewayOptions(config, tmp_path))
    for words in ("https: the token file", "azure: the key file", "uns: the password file password is empty"):
        assert words in str(caught.value)
