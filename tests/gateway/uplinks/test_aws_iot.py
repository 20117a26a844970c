"""AWS IoT Core: its documented contract, enforced by Mosquitto and by a gate before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.helpers import plan_of, until
from tests.gateway.uplinks.brokers import TlsMosquitto
from tests.gateway.uplinks.gate import BAD_ID, NOT_AUTHORIZED, Connect, Publish, Rate, gate
from tests.gateway.uplinks.line import FastClock, Line, Watcher
from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto

from lineshaft.config.models import GatewayConfig
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.aws_iot import ALPN
from lineshaft.gateway.uplinks.builtin import problems
from lineshaft.wire.topics import aws_problem

PAYLOAD = 128 * 1024


@dataclass
class Service:
    """The contract of one endpoint."""

    alpn: str = ""
    rate: Rate = field(default_factory=lambda: Rate(100))
    payload: int = PAYLOAD

    def connect(self, packet: Connect, certificate: str) -> int:
        if len(packet.client_id.encode()) > 128 or not packet.client_id:
            return BAD_ID
        return 0 if packet.client_id == certificate and 30 <= packet.keepalive <= 1200 else NOT_AUTHORIZED

    def publish(self, packet: Publish) -> str:
        if packet.qos > 1:
            return "QoS 2"
        if len(packet.payload) > self.payload:
            return f"payload of {len(packet.payload)} bytes"
        if packet.topic.count("/") > 7 or len(packet.topic.encode()) > 256:
            return f"topic {packet.topic}"
        return "too fast" if self.rate.exceeded() else ""

    def subscribe(self, filters: list[str]) -> str:
        return "more than 8 filters" if len(filters) > 8 else ""

    def answer(self, packet: Publish) -> list[tuple[str, bytes]] | None:
        return None

    def until(self, packet: Connect) -> float | None:
        return None


def uplink(port: int, authority: Authority, **more: object) -> dict[str, Any]:
    keys = {"type": "aws-iot", "endpoint": "localhost", "port": port, "tls": authority.tls("gw"), **more}
    return dict(keys)


RIGHTS = "user gw\ntopic readwrite lineshaft/#\n"


async def test_mosquitto_with_the_rules_of_the_service_takes_all(
    tmp_path: Path, authority: Authority, folder: Path
) -> None:
    """Certificate required, rights by thing name, QoS 1 at most, 128 KB: a large backlog arrives whole."""
    broker = TlsMosquitto(
        tmp_path, authority, acl=RIGHTS, more=f"message_size_limit {PAYLOAD}\n", listener="max_qos 1\n"
    )  # fmt: skip
    broker.start()
    watcher = Watcher(broker.port)
    line = Line(folder, [uplink(broker.tls_port, authority)])
    async with line.running():
        for _ in range(6):
            line.write(2_000)
        await until(lambda: line.forwarders["aws"].done)
        await until(lambda: len(watcher.samples()) == len(line.written))
    assert set(watcher.samples()) == set(line.written)
    assert {topic for topic, _, _ in watcher.messages} == {"lineshaft/acme/north/gw/press"}
    sizes = [len(payload) for _, payload, _ in watcher.messages]
    assert 100_000 < max(sizes) <= PAYLOAD
    watcher.close()
    broker.stop()


async def test_the_handshake_names_server_and_protocol(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """SNI carries the endpoint and ALPN x-amzn-mqtt-ca; the client id is the thing."""
    async with gate(Service(ALPN), authority.server(clients=True), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, alpn=ALPN)])
        async with line.running():
            line.write(10)
            await until(lambda: line.forwarders["aws"].done)
            await until(lambda: len(watcher.samples()) == 10)
    assert set(door.server_names) == {"localhost"}
    assert [(c.client_id, c.level, c.has_will) for c in door.connects] == [("gw", 4, False)]
    assert door.refusals == []


async def test_port_443_asks_for_the_protocol_by_itself(authority: Authority, folder: Path) -> None:
    """On port 443 the protocol name is used without a key; on 8883 none."""
    line = Line(folder, [uplink(443, authority), uplink(8883, authority, id="b")])
    alpn = {name: forwarder.uplink.session().access.alpn for name, forwarder in line.forwarders.items()}  # type: ignore[attr-defined]
    assert alpn == {"aws": ALPN, "b": ""}
    line.buffer.close()


async def test_a_wrong_protocol_name_is_refused(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """Without the right ALPN nothing is lost and the status has words; with it all goes."""
    async with gate(Service(ALPN), authority.server(clients=True), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, alpn="mqtt")])
        async with line.running():
            line.write(10)
            await until(lambda: door.refusals)
            await until(lambda: line.status().state == "offline")
            assert "broker at localhost" in line.status().error
            assert line.status().pending_rows == 10
        assert set(door.refusals) == {"wrong ALPN: None"}
        again = Line(folder, [uplink(door.port, authority, alpn=ALPN)])
        async with again.running():
            await until(lambda: again.forwarders["aws"].done)
    await until(lambda: set(watcher.samples()) == set(line.written))


async def test_a_foreign_certificate_is_refused(
    broker: Mosquitto, authority: Authority, tmp_path: Path, folder: Path
) -> None:
    """A certificate of another authority gets nowhere; nor does that of another thing."""
    other = Authority(tmp_path / "other", "Other CA")
    tls = {**other.tls("gw"), "ca_file": str(authority.ca)}
    async with gate(Service(), authority.server(clients=True), broker.port) as door:
        for keys, words in (({"tls": tls}, "broker at localhost"), ({"thing": "press-2"}, "Not authorized")):
            line = Line(folder, [uplink(door.port, authority, **keys)])
            async with line.running():
                line.write(1)
                await until(lambda line=line, words=words: words in line.status().error)  # type: ignore[misc]
            assert line.status().pending_rows >= 1


async def test_what_is_too_large_is_cut_smaller(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """A door with a smaller bound than documented cuts the session: messages shrink until they fit, all arrive."""
    clock = FastClock(10)
    async with gate(Service(payload=20_000), authority.server(clients=True), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority)], clock=clock)
        async with line.running():
            line.write(2_000)
            await until(lambda: line.status().error)
            await until(lambda: line.forwarders["aws"].done, 40)
        assert any(reason.startswith("payload of") for reason in door.refusals)
    await until(lambda: set(watcher.samples()) == set(line.written))


async def test_the_quota_is_kept(broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path) -> None:
    """A backlog of single values goes at the configured rate: never more than the quota in any second."""
    async with gate(Service(rate=Rate(50)), authority.server(clients=True), broker.port) as door:
        keys = {"layout": "signal", "max_rate": 40.0}
        line = Line(folder, [uplink(door.port, authority, **keys)])
        async with line.running():
            line.write(120)
            await until(lambda: line.forwarders["aws"].done)
            await until(lambda: len(watcher.documents("/force")) == 120)
    assert door.refusals == []
    assert line.status().resent_frames == 0


async def test_too_fast_is_refused_and_survived(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """A gateway that is set too fast is cut off, says so, goes slower, and loses nothing."""
    async with gate(Service(rate=Rate(25)), authority.server(clients=True), broker.port) as door:
        keys = {"layout": "signal", "max_rate": 60.0}
        line = Line(folder, [uplink(door.port, authority, **keys)])
        errors = set()
        async with line.running():
            for _ in range(15):
                line.write(8)

            def done() -> bool:
                errors.add(line.status().error)
                return line.forwarders["aws"].done

            await until(done, 60)
        assert "too fast" in door.refusals
        assert any("connection to the broker was lost" in error for error in errors)
    await until(lambda: {d["value"] for d in watcher.documents("/force")} == {float(n) for n in range(120)})


def test_topics_that_do_not_fit_are_found_before_anything_connects(authority: Authority, tmp_path: Path) -> None:
    """More than seven slashes or 256 bytes: refused with the topic and what to do; rule levels are free."""
    plan = plan_of({"press": ["force"]})

    def found(**keys: object) -> list[str]:
        config = GatewayConfig.model_validate({"uplinks": [uplink(8883, authority, **keys)]})
        return problems(config.uplinks[0], plan, Files("aws", tmp_path))

    assert found() == []
    assert found(layout="signal", prefix="a/b/c") == []
    (text,) = found(layout="signal", prefix="a/b/c/d")
    assert "8 slashes" in text
    assert "layout: batch" in text
    assert "256" in found(layout="asset", prefix="p" * 240)[0]
    assert found(layout="signal", prefix="$aws/rules/to_lake/a/b/c") == []
    assert aws_problem("$aws/rules/r/" + "a/" * 8 + "b") != ""
