"""OPC UA servers for tests, made quickly."""

from __future__ import annotations

import gc

from asyncua import Server


async def new_server() -> Server:
    """A server with the standard address space; looking for rubbish meanwhile would take three quarters of the time."""
    gc.disable()
    try:
        server = Server()
        await server.init()
    finally:
        gc.enable()
    return server
