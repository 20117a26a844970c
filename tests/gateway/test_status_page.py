"""The gateway's own page: there without a hub, protected, and with nothing from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from tests.gateway.helpers import plant, running, until

from lineshaft.clock import SystemClock
from lineshaft.config.models import StatusPageConfig
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.status_page import StatusPage
from lineshaft.testing import FieldDevice

NOBODY = 1
"""A port at which no broker is."""


@asynccontextmanager
async def served(folder: Path, device: FieldDevice, token: str = "") -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway without any hub, and the address of its page."""
    signals = [{"name": "force", "unit": "kN"}, {"name": "mode", "datatype": "String"}, "missing"]
    site = plant({"press": signals})
    async with running(site, {"press": device}, NOBODY, folder) as gateway:
        config = StatusPageConfig(port=0)
        page = StatusPage(config, token, make_plan(site), gateway, SystemClock())
        task = asyncio.create_task(page.run())
        try:
            async with asyncio.timeout(30):
                await page.listening.wait()
            await until(lambda: gateway.last_status is not None)
            yield gateway, f"http://127.0.0.1:{page.port}"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_it_shows_devices_values_and_buffer_without_a_hub(tmp_path: Path) -> None:
    """Devices, values with quality, what waits in the buffer, ways out and events, while nobody takes the data."""
    device = FieldDevice(force=12.5, mode="<auto>")
    async with served(tmp_path, device) as (gateway, url), httpx.AsyncClient(base_url=url) as client:
        await until(lambda: gateway.pipeline_of("acme/north/hall/press/mode").rows_out)
        whole = await client.get("/", params={"device": "press"})
        assert whole.status_code == 200
        for words in ("acme/north/gw", "12.5 kN", "&lt;auto&gt;", "values wait", "press", "Last events"):
            assert words.replace("acme/", "") in whole.text, words
        assert "<auto>" not in whole.text
        assert "http" not in whole.text.replace("http-equiv", "")  # nothing from elsewhere
        assert whole.headers["content-security-policy"].startswith("default-src 'none'")
        told = (await client.get("/status.json")).json()
        assert told["status"]["uplinks"][0]["state"] != "online"
        values = {one["path"]: one for one in told["values"]}
        assert values["hall/press/force"]["value"] == "12.5"
        assert values["hall/press/missing"]["quality"] == 2


async def test_it_only_shows(tmp_path: Path) -> None:
    """Other methods and paths are refused, and so is whoever asks under another name than this computer's."""
    async with served(tmp_path, FieldDevice(force=1.0)) as (_, url), httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/")).status_code == 405
        assert (await client.get("/etc/passwd")).status_code == 404
        assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 401
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000)
        await writer.drain()
        assert await reader.read() == b""
        writer.close()


async def test_a_token_protects_it(tmp_path: Path) -> None:
    """With a token nothing is shown without it; it is taken as Bearer and as the password of a browser."""
    async with (
        served(tmp_path, FieldDevice(force=1.0), "s3cret") as (_, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/", auth=("x", "wrong"))).status_code == 401
        assert (await client.get("/", headers={"Authorization": "Basic ???"})).status_code == 401
        assert (await client.get("/", auth=("anybody", "s3cret"))).status_code == 200
        assert (await client.get("/", headers={"Authorization": "Bearer s3cret"})).status_code == 200


def test_others_reach_it_only_with_a_token() -> None:
    """An address of the network needs a token file; this computer alone does not."""
    with pytest.raises(ValidationError, match="needs a token_file"):
        StatusPageConfig(host="192.168.1.5", port=8730)
    StatusPageConfig(host="192.168.1.5", port=8730, token_file="status.token")
    StatusPageConfig(host="::1", port=8730)
