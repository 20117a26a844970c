"""An OPC UA server in a process of its own whose one value counts; set wrong, killed and started by the test."""

from __future__ import annotations

import asyncio
import gc
import sys
from datetime import UTC, datetime, timedelta

from asyncua import Server, ua

URI = "urn:lineshaft:chain"


async def main(port: int, first: int) -> None:
    gc.disable()  # looking for rubbish takes three quarters of the time in which a server is made
    server = Server()
    await server.init()
    gc.enable()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/test")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    level = await server.nodes.objects.add_variable(ua.NodeId("level", index), "level", float(first))
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        count, slow = first, timedelta()
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        order = asyncio.create_task(reader.readline())
        while True:
            await asyncio.sleep(0.1)
            if order.done() and order.result():  # seconds by which the clock of the device is set back
                slow = timedelta(seconds=float(order.result()))
                order = asyncio.create_task(reader.readline())
            count += 1
            time = datetime.now(UTC).replace(tzinfo=None) - slow
            await level.write_value(ua.DataValue(ua.Variant(float(count)), SourceTimestamp=time))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
