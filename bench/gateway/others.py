"""Gateways by other authors that do the same job: thingsboard-gateway from PyPI and Node-RED from npm.

Each reads 1,000 holding registers of one Modbus TCP device once a second and publishes what it read to Mosquitto, where
the values are counted; its CPU time is that of its process and of all that this started.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import psutil
from tests import npm

from bench.chain.brokers import mosquitto
from bench.peers import free_port
from lineshaft.mqtt_loop import MqttLoop

TAGS: Final = 1_000
BLOCK: Final = 125
"""Registers of one request, the most that Modbus allows."""
THINGSBOARD: Final = "thingsboard-gateway==3.8.5"
NODE_RED: Final = ("node-red@4.1.15", "node-red-contrib-modbus@5.23.3")
_PATIENCE: Final = 60.0
_PEERS: Final = Path(__file__).parents[1] / ".peers"


_FREE: Final = dict.fromkeys(("messages", "telemetryMessages", "telemetryDataPoints"), "0:0,")
_LIMITS: Final = json.dumps(
    {"maxPayloadSize": 65536, "maxInflightMessages": 100, "rateLimits": _FREE, "gatewayRateLimits": _FREE}
)


@dataclass(frozen=True, slots=True)
class Peer:
    """What a gateway of others did."""

    cpu_share: float
    values_per_s: float
    memory_mib: float


class _Counter:
    """Counts the values that arrive at the broker."""

    def __init__(self, port: int, values_of: Callable[[Any], int]) -> None:
        self.values = 0
        self._values_of = values_of
        ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._network = MqttLoop(self._client)
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        self._network.start()
        if not ready.wait(10):
            raise RuntimeError("the broker does not answer")

    def _message(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        if "/rpc/request/" in message.topic:  # the platform that thingsboard-gateway belongs to tells it its limits
            client.publish(message.topic.replace("request", "response"), _LIMITS)
        try:
            self.values += self._values_of(json.loads(message.payload))
        except ValueError:
            return

    def close(self) -> None:
        self._network.stop()


@contextmanager
def broker(folder: Path) -> Iterator[int | None]:
    """Mosquitto that takes everything; gives its port, None where it is not installed."""
    program, port = mosquitto(), free_port()
    if program is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    time.sleep(0.5)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _cpu(process: psutil.Process) -> float:
    """Seconds of a process and of its children."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _measure(
    command: list[str], folder: Path, environment: Mapping[str, str], counter: _Counter, seconds: float
) -> Peer | None:
    """Run a gateway until values come, then for `seconds`; None when none come."""
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=log, stderr=log)
    try:
        process, deadline = psutil.Process(running.pid), time.monotonic() + _PATIENCE
        while counter.values < 3 * TAGS:
            if running.poll() is not None or time.monotonic() > deadline:
                words = (folder / "log").read_text(errors="replace")[-300:]
                print(f"{command[0]}: no values came\n{words}", file=sys.stderr)
                return None
            time.sleep(0.2)
        values, cpu, began = counter.values, _cpu(process), time.perf_counter()
        time.sleep(seconds)
        wall = time.perf_counter() - began
        memory = sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
        return Peer((_cpu(process) - cpu) / wall, (counter.values - values) / wall, memory / 2**20)
    finally:
        for child in psutil.Process(running.pid).children(recursive=True) if running.poll() is None else ():
            child.kill()
        running.kill()
        running.wait()
        counter.close()


