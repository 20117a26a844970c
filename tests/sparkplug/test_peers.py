"""Sparkplug with programs by other authors: their edge nodes with our host, our edge node with their decoders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests import npm
from tests.gateway.helpers import plant, running, until
from tests.hub.ingest.conftest import Hub
from tests.hub.ingest.edge import until as wait_until
from tests.hub.memory import BrittleHistorian
from tests.hub.mqtt import Mosquitto
from tests.sparkplug.peers import FOLDER, Program, pysparkplug, required, sparkplug_js
from tests.sparkplug.scenario import SIGNALS, Record

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.model.equipment import Datatype
from lineshaft.testing import FieldDevice
from lineshaft.wire import names
from lineshaft.wire.sparkplug import parse

START = 1_750_000_000_000_000
DATATYPES = {
    "i8": Datatype.INT8, "i16": Datatype.INT16, "i32": Datatype.INT32, "i64": Datatype.INT64, "u8": Datatype.UINT8,
    "u16": Datatype.UINT16, "u32": Datatype.UINT32, "u64": Datatype.UINT64, "f": Datatype.FLOAT,
    "d": Datatype.DOUBLE, "b": Datatype.BOOLEAN, "s": Datatype.STRING, "n": Datatype.DOUBLE,
}  # fmt: skip
SENT = {
    "i8": -12, "i16": -30000, "i32": -(2**31), "i64": -5, "u8": 250, "u16": 65535, "u32": 2**32 - 1,
    "u64": 2**53 - 1, "f": 1.5, "d": -0.1, "b": 1.0, "s": "007 é", "n": None,
}  # fmt: skip


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def hub(tmp_path: Path, broker: Mosquitto) -> Iterator[Hub]:
    """Our host with a real historian."""
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    store.open()
    hub = Hub(tmp_path / "ingest", broker.port, BrittleHistorian(store))
    hub.start()
    yield hub
    hub.stop()
    store.close()


def stored(hub: Hub, node: str, name: str) -> list[tuple[int, float | str | None, int]]:
    """(time, value or text, quality) of every stored row of a signal of a foreign node."""
    number = hub.catalogue.ids[f"acme/north/{node}/mill/{name}"]
    series = hub.historian.read([number], 0, 4 * 10**15, before=False)[0]
    texts = [None] * len(series.times) if series.texts is None else series.texts.tolist()
    rows = zip(series.times.tolist(), series.values.tolist(), texts, series.qualities.tolist(), strict=True)
    return [
        (time, text if text is not None else None if np.isnan(value) else value, q) for time, value, text, q in rows
    ]


def check(hub: Hub, node: str, moments: list[int], sent: dict[str, float | str | None]) -> None:
    """Every signal has its type, its birth value at START and what was sent at the other moments, nothing else."""
    for name, datatype in DATATYPES.items():
        assert hub.catalogue.born[f"acme/north/{node}/mill/{name}"].signal.datatype == datatype
        rows = stored(hub, node, name)
        assert [time for time, _, _ in rows] == moments, name
        for _, value, quality in rows[1:]:
            if isinstance(value, str) and name != "s":
                value = int(value)  # beyond 2^53 the exact digits are kept as text
            assert value == sent[name], name
            assert (quality >= 192) is (sent[name] is not None), name


def test_npm_edge_node_lands_in_our_historian(hub: Hub, broker: Mosquitto) -> None:
    """Types, signs and timestamps of the npm sparkplug-client are kept; a lost message makes it be born again."""
    folder = required(sparkplug_js)
    script = FOLDER / "edge_node.js"
    modules = {"NODE_PATH": str(folder / "node_modules")}
    with Program(npm.node(), script, str(broker.port), cwd=folder, **modules) as peer:
        assert peer.hear() == "born"
        wait_until(lambda: hub.catalogue.state("north/js", "mill") == "online")
        peer.say("data")
        wait_until(lambda: hub.figures.rows == 2 * len(DATATYPES))
        peer.say("gap")
        assert peer.hear() == "reborn"
        wait_until(lambda: hub.figures.rows >= 3 * len(DATATYPES))
        peer.say("stop")
        wait_until(lambda: hub.catalogue.state("north/js", "mill") == "offline")
    assert hub.catalogue.state("north/js") == "offline"
    check(hub, "js", [START, START + 1_000_000, START + 2_000_000], SENT)
    assert hub.events.events == []


def test_pysparkplug_edge_node_lands_in_our_historian(hub: Hub, broker: Mosquitto) -> None:
    """Types, narrow negative integers, 64-bit extremes and timestamps of pysparkplug are kept; its will is heard."""
    python = required(pysparkplug)
    with Program(python, FOLDER / "edge_node.py", str(broker.port)) as peer:
        wait_until(lambda: hub.catalogue.state("north/py", "mill") == "online", 20)
        peer.say("data")
        wait_until(lambda: hub.figures.rows == 2 * len(DATATYPES))
    wait_until(lambda: hub.catalogue.state("north/py") == "offline")
    check(hub, "py", [START, START + 1_000_000], {**SENT, "i64": -(2**63), "u64": 2**64 - 1})
    assert hub.events.events == []


async def test_pysparkplug_understands_our_edge_node(broker: Mosquitto, tmp_path: Path) -> None:
    """Its client reads our births and, by alias and without a datatype, our data: exact values and times."""
    python = required(pysparkplug)
    foreign = plant(SIGNALS, gateway={"uplinks": [{"acknowledge": False, "primary_host": ""}]})
    press = FieldDevice(force=1.25, parts=7.0, mode="auto", running=1.0, offset=-300.0, steady=2.5)
    press.time_us = START
    with Program(python, FOLDER / "listener.py", str(broker.port)) as peer:
        assert peer.hear() == "{}"
        async with running(foreign, {"press": press, "pump": FieldDevice(flow=3.0)}, broker.port, tmp_path):
            birth = await heard(peer, "DBIRTH")
            press.time_us = START + 123_000
            press.values |= {"force": -2.5, "parts": 8.0, "mode": "manual", "running": 0.0, "offset": -301.0}
            data: dict[str, list[object]] = {}
            while "hall/press/force" not in data or data["hall/press/force"][1] != -2.5:
                data |= await heard(peer, "DDATA")
    assert birth["hall/press/force"][0] == 10
    assert data["hall/press/force"] == [10, -2.5, START // 1000 + 123, False]
    assert data["hall/press/parts"][:2] == [8, 8]
    assert data["hall/press/mode"][:2] == [12, "manual"]
    assert data["hall/press/running"][:2] == [11, False]
    assert data["hall/press/offset"][:2] == [3, -301]
    assert data["hall/press/none"][3] is True


async def heard(peer: Program, kind: str) -> dict[str, list[object]]:
    """Metrics of the next message of a kind that the press sent; the gateway in this loop goes on meanwhile."""
    while True:
        await until(lambda: not peer.lines.empty())
        seen = json.loads(peer.hear())
        if (seen.get("kind"), seen.get("device")) == (kind, "press"):
            metrics: dict[str, list[object]] = seen["metrics"]
            return metrics


READ = """
const codec = require('sparkplug-payload').get('spBv1.0');
const plain = (_, v) => typeof v === 'bigint' ? v.toString()
  : v && v.low !== undefined && v.high !== undefined ? v.toString() : v;
