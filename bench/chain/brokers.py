"""The two brokers of the benchmark as processes: the embedded one, and Mosquitto with the same users and rights."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bench.chain.publisher import GROUP, NODES, node_name
from bench.peers import free_port
from bench.process import Worker, options, say, word
from lineshaft.hub.broker.accounts import (
    PASSWORDS,
    Account,
    edge_account,
    ensure_credentials,
    hub_account,
    mosquitto_acl,
)
from lineshaft.hub.broker.server import BrokerSettings, serve_broker

HUB: Final = "hub"
Kind = Literal["embedded", "mosquitto"]


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker: its port, its process, and the passwords of its users."""

    port: int
    pid: int
    passwords: Mapping[str, str]


def accounts() -> Sequence[Account]:
    """The hub and the edge nodes, each with its own rights."""
    return (hub_account(HUB), *(edge_account(node_name(n), GROUP, node_name(n)) for n in range(NODES)))


@contextmanager
def running(kind: Kind, folder: Path) -> Iterator[Broker]:
    """A broker of this kind. Raises RuntimeError when it does not come up."""
    folder.mkdir(parents=True)
    files = ensure_credentials(folder, [account.user for account in accounts()])
    passwords = {user: path.read_text().strip() for user, path in files.items()}
    if kind == "embedded":
        with Worker("bench.chain.brokers", folder=str(folder)) as worker:
            yield Broker(worker.answer()["port"], worker.pid, passwords)
        return
    program, port = mosquitto(), free_port()
    if program is None:
        raise RuntimeError("mosquitto is not installed")
    (folder / "acl").write_text(mosquitto_acl(accounts()))
    (folder / "acl").chmod(0o600)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\npersistence false\nallow_anonymous false\n"
        f"password_file {folder}/{PASSWORDS}\nacl_file {folder}/acl\nmax_queued_messages 0\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
        try:
            _listens(port, folder / "log")
            yield Broker(port, process.pid, passwords)
        finally:
            process.terminate()
            process.wait(10)


def mosquitto() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def _listens(port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"mosquitto did not listen within 10 s: {log.read_text()[-400:]}")
        time.sleep(0.02)


async def _main(what: Mapping[str, Any]) -> None:
    folder = Path(what["folder"])
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve_broker(BrokerSettings(tuple(accounts())), folder / PASSWORDS, stop, lambda port: say(port=port))
        )
        await word()
        stop.set()


if __name__ == "__main__":
    asyncio.run(_main(options()))
