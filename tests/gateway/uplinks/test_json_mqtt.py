"""JSON over MQTT in a unified namespace, against Mosquitto."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.gateway.helpers import plant, running, until
from tests.gateway.uplinks.brokers import TlsMosquitto
from tests.gateway.uplinks.line import START, FastClock, Line, Watcher, sample_time
from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto

from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch
from lineshaft.testing import FieldDevice
from lineshaft.wire.notes import EventNote, LedgerNote

FORCE = "acme/north/hall/press/force"


def uplink(port: int, **more: object) -> dict[str, object]:
    return {"type": "mqtt-json", "broker": f"mqtt://127.0.0.1:{port}", **more}


async def test_each_signal_has_its_topic(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """A value goes to the topic of its signal, with time, quality and unit, and every one arrives."""
    line = Line(folder, [uplink(broker.port)])
    async with line.running():
        line.write(50)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: len(watcher.documents("/force")) == 50)
    document = watcher.documents("/force")[1]
    assert document == {"timestamp": "2026-01-02T03:00:00.001000Z", "value": 1.0, "quality": "good", "unit": "kN"}
    assert {topic for topic, _, _ in watcher.messages if topic.endswith("force")} == {FORCE}


async def test_the_broker_keeps_the_newest_value(broker: Mosquitto, folder: Path) -> None:
    """Who comes later sees the newest live value of a signal; samples from before never replace it."""
    line = Line(folder, [uplink(broker.port)])
    line.write(10)  # before the connection: history
    async with line.running():
        await until(lambda: line.status().state == "online")
        line.write(5)
        await until(lambda: line.forwarders["uns"].done)
        late = Watcher(broker.port, FORCE)
        await until(lambda: late.messages)
        late.close()
    ((_, payload, retained),) = late.messages
    assert retained
    assert json.loads(payload)["value"] == 14.0


async def test_the_exact_form_of_other_namespaces(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """With `timestamps: ms`, nothing included and a prefix, a message is time and value alone."""
    keys = {"timestamps": "ms", "include": [], "prefix": "umh/v1", "retain": False}
    line = Line(folder, [uplink(broker.port, **keys)])
    async with line.running():
        line.write(1)
        await until(lambda: watcher.documents("/force"))
    assert [m for m in watcher.messages if m[0].endswith("force")] == [
        (f"umh/v1/{FORCE}", b'{"timestamp_ms":1767322800000,"value":0.0}', False)
    ]


async def test_an_asset_has_its_topic(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """With `layout: asset` the values of one instant come together, and a second value of a signal comes next."""
    line = Line(folder, [uplink(broker.port, layout="asset", include=["state"])])
    async with line.running():
        line.buffer.append("press", SampleBatch.of([0, 1, 2, 0], [START, START, START, START], [1.5, 7, 1, 2.5]))
        await until(lambda: len(watcher.documents("/press")) == 2)
    time = "2026-01-02T03:00:00.000000Z"
    assert watcher.documents("acme/north/hall/press") == [
        {
            "timestamp": time,
            "signals": {
                "force": {"value": 1.5},
                "count": {"value": 7},
                "running": {"value": True, "state": "running"},
            },
        },
        {"timestamp": time, "signals": {"force": {"value": 2.5}}},
    ]


async def test_a_device_has_its_topic(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """With `layout: batch` many samples share a message, each with its place in the buffer, below the size bound."""
    line = Line(folder, [uplink(broker.port, layout="batch", max_message="4KB")])
    async with line.running():
        for _ in range(20):
            line.write(30)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: len(watcher.samples()) == 600)
    assert watcher.samples() == dict.fromkeys(line.written, 1)
    batches = [(topic, payload) for topic, payload, _ in watcher.messages if b'"samples"' in payload]
    assert {topic for topic, _ in batches} == {"acme/north/gw/press"}
    assert max(len(payload) for _, payload in batches) <= 4_000
    rows = [
        (sample["frame"], sample["row"]) for document in watcher.documents("/press") for sample in document["samples"]
    ]
    assert rows == [(frame, row) for frame in range(1, 21) for row in range(30)]
    assert {document["epoch"] for document in watcher.documents("/press")} == {line.buffer.epoch.hex()}


async def test_events_go_too_and_what_only_the_hub_reads_does_not(
    broker: Mosquitto, watcher: Watcher, folder: Path
) -> None:
    """Events have a topic of the gateway; ledger notes count as delivered without a message."""
    line = Line(folder, [uplink(broker.port)])
    async with line.running():
        line.buffer.append_note(LedgerNote("00" * 16, 1, {"a": 1}))
        line.buffer.append_note(EventNote(Event(START, "device.offline", "acme/north/gw/press", "It is gone.")))
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: watcher.documents("/events"))
    (document,) = watcher.documents("/events")
    assert document["gateway"] == "acme/north/gw"
    (event,) = document["events"]
    assert (event["kind"], event["message"], sample_time(event)) == ("device.offline", "It is gone.", START)
    assert line.buffer.last == 2


async def test_the_status_topic_is_true(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """`status` is retained: online while connected, offline after an end, whether said or not."""
    line = Line(folder, [uplink(broker.port)])
    async with line.running():
        await until(lambda: watcher.documents("gw/status"))
    await until(lambda: len(watcher.documents("gw/status")) == 2)
    assert [document["online"] for document in watcher.documents("gw/status")] == [True, False]


async def test_nothing_is_lost_when_the_broker_goes(broker: Mosquitto, folder: Path) -> None:
    """Samples before, during and after an outage all arrive; the status says what is wrong meanwhile."""
    clock = FastClock(10)
    line = Line(folder, [uplink(broker.port, layout="batch")], clock=clock)
    seen: set[object] = set()
    watcher = Watcher(broker.port)
    async with line.running():
        for _ in range(30):
            line.write(20)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: set(line.written) <= set(watcher.samples()))  # the broker has them, the watcher soon
        seen |= set(watcher.samples())
        watcher.close()
        broker.stop()
        await until(lambda: line.status().state == "offline")
        for _ in range(30):
            line.write(20)
        await until(lambda: "cannot reach the broker" in line.status().error)
        assert line.status().pending_rows == 600
        broker.start()
        watcher = Watcher(broker.port)
        await until(lambda: line.status().state == "online")
        assert line.status().error == ""
        line.write(20)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: set(line.written) <= seen | set(watcher.samples()))
        watcher.close()


async def test_a_broker_without_the_right_is_told(tmp_path: Path, authority: Authority, folder: Path) -> None:
    """A message that the broker refuses is not delivered: it waits, the status names the refusal, and it goes later."""
    broker = TlsMosquitto(tmp_path, authority, acl="user press-gw\ntopic readwrite other/#\n")
    broker.start()
    keys = {
        "type": "mqtt-json", "broker": f"mqtts://localhost:{broker.tls_port}", "tls": authority.tls("press-gw"),
        "layout": "batch",
    }  # fmt: skip
    line = Line(folder, [keys], clock=FastClock(20))
    async with line.running():
        line.write(5)
        await until(lambda: "Not authorized" in line.status().error)
        assert line.status().pending_rows == 5
        broker.stop()
        (tmp_path / "rights").write_text("user press-gw\ntopic readwrite acme/#\n")
        broker.start()
        watcher = Watcher(broker.port)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: set(watcher.samples()) == set(line.written))
        watcher.close()
    broker.stop()


async def test_a_broker_bound_on_size_is_followed(tmp_path: Path, authority: Authority, folder: Path) -> None:
    """A broker that says how large a packet may be gets smaller messages from the start, and all samples."""
    broker = TlsMosquitto(tmp_path, authority, more="max_packet_size 3000\n")
    broker.start()
    watcher = Watcher(broker.port)
    line = Line(folder, [uplink(broker.port, layout="batch")])
    async with line.running():
        line.write(500)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: set(watcher.samples()) == set(line.written))
    watcher.close()
    broker.stop()


async def test_a_broker_that_refuses_large_messages_gets_smaller_ones(
    tmp_path: Path, authority: Authority, folder: Path
) -> None:
    """A bound that is only told by a refusal is found by halving; nothing is lost."""
    broker = TlsMosquitto(tmp_path, authority, more="message_size_limit 3000\n")
    broker.start()
    watcher = Watcher(broker.port)
    line = Line(folder, [uplink(broker.port, layout="batch", max_message="20KB")], clock=FastClock(10))
    async with line.running():
        line.write(500)
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: set(watcher.samples()) == set(line.written))
    watcher.close()
    broker.stop()


async def test_a_text_that_fits_into_no_message_is_told(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """Only the sample that is too large is dropped, with a note that says so; its neighbours arrive."""
    line = Line(folder, [uplink(broker.port, layout="batch", max_message="2KB")])
    async with line.running():
        line.write_text(["before", "x" * 5_000, "after"])
        await until(lambda: line.forwarders["uns"].done)
        await until(lambda: any(d.get("events") for d in watcher.documents("/events")))
    assert [value for _, _, value in watcher.samples()] == ["before", "after"]
    assert ("acme/north/hall/press/text", 1, "too large for a message") in line.drops()


async def test_a_whole_gateway_speaks_json(broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
    """From a device to the topic of its signal, beside nothing else in the plant folder."""
    device = FieldDevice(force=0.0)
    one = plant({"press": ["force"]}, gateway={"uplinks": [uplink(broker.port)]})

    def told() -> list[float]:
        return [document["value"] for document in watcher.documents("/force")]

    async with running(one, {"press": device}, 1, folder) as gateway:
        for step in range(20):
            device.values["force"] = float(step)
            await until(lambda step=step: step in told())  # type: ignore[misc]
        await until(lambda: gateway.status().uplinks[0].pending_rows == 0)
    assert told() == sorted(told())


async def test_a_slow_broker_costs_no_memory(broker: Mosquitto, folder: Path) -> None:
    """Below a rate the rest waits on the disk: what is handed over never exceeds a few messages."""
    line = Line(folder, [uplink(broker.port, max_rate=20.0)])
    async with line.running():
        line.write(3_000)
        await until(lambda: line.forwarders["uns"].online)
        await asyncio.sleep(1.0)  # the time that is looked at: what follows are bounds from above
        sent = line.forwarders["uns"].uplink.connection  # type: ignore[attr-defined]
        assert sent is not None
        assert len(sent._queued) <= 20
    assert line.status().pending_rows > 2_000