def thingsboard(device: int, broker_port: int, folder: Path, seconds: float) -> Peer | None:
    """thingsboard-gateway in an environment of its own; None where it cannot be installed or gives no values."""
    environment = _PEERS / "thingsboard"
    python = environment / "bin" / "python"
    try:
        if not (environment / ".installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True, timeout=120)
            subprocess.run([python, "-m", "pip", "install", "-q", THINGSBOARD], check=True, timeout=400)
            (environment / ".installed").write_text(THINGSBOARD)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"thingsboard-gateway cannot be installed: {error}", file=sys.stderr)
        return None
    (folder / "config").mkdir(parents=True)
    connector = {"type": "modbus", "name": "modbus", "configuration": "modbus.json"}
    limits = dict.fromkeys(
        ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits",
         "deviceDpRateLimits"), "0:0,",
    )  # fmt: skip
    main = {
        "thingsboard": {
            "host": "127.0.0.1", "port": broker_port, "remoteShell": False, "remoteConfiguration": False,
            "statistics": {"enable": False}, "maxPayloadSizeBytes": 65536, "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500, "checkConnectorsConfigurationInSeconds": 60, "handleDeviceRenaming": False,
            "security": {"type": "accessToken", "accessToken": "bench"}, "qos": 0,
            "reportStrategy": {"type": "ON_RECEIVED"}, **limits,
        },
        "storage": {"type": "memory", "read_records_count": 100, "max_records_count": 100_000},
        "grpc": {"enabled": False},
        "connectors": [connector],
    }  # fmt: skip
    series = [
        {"tag": f"t{n}", "type": "16uint", "address": n, "objectsCount": 1, "functionCode": 3} for n in range(TAGS)
    ]
    slave = {
        "host": "127.0.0.1", "port": device, "type": "tcp", "method": "socket", "unitId": 1, "deviceName": "meter",
        "deviceType": "default", "timeout": 5, "byteOrder": "BIG", "wordOrder": "BIG", "retries": 1,
        "retryOnEmpty": False, "retryOnInvalid": False, "pollPeriod": 1000, "connectAttemptTimeMs": 1000,
        "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 5000, "attributes": [], "timeseries": series,
        "attributeUpdates": [], "rpc": [],
    }  # fmt: skip
    for name, content in (("tb_gateway.json", main), ("modbus.json", {"master": {"slaves": [slave]}})):
        (folder / "config" / name).write_text(json.dumps(content))

    def values_of(document: Any) -> int:
        lists = document.values() if isinstance(document, dict) else ()
        return sum(len(row.get("values", ())) for rows in lists if isinstance(rows, list) for row in rows)

    command = [str(python), "-c", "from thingsboard_gateway.tb_gateway import daemon; daemon()"]
    paths = {"PATH": f"{python.parent}:/usr/bin:/bin", "TB_GW_CONFIG_DIR": f"{folder}/config/", "HOME": str(folder)}
    return _measure(command, folder, paths, _Counter(broker_port, values_of), seconds)


def node_red(device: int, broker_port: int, folder: Path, seconds: float) -> Peer | None:
    """Node-RED with node-red-contrib-modbus, eight reads of 125 registers a second, each published as one message."""
    try:
        installed = npm.install("node-red", *NODE_RED)
    except (RuntimeError, subprocess.SubprocessError) as error:
        print(f"Node-RED cannot be installed: {error}", file=sys.stderr)
        return None
    folder.mkdir(parents=True)
    flow: list[dict[str, Any]] = [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker_port), "clientid": "",
         "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "client", "type": "modbus-client", "name": "", "clienttype": "tcp", "bufferCommands": True,
         "tcpHost": "127.0.0.1", "tcpPort": str(device), "tcpType": "DEFAULT", "unit_id": "1", "commandDelay": "1",
         "clientTimeout": "1000", "reconnectOnTimeout": True, "reconnectTimeout": "2000",
         "parallelUnitIdsAllowed": True, "stateLogEnabled": False, "queueLogEnabled": False},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "bench", "qos": "0", "retain": "", "broker": "broker",
         "wires": []},
    ]  # fmt: skip
    flow += [
        {"id": f"read{n}", "type": "modbus-read", "z": "tab", "unitid": "1", "dataType": "HoldingRegister",
         "adr": str(n * BLOCK), "quantity": str(BLOCK), "rate": "1", "rateUnit": "s", "delayOnStart": False,
         "server": "client", "useIOFile": False, "showStatusActivities": False, "showErrors": False,
         "wires": [["out"], []]}
        for n in range(TAGS // BLOCK)
    ]  # fmt: skip
    (folder / "flows.json").write_text(json.dumps(flow))
    (folder / "settings.js").write_text(
        f"module.exports = {{uiHost: '127.0.0.1', uiPort: {free_port()}, httpAdminRoot: false, httpNodeRoot: false, "
        f"flowFile: 'flows.json', userDir: '{folder}', "
        f"nodesDir: '{installed}/node_modules/node-red-contrib-modbus'}};\n"
    )
    command = [npm.node(), str(installed / "node_modules" / "node-red" / "red.js"), "-s", str(folder / "settings.js")]
    paths = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "NODE_PATH": str(installed / "node_modules")}
    counter = _Counter(broker_port, lambda document: len(document) if isinstance(document, list) else 0)
    return _measure(command, folder, paths, counter, seconds)
