"""An OPC UA server in a process of its own whose one value counts; killed and started by the test."""

from __future__ import annotations

import asyncio
import sys

from asyncua import Server, ua

URI = "urn:lineshaft:chain"


async def main(port: int, first: int) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/test")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    level = await server.nodes.objects.add_variable(ua.NodeId("level", index), "level", float(first))
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        count = first
        while True:
            await asyncio.sleep(0.1)
            count += 1
            await level.write_value(float(count))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