const lines = require('fs').readFileSync(0, 'utf8').trim().split('\\n');
for (const line of lines) console.log(JSON.stringify(codec.decodePayload(Buffer.from(line, 'hex')), plain));
"""


def test_npm_codec_understands_our_edge_node(record: Record) -> None:
    """Every message of a whole life of our edge node is read alike by the npm codec; datatypes are those of births."""
    folder = required(sparkplug_js)
    types: dict[tuple[str, int], int] = {}
    ours = []
    for seen in record.log.of("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH", "NDEATH"):
        message = parse(seen.data)
        for metric in message.metrics:
            key = (seen.parts.device, metric.alias)
            if seen.kind in ("NBIRTH", "DBIRTH"):
                types[key] = metric.datatype
            elif not metric.HasField("datatype"):
                metric.datatype = 12 if metric.name == names.NOTE else types[key]
        ours.append((seen, message))
    lines = "\n".join(message.SerializeToString().hex() for _, message in ours)
    done = subprocess.run(
        [npm.node(), "-e", READ], cwd=folder, input=lines, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(theirs) == len(ours) > 50
    signed = 0
    for (_, message), read in zip(ours, theirs, strict=True):
        metrics = read.get("metrics", [])
        assert len(metrics) == len(message.metrics)
        for metric, their in zip(message.metrics, metrics, strict=True):
            value = their.get("value")
            if metric.is_null:
                assert value is None
            elif metric.WhichOneof("value") in ("string_value", "boolean_value", "double_value", "float_value"):
                assert value == getattr(metric, metric.WhichOneof("value"))
            elif metric.datatype == 3:
                assert int(value) == np.int32(np.uint32(metric.int_value))
                signed += int(value) < 0
            elif metric.WhichOneof("value") == "long_value":
                assert int(value) == metric.long_value
            if metric.HasField("timestamp"):
                assert int(their["timestamp"]) == metric.timestamp
    assert signed > 5
