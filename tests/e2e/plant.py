"""`lineshaft up` and `lineshaft demo` as people run them, for tests of the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.e2e.server import PASSWORD, ROOT, Open
from tests.turns import turn

START_SECONDS = 240.0


@dataclass
class Plant:
    """A running plant: where its page is, and the one-time link for its first user."""

    url: str
    link: str
    folder: Path
    data: Path
    signed_up: bool = False

    def command(self, *words: str) -> str:
        """Run another command of lineshaft beside it; gives what it printed."""
        command = [sys.executable, "-m", "lineshaft", *words, "--plant", str(self.folder), "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=self.data.parent).stdout

    def enter(self, open_page: Open, *, phone: bool = False, dark: bool = False) -> Page:
        """A fresh browser that is signed in; the first one makes the user with the link."""
        page: Page = open_page(
            self, "/" if self.signed_up else self.link, phone=phone, dark=dark, sign_in=self.signed_up
        )
        if not self.signed_up:
            page.get_by_label("Name").fill("admin")
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_label("Password again").fill(PASSWORD)
            page.get_by_role("button", name="Make the user").click()
            self.signed_up = True
        expect(page.locator(".shell")).to_be_visible(timeout=60_000)
        return page


def copied(name: str, folder: Path, changes: dict[str, str]) -> Path:
    """A copy of a plant that comes along, with pieces of its text replaced."""
    shutil.copytree(ROOT / "plants" / name, folder)
    left = set(changes)
    for file in folder.glob("*.yaml"):
        text = file.read_text()
        for old, new in changes.items():
            if old in text:
                left.discard(old)
            text = text.replace(old, new)
        file.write_text(text)
    assert not left, f"the plant {name} has no {left}"
    return folder


def _opened(process: subprocess.Popen[bytes], output: Path) -> re.Match[str]:
    """The address and the one-time link that it printed."""
    until = time.monotonic() + START_SECONDS
    while not (found := re.search(r"Open (http://\S+?)(/setup\?link=\S+)", output.read_text())):
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < until, output.read_text()
        time.sleep(0.2)  # words of another process; there is nothing to wait for but its output
    return found


@contextmanager
def lineshaft(command: str, folder: Path, place: Path) -> Iterator[Plant]:
    """Run `lineshaft up` or `demo` for a plant folder until the block ends. Data go below `place`."""
    data, output = place / "data", place / "output"
    arguments = [sys.executable, "-m", "lineshaft", command, str(folder), "--data", str(data)]
    starting = ExitStack()
    if command == "demo":
        starting.enter_context(turn("demo"))
    with output.open("wb") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=subprocess.STDOUT, cwd=place, env={**os.environ})
    try:
        with starting:
            found = _opened(process, output)
        yield Plant(found[1], found[2], folder, data)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
