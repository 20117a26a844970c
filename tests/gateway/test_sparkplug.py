"""The edge node on a real broker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto
from tests.sparkplug.checks import EDGE

from lineshaft.errors import ConnectionFailed
from lineshaft.hub.broker import (
    PASSWORDS,
    BrokerSettings,
    EmbeddedBroker,
    edge_account,
    ensure_credentials,
    hub_account,
)
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.testing import FieldDevice
from lineshaft.wire import names
from lineshaft.wire.sparkplug import SparkplugType, decode


async def test_births_then_data(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A host learns everything from the births and gets each sample exactly."""
    signals = [
        {"name": "force", "unit": "kN", "range": [0, 100], "scale": 0.5, "limits": {"high": 90.0}},
        {"name": "parts", "kind": "counter", "datatype": "UInt64"},
        {"name": "program", "kind": "state", "datatype": "String"},
        "missing",
    ]
    device = FieldDevice(force=20.0, parts=7.0, program="O0042")
    async with running(plant({"press": signals}), {"press": device}, broker.port, folder):
        await until(lambda: len(host.samples("missing")))
        device.values |= {"force": 300.0, "program": "O0043"}
        await until(lambda: len(host.samples("program")) >= 2 and len(host.samples("force")) >= 2)
        host.rebirth()
        await until(lambda: len(host.log.of("DBIRTH")) == 2)
    await until(lambda: host.log.of("NDEATH"))
    births = host.log.of("NBIRTH")
    node = decode(births[0].data)
    assert node.seq == 0
    assert {names.BDSEQ, names.REBIRTH, names.EQUIPMENT, names.VERSION} <= {metric.name for metric in node.metrics}
    dbirth = decode(host.log.of("DBIRTH")[0].data)
    force = dbirth.metric("hall/press/force")
    assert force is not None
    assert force.properties[names.PATH] == "acme/north/hall/press/force"
    assert (force.properties[names.UNIT], force.properties[names.HIGH]) == ("kN", 100.0)
    assert force.properties[names.LIMIT_HIGH] == 90.0
    parts = dbirth.metric("hall/press/parts")
    assert parts is not None
    assert parts.datatype == SparkplugType.UINT64
    assert [(v, q) for _, _, v, q, _ in host.samples("force")] == [(10.0, 192), (150.0, Quality.UNCERTAIN_RANGE)]
    assert [x for *_, x in host.samples("program")] == ["O0042", "O0043"]
    assert [(v, q) for _, _, v, q, _ in host.samples("missing")] == [(None, Quality.BAD_ADDRESS)]
    missing = decode(host.log.of("DBIRTH")[1].data).metric("hall/press/missing")
    assert missing is not None
    assert missing.null
    assert missing.properties[names.QUALITY_BYTE] == Quality.BAD_ADDRESS
    assert [v for _, _, v, _, _ in host.samples("parts")] == [7.0]
    assert host.log.of("NDEATH")[-1].payload.metrics[0].long_value == node.metrics[0].value
    assert host.duplicates == 0


def counting(first: int, count: int) -> Any:
    """What a pushing device sends: values that are their own number."""
    numbers = np.arange(first, first + count)
    return lambda points: SampleBatch.of(np.full(count, points[0].handle), 1_700_000_000_000_000 + numbers, numbers)


def numbers(host: Host, name: str = "force") -> list[int]:
    return [time - 1_700_000_000_000_000 for _, time, value, *_ in host.samples(name) if value == time - 17 * 10**14]


