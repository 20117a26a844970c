"""A child process for the supervisor's tests: it does what its first argument says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from lineshaft.server.lifetime import until_stopped
from lineshaft.server.messages import Message, tell


async def serve(stop: asyncio.Event, _asked: asyncio.Event) -> None:
    name, place = sys.argv[2], Path(sys.argv[3])
    sys.stdout.write(f"{name} speaks\n")
    tell(Message("progress", "half", 0.5))
    tell(Message("ready", name))
    await stop.wait()
    with (place / "order").open("a") as file:
        file.write(f"{name}\n")


def main() -> None:
    what, name, place = sys.argv[1:4]
    (Path(place) / f"{name}.pid").write_text(str(os.getpid()))
    if what == "fail":
        sys.exit("no such device")
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tell(Message("ready"))
        while True:
            signal.pause()
    if what == "mute":
        signal.pause()
    asyncio.run(until_stopped(serve))


main()
