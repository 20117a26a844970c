"""The driver contract over HTTP: an API that is asked, and a webhook that is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.ports import free_port

from lineshaft.drivers.http import POLL, WEBHOOK
from lineshaft.testing import DriverContract, DriverSetup, NetworkDriverContract

from .api import Api, document

VALUES: tuple[tuple[str, float | str], ...] = (
    ("/values/power", 1234.5),
    ("/values/on", 1),
    ("/values/energy", "9007199254740993"),
    ("/id", "0042"),
)


class TestHttp(NetworkDriverContract):
    @pytest.fixture
    def setup(self) -> DriverSetup:
        api = Api()

        async def start() -> None:
            api.documents = {"/api": document(), "/api/meter?unit=1": document()}
            await api.start()

        return DriverSetup(
            spec=POLL,
            start=start,
            stop=api.stop,
            connection=lambda: {
                "url": f"http://127.0.0.1:{api.port}/api", "time": "/ts", "time_unit": "s", "timeout": "2s"
            },
            expected=(*VALUES, *((f"meter?unit=1 {pointer}", value) for pointer, value in VALUES)),
            bad_address="nothing.json /x",
        )  # fmt: skip


class TestWebhook(DriverContract):
    @pytest.fixture
    def setup(self, tmp_path: Path) -> DriverSetup:
        port = free_port()
        (tmp_path / "token").write_text("a-token\n")
        posting: list[asyncio.Task[None]] = []

        async def post() -> None:
            """What a device does: it sends its values again and again, whether somebody listens or not."""
            headers = {"Authorization": "Bearer a-token"}
            async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
                while True:
                    with suppress(httpx.HTTPError):
                        await client.post(f"http://127.0.0.1:{port}/in", content=document())
                    await asyncio.sleep(0.02)

        async def start() -> None:
            posting.append(asyncio.create_task(post()))

        async def stop() -> None:
            while posting:
                task = posting.pop()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        return DriverSetup(
            spec=WEBHOOK,
            start=start,
            stop=stop,
            connection=lambda: {
                "port": port, "path": "/in", "token_file": str(tmp_path / "token"), "time": "/ts", "time_unit": "s",
                "timeout": "3s",
            },
            expected=VALUES,
            bad_address="/nothing",
        )  # fmt: skip
