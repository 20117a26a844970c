"""A real browser on the real page, over a hub whose signals are made by formula."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.conftest import require
from tests.e2e.server import PASSWORD, Hub, Open, running
from tests.page import built_page

PATIENCE = 30_000
"""Milliseconds in which what is expected must show: a limit for what never comes, on a computer that does much else."""
expect.set_options(timeout=PATIENCE)
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 1024, "height": 768}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def built() -> None:
    """The page is built from the sources as they are."""
    built_page()


@pytest.fixture(scope="module")
def hub(built: None) -> Iterator[Hub]:
    """A hub with two days of history and live values; tests do not stop it."""
    with running() as (made, _):
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window. It ends with its module: its event loop must not meet that of other tests."""
    path = require("chromium", "chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a page of a hub in a fresh browser profile; the test fails when the page reports an error of its own."""
    contexts = []
    faults: list[str] = []

    def opener(
        hub: Hub,
        path: str = "/",
        *,
        phone: bool = False,
        tablet: bool = False,
        dark: bool = False,
        sign_in: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport=PHONE if phone else TABLET if tablet else {"width": 1440, "height": 900},
            has_touch=phone or tablet,
            is_mobile=phone or tablet,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(hub.url + path)
        if sign_in:
            page.get_by_label("Name").fill("admin")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_selector(".shell")
        return page

    yield opener
    for context in contexts:
        context.close()
    assert faults == []