async def test_every_statement_that_can_be_judged_on_the_wire_holds(
    broker: Mosquitto, host: Host, folder: Path
) -> None:
    """A session with births, data, a device that goes and comes, a rebirth and a clean end keeps the specification."""
    devices = {"press": FieldDevice(force=1.0, mode="auto", bad=2.0), "pump": FieldDevice(flow=3.0)}
    signals = {
        "press": [{"name": "force", "unit": "kN"}, {"name": "mode", "datatype": "String"}, {"name": "none"}],
        "pump": ["flow"],
    }
    async with running(plant(signals), devices, broker.port, folder):
        await until(lambda: host.samples("flow") and host.samples("mode"))
        devices["pump"].fault = ConnectionFailed("cable cut")
        await until(lambda: host.log.of("DDEATH"))
        devices["pump"].fault = None
        births = len(host.log.of("DBIRTH"))
        await until(lambda: len(host.log.of("DBIRTH")) > births)
        host.rebirth()
        await until(lambda: len(host.log.of("NBIRTH")) >= 2)
        devices["press"].values["force"] = 5.0
        await until(lambda: len(host.samples("force")) >= 2)
    await until(lambda: host.log.of("NDEATH"))
    kinds = [word for _, _, value, word, _ in host.samples("flow") if value is not None]
    assert kinds[:2] == [192, Quality.STALE]
    assert kinds[-1] == 192
    failed = {}
    for name, check in EDGE.items():
        try:
            check(host.log)
        except AssertionError as error:
            failed[name] = str(error)
    assert failed == {}


async def test_a_cut_broker_loses_nothing(broker: Mosquitto, host: Host, folder: Path) -> None:
    """What is measured while the broker is away comes later, once, with its own times, marked as historical."""
    device = FieldDevice(force=-1.0)
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder, push=True):
        await until(lambda: host.samples("force"))
        for step in range(60):
            device.push(counting(step * 500, 500))
            if step == 20:
                broker.stop()
            if step == 40:
                broker.start()
            await asyncio.sleep(0.02)
        await until(lambda: host.client.is_connected())
        host.state(True)
        await until(lambda: len(numbers(host)) == 30_000)
    assert sorted(numbers(host)) == list(range(30_000))
    assert host.historical >= 9_500
    bdseqs = [birth.payload.metrics[0].long_value for birth in host.log.of("NBIRTH")]
    assert bdseqs == list(range(bdseqs[0], bdseqs[0] + len(bdseqs)))


async def test_the_embedded_broker_carries_the_same(tmp_path: Path, folder: Path) -> None:
    """With the platform's own broker and its topic rights every sample arrives once, over a restart of the broker."""
    accounts = (hub_account("hub"), edge_account("gw", "north", "gw"))
    files = ensure_credentials(tmp_path, ["hub", "gw"])
    words = {name: path.read_text().strip() for name, path in files.items()}
    broker = EmbeddedBroker(BrokerSettings(accounts), tmp_path / PASSWORDS)
    broker.start()
    host = Host(broker.port, user="hub", password=words["hub"])
    host.state(True)
    device, one = FieldDevice(force=-1.0), plant({"press": ["force"]})
    access = {"user": "gw", "password": words["gw"]}
    async with running(one, {"press": device}, broker.port, folder, push=True, **access):
        await until(lambda: host.samples("force"))
        device.push(counting(0, 10_000))
        await until(lambda: len(numbers(host)) == 10_000)
        port = broker.port
        await asyncio.to_thread(broker.stop)
        device.push(counting(10_000, 10_000))
        broker = EmbeddedBroker(BrokerSettings(accounts, port=port), tmp_path / PASSWORDS)
        broker.start()
        await until(lambda: host.client.is_connected())
        host.state(True)
        await until(lambda: len(numbers(host)) == 20_000)
    host.close()
    await asyncio.to_thread(broker.stop)
    assert sorted(numbers(host)) == list(range(20_000))


