"""The page as a browser gets it."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from lineshaft.web.static_files import mount_page

INDEX = "<!doctype html><title>page</title>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text(INDEX)
    (static / "assets" / "app-1a2b.js").write_text("let plain")
    (static / "assets" / "app-1a2b.js.br").write_bytes(b"brotli bytes")
    (static / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"let gz"))
    (static / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return static


def served(folder: Path) -> AsyncClient:
    app = FastAPI()
    mount_page(app, folder)
    return AsyncClient(transport=ASGITransport(app), base_url="http://hub")


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[AsyncClient]:
    async with served(folder) as one:
        yield one


async def test_every_page_of_the_app_is_index_html(client: AsyncClient) -> None:
    """A path without a dot gives the page, which is asked for anew each time; a missing file is 404."""
    for path in ("/", "/assets-of/acme/north/pump-1", "/setup?link=abc"):
        response = await client.get(path)
        assert response.status_code == 200, path
        assert response.text == INDEX
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["content-type"].startswith("text/html")
    assert (await client.get("/missing.js")).status_code == 404
    assert (await client.get("/api/v1/none")).status_code == 404
    assert (await client.head("/")).status_code == 200
    assert (await client.post("/")).status_code == 405


async def test_a_path_with_a_dot_in_an_id_gives_the_page(client: AsyncClient) -> None:
    """Only the last part decides, and only for what does not ask for a page."""
    assert (await client.get("/trend/acme/v1.2/pump")).status_code == 200
    page = {"accept": "text/html,*/*;q=0.8"}
    assert (await client.get("/trend/acme/pump-1.2", headers=page)).status_code == 200
    assert (await client.get("/trend/acme/pump-1.2")).status_code == 404


async def test_hashed_assets_are_kept_for_ever(client: AsyncClient) -> None:
    """Files with a hash in the name are immutable; others are revalidated."""
    assert "immutable" in (await client.get("/assets/app-1a2b.js")).headers["cache-control"]
    assert (await client.get("/icon.svg")).headers["cache-control"] == "no-cache"
    assert (await client.get("/icon.svg")).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("br, gzip", "br"), ("gzip;q=0.8", "gzip"), ("identity", None), ("br;q=0, gzip", "gzip")]
)
async def test_the_smallest_form_that_the_browser_takes(
    client: AsyncClient, accepted: str, encoding: str | None
) -> None:
    """Precompressed files are sent with the type of the original."""
    async with client.stream("GET", "/assets/app-1a2b.js", headers={"accept-encoding": accepted}) as response:
        assert response.headers.get("content-encoding") == encoding
        assert response.headers["content-type"].startswith("text/javascript")
        assert response.headers["vary"].lower() == "accept-encoding"


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
)
async def test_nothing_outside_the_folder_is_served(client: AsyncClient, path: str) -> None:
    """A path cannot climb out of the folder."""
    assert "secret" not in (await client.get(path)).text


async def test_without_a_built_page_there_is_a_message(tmp_path: Path) -> None:
    """An installation without the page says so, and how to get it."""
    async with served(tmp_path / "none") as client:
        response = await client.get("/")
    assert response.status_code == 503
    assert "make ui" in response.text
