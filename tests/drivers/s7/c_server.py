"""Serves the snap7 library of Davide Nardella (C++), as python-snap7 2.0 brought it; run with that on PYTHONPATH.

Reads one line of JSON: {"port": n, "DB10": "<hex>", "M": "<hex>", ...}; prints 'ready PORT' and serves until killed.
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading

from snap7.server import Server
from snap7.type import SrvArea

AREAS = {"M": SrvArea.MK, "I": SrvArea.PE, "Q": SrvArea.PA}
image = json.loads(sys.stdin.readline())
port = image.pop("port")
server = Server(log=False)
kept = []
for name, content in image.items():
    data = bytes.fromhex(content)
    kept.append((ctypes.c_ubyte * len(data)).from_buffer_copy(data))
    if name.startswith("DB"):
        server.register_area(SrvArea.DB, int(name[2:]), kept[-1])
    else:
        server.register_area(AREAS[name], 0, kept[-1])
server.start_to("127.0.0.1", tcp_port=port)
print("ready", port, flush=True)  # noqa: T201
threading.Event().wait()