async def test_what_is_not_acknowledged_is_sent_again(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A host that stored nothing gets everything again after a rebirth, and after a restart of the gateway."""
    device = FieldDevice(force=-1.0)
    host.acknowledge = False
    one = plant({"press": ["force"]})
    async with running(one, {"press": device}, broker.port, folder, push=True) as gateway:
        await until(lambda: host.samples("force"))
        device.push(counting(0, 9_000))
        await until(lambda: len(numbers(host)) == 9_000)
        host.frames.clear()
        host.rebirth()
        await until(lambda: len(numbers(host)) == 9_000)
        assert gateway.status().buffer.rows >= 9_001
    host.frames.clear()
    host.acknowledge = True
    async with running(one, {"press": device}, broker.port, folder, push=True) as gateway:
        await until(lambda: len(numbers(host)) == 9_000)
        await until(lambda: gateway.status().buffer.rows == 0)


async def test_data_waits_for_the_primary_host(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Nothing is born while the host is offline; when it goes the node dies; an old word of it is ignored."""
    device = FieldDevice(force=-1.0)
    host.state(False)
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder, push=True) as gateway:
        await until(lambda: gateway.status().uplinks[0].state == "waiting")
        device.push(counting(0, 10))
        await asyncio.sleep(0.2)
        assert not host.log.of("NBIRTH")
        host.state(True)
        await until(lambda: len(numbers(host)) == 10)
        host.state(False, timestamp=5)
        device.push(counting(10, 10))
        await until(lambda: len(numbers(host)) == 20)
        assert not host.log.of("NDEATH")
        host.state(False)
        await until(lambda: host.log.of("NDEATH"))
        device.push(counting(20, 10))
        await until(lambda: gateway.status().uplinks[0].state == "waiting")
        assert len(numbers(host)) == 20
        host.state(True)
        await until(lambda: len(numbers(host)) == 30)


async def test_a_foreign_host_needs_no_acknowledgement(broker: Mosquitto, host: Host, folder: Path) -> None:
    """With acknowledge: false a frame is done when the broker connection took it."""
    host.acknowledge = False
    device = FieldDevice(force=-1.0)
    foreign = plant({"press": ["force"]}, gateway={"uplinks": [{"acknowledge": False, "primary_host": ""}]})
    async with running(foreign, {"press": device}, broker.port, folder, push=True) as gateway:
        await until(lambda: host.samples("force"))
        device.push(counting(0, 20_000))
        await until(lambda: len(numbers(host)) == 20_000)
        await until(lambda: gateway.status().buffer.rows == 0)


async def test_samples_of_a_signal_that_the_plant_lost_still_arrive(
    broker: Mosquitto, host: Host, folder: Path
) -> None:
    """A changed plant never touches the buffer: removed signals and devices are announced until they are sent."""
    devices = {"press": FieldDevice(force=-1.0), "old": FieldDevice(speed=4.0)}
    host.state(False)
    async with running(
        plant({"press": ["force"], "old": ["speed"]}), devices, broker.port, folder, push=True
    ) as gateway:
        await until(lambda: gateway.status().buffer.rows >= 2)
    host.state(True)
    async with running(plant({"press": ["stroke"]}), devices, broker.port, folder, push=True):
        await until(lambda: host.samples("force") and host.samples("speed"))
    assert [value for _, _, value, *_ in host.samples("speed")] == [4.0]


async def test_malformed_messages_are_counted_and_disturb_nothing(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Rubbish on the command and STATE topics changes nothing."""
    device = FieldDevice(force=-1.0)
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder, push=True):
        await until(lambda: host.samples("force"))
        for topic in ("spBv1.0/north/NCMD/gw", "spBv1.0/STATE/lineshaft", "spBv1.0/north/DCMD/gw/press"):
            for payload in (b"", b"\xff" * 50, b"[]", b"{}", b'{"online":1,"timestamp":"x"}', b"\x12\x05\x0a\x03abc"):
                host.client.publish(topic, payload, qos=1).wait_for_publish(30)
        device.push(counting(0, 10))
        await until(lambda: len(numbers(host)) == 10)
    assert len(host.log.of("NBIRTH")) == 1


async def test_a_broker_that_is_away_at_the_start_is_found_later(broker: Mosquitto, folder: Path) -> None:
    """The gateway starts, says why it is not connected, and connects by itself."""
    broker.stop()
    device = FieldDevice(force=-1.0)
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder) as gateway:
        await until(lambda: gateway.status().uplinks[0].state == "offline")
        assert "cannot reach the broker" in gateway.status().uplinks[0].error
        broker.start()
        observer = Host(broker.port)
        observer.state(True)
        await until(lambda: observer.samples("force"))
    observer.close()
