"""Changes a second that the OPC UA driver takes from a server in another process, and what they cost.

The server is a stand-in: asyncua answers every request, but each publish carries one new value of every monitored
item, laid out by numpy. A server that made each notification from objects would be the bottleneck, not the driver.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from lineshaft.drivers.base import Point
from lineshaft.drivers.opcua import SPEC
from lineshaft.model.samples import SampleBatch

TARGET_CHANGES_PER_S = 20_000
TAGS = 2_000
URI = "urn:lineshaft:bench"
_NOTIFICATION = np.dtype(
    [("handle", "<u4"), ("mask", "u1"), ("type", "u1"), ("value", "<f8"), ("source", "<i8"), ("server", "<i8")]
)
"""MonitoredItemNotification of a Double with both time stamps (OPC 10000-6)."""
_FILETIME_EPOCH = 116_444_736_000_000_000


async def serve() -> None:
    """The stand-in server; prints 'ready PORT' and runs until it is killed."""
    logging.disable(logging.WARNING)
    from asyncua import Server, ua
    from asyncua.server.internal_subscription import InternalSubscription

    rng = np.random.default_rng(1)

    def all_items(self: Any, result: Any) -> None:
        handles = [item.client_handle for item in self.monitored_item_srv._monitored_items.values()]
        if not handles:
            return
        rows = np.zeros(len(handles), _NOTIFICATION)
        rows["handle"], rows["mask"], rows["type"] = handles, 0x01 | 0x04 | 0x08, 11
        rows["value"] = rng.normal(20, 5, len(handles))
        rows["source"] = rows["server"] = time.time_ns() // 100 + _FILETIME_EPOCH
        body = len(handles).to_bytes(4, "little") + rows.tobytes() + b"\0\0\0\0"
        result.NotificationMessage.NotificationData.append(ua.ExtensionObject(TypeId=ua.FourByteNodeId(811), Body=body))

    InternalSubscription._pop_triggered_datachanges = all_items
    InternalSubscription.has_published_results = lambda self: True
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/bench")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    for number in range(TAGS):
        await server.nodes.objects.add_variable(ua.NodeId(f"t{number}", index), f"t{number}", 0.0)
    await server.start()
    print(f"ready {server.bserver.port}", flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """The stand-in server in a process of its own; gives its URL."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.drivers_opcua", "serve", stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    try:
        word, _, port = (await running.stdout.readline()).decode().partition(" ")
        assert word == "ready", word
        yield f"opc.tcp://127.0.0.1:{int(port)}/bench"
    finally:
        running.kill()
        await running.communicate()


async def _driver(url: str, seconds: float, publishing: str) -> tuple[float, float, float]:
    """Changes, wall seconds and CPU seconds of this process."""
    driver = SPEC.create(
        SPEC.connection.model_validate(
            {"url": url, "security": "none", "publishing_interval": publishing, "queue_size": 10}
        )
    )
    points = tuple(Point(n, SPEC.address.model_validate(f"nsu={URI};s=t{n}")) for n in range(TAGS))
    changes = 0

    def sink(batch: SampleBatch) -> None:
        nonlocal changes
        changes += len(batch)

    await driver.connect()
    await driver.subscribe(points, sink)  # type: ignore[attr-defined]
    await asyncio.sleep(0.5)
    changes = 0
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    result = changes, time.perf_counter() - began, time.process_time() - cpu
    await driver.close()
    return result


async def _polling(url: str, seconds: float) -> tuple[float, float, float]:
    """Tags read, wall seconds and CPU seconds of this process; the server is asyncua itself and sets the pace."""
    driver = SPEC.create(SPEC.connection.model_validate({"url": url, "security": "none", "mode": "poll"}))
    points = tuple(Point(n, SPEC.address.model_validate(f"nsu={URI};s=t{n}")) for n in range(TAGS))
    await driver.connect()
    await driver.read(points)  # compiles the plan
    tags = 0
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        tags += len(await driver.read(points))
    result = tags, time.perf_counter() - began, time.process_time() - cpu
    await driver.close()
    return result


async def _plain_asyncua(url: str, seconds: float) -> tuple[float, float, float]:
    """The same with the library's own subscription and a handler that only counts."""
    from asyncua import Client, ua

    changes = 0

    class Handler:
        def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
            nonlocal changes
            changes += 1

    async with Client(url) as client:
        index = await client.get_namespace_index(URI)
        subscription = await client.create_subscription(10, Handler())
        await subscription.subscribe_data_change([client.get_node(ua.NodeId(f"t{n}", index)) for n in range(TAGS)])
        await asyncio.sleep(0.5)
        changes = 0
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        result = changes, time.perf_counter() - began, time.process_time() - cpu
        await subscription.delete()
    return result


async def _measure(seconds: float) -> Mapping[str, float]:
    async with server() as url:
        plain, plain_wall, plain_cpu = await _plain_asyncua(url, seconds / 4)
        polled, polled_wall, polled_cpu = await _polling(url, seconds / 4)
        paced, paced_wall, paced_cpu = await _driver(url, seconds / 4, "100ms")
        full, full_wall, full_cpu = await _driver(url, seconds / 4, "1ms")
    return {
        "opcua_changes_per_s": full / full_wall,
        "opcua_changes_per_cpu_s": full / full_cpu,
        "opcua_cpu_ms_per_1000_changes": full_cpu / full * 1e6,
        "opcua_paced_changes_per_s": paced / paced_wall,
        "opcua_paced_cpu_share": paced_cpu / paced_wall,
        "opcua_paced_cpu_ms_per_1000_changes": paced_cpu / paced * 1e6,
        "opcua_polled_tags_per_s": polled / polled_wall,
        "opcua_polled_cpu_ms_per_1000_tags": polled_cpu / polled * 1e6,
        "opcua_plain_asyncua_changes_per_s": plain / plain_wall,
        "opcua_plain_asyncua_cpu_ms_per_1000_changes": plain_cpu / plain * 1e6,
    }


def measure(seconds: float = 15.0) -> Mapping[str, float]:
    """2,000 Doubles with time stamps: as fast as they come, at 20,000 a second, polled, and with the library alone.

    The driver alone, without the gateway's pipeline.
    """
    return asyncio.run(_measure(seconds))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    figures = measure(4.0 if os.environ.get("QUICK") else 15.0)
    for name, figure in figures.items():
        print(f"{name:46} {figure:12,.3f}")
    print(f"{'target changes/s':46} {TARGET_CHANGES_PER_S:12,}")
    sys.exit(0 if figures["opcua_changes_per_s"] >= TARGET_CHANGES_PER_S else 1)
