"""The asset explorer over 100,000 signals in a real browser: first paint, memory, frames while scrolling, search.

A part of `make bench-platform`; alone: `python -m bench.history.explorer`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright

from bench.process import Worker
from bench.report import Report, quick

ASSETS = 5_000
PASSWORD = "only for this run"
SEARCHES = (
    "power",
    "cnc-4711 vibration",
    "inv-12345",
    "spindle 1/min line-7",
    "degc",
    "area-1 coolant bar",
    "nothing of it",
)
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--js-flags=--expose-gc")
UNFOLD = """async () => {
  const tree = document.querySelector('.explorer .tree');
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let quiet = 0;
  while (quiet < 8) {
    const folded = [2, 3].flatMap((level) => [...tree.querySelectorAll(`[aria-level="${level}"] [data-open="false"]`)]);
    for (const button of folded) button.click();
    if (!folded.length && !tree.querySelector('[aria-busy="true"]')) tree.scrollTop += tree.clientHeight;
    const end = tree.scrollTop + tree.clientHeight >= tree.scrollHeight - 2;
    const busy = tree.querySelector('[aria-busy="true"]');
    quiet = !folded.length && !busy && end ? quiet + 1 : 0;
    await pause(60);
  }
  tree.scrollTop = 0;
  await pause(500);
  return tree.scrollHeight / tree.querySelector('.tree-row').offsetHeight;
}"""
SCROLL = """async (seconds) => {
  const tree = document.querySelector('.explorer .tree');
  const times = [];
  const from = performance.now();
  const speed = (tree.scrollHeight - tree.clientHeight) / (seconds * 1000);
  await new Promise((done) => {
    const step = (now) => {
      times.push(now);
      tree.scrollTop = (now - from) * speed;
      if (now - from < seconds * 1000) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  return times.slice(1).map((at, i) => at - times[i]);
}"""

FRAMES = """async (seconds) => {
  const times = [];
  const from = performance.now();
  await new Promise((done) => {
    const step = (now) => {
      times.push(now);
      if (now - from < seconds * 1000) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  return times.slice(1).map((at, i) => at - times[i]);
}"""


def measure(report: Report) -> None:
    """Add the explorer's figures to the report."""
    browser_path = shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory(prefix="bench-explorer-") as folder,
        Worker("bench.history.wide", folder=folder, assets=ASSETS, password=PASSWORD) as hub,
    ):
        what = hub.answer()
        base = f"http://127.0.0.1:{what['port']}"
        report.add(
            "signals of the explorer", what["signals"], "signals", note=f"in {ASSETS:,} assets, all of them live"
        )
        report.add("to register them", what["registered"], "s")
        _api(report, base)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
            _browser(report, browser, base)
            browser.close()
        report.add("largest memory of the hub with them", hub.ask("figures")["peak_mib"], "MiB")


def _api(report: Report, base: str) -> None:
    with httpx.Client(base_url=f"{base}/api/v1", headers={"origin": base}, timeout=60) as client:
        client.post("/session", json={"name": "bench", "password": PASSWORD}).raise_for_status()
        client.get("/tree").raise_for_status()  # the index is built
        times = 3 if quick() else 9
        spent = {text: _median_ms(client, times, "/search", q=text) for text in SEARCHES}
        worst = max(spent, key=lambda text: spent[text])
        report.add("search, the slowest of seven", spent[worst], "ms", target=100, better="lower", note=repr(worst))
        report.add("search, median of seven", statistics.median(spent.values()), "ms")
        line = "wide/site/area-0/line-7"
        report.add("100 children with counts", _median_ms(client, times, "/tree", parent=line), "ms")
        asked = {"parent": line, "q": "power kw", "abnormal": "true", "state": "running"}
        report.add("100 children through a filter", _median_ms(client, times, "/tree", **asked), "ms")
        report.add("the overview", _median_ms(client, times, "/overview"), "ms")


def _median_ms(client: httpx.Client, times: int, path: str, **asked: str) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(path, params=asked).raise_for_status()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e3


def _browser(report: Report, browser: Browser, base: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    subscribed: list[int] = []
    page.on("websocket", lambda socket: _listen(socket, subscribed))
    signed = page.request.post(
        f"{base}/api/v1/session", data={"name": "bench", "password": PASSWORD}, headers={"origin": base}
    )
    if not signed.ok:
        raise RuntimeError(f"sign-in: {signed.status}")
    for path, name, rows in (
        ("/", "overview", ".card:not(.card-empty)"),
        ("/explorer", "explorer", ".explorer .tree-row[aria-busy=false][aria-level='2']"),
    ):
        page.goto(f"{base}{path}")
        page.wait_for_selector(rows, timeout=60_000)
        shown = page.evaluate("performance.now()")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        report.add(f"first paint of the {name}", paint, "ms", target=1500, better="lower")
        report.add(f"until the {name} shows the plant", shown, "ms", target=2500, better="lower")
        report.add(f"memory of the page's script, {name}", _heap_mib(page), "MiB", target=60, better="lower")
    report.add("rows of the unfolded tree", page.evaluate(UNFOLD), "rows", target=5_000)
    seconds = 5 if quick() else 12
    frames = sorted(page.evaluate(SCROLL, seconds))
    report.add("frame while all of it is scrolled, median", frames[len(frames) // 2], "ms", target=20, better="lower")
    report.add(
        "frame while all of it is scrolled, 95 %", frames[len(frames) * 95 // 100], "ms", target=33, better="lower"
    )
    report.add("memory of the page's script, after it", _heap_mib(page), "MiB", target=120, better="lower")
    report.add("signals subscribed at once, most", max(subscribed, default=0), "signals", target=200, better="lower")
    _trend(report, page, base)
    context.close()


def _trend(report: Report, page: Page, base: str) -> None:
    """Fifty live series, each in a lane of its own and all in one."""
    found = page.request.get(f"{base}/api/v1/search?q=area-0 line-1 power&what=signals&limit=50").json()["signals"]
    signals = ",".join(str(one["signal"]["id"]) for one in found)
    for lanes, name in (("each", "in fifty lanes"), ("one", "in one lane")):
        page.goto(f"{base}/trend?s={signals}&lanes={lanes}&r=15m")
        page.wait_for_selector(".value-table tbody tr:nth-child(50)", timeout=60_000)
        page.wait_for_selector(".u-over", timeout=60_000)
        frames = sorted(page.evaluate(FRAMES, 4))
        report.add(f"frame of a live trend, 50 series {name}, 95 %", frames[len(frames) * 95 // 100], "ms")


def _heap_mib(page: Page) -> float:
    used: float = page.evaluate("(gc(), performance.memory.usedJSHeapSize / 1048576)")
    return used


def _listen(socket: WebSocket, subscribed: list[int]) -> None:
    def sent(frame: Any) -> None:
        text = frame if isinstance(frame, str) else ""
        if text.startswith('{"subscribe"'):
            subscribed.append(len(json.loads(text)["subscribe"]))

    socket.on("framesent", sent)


if __name__ == "__main__":
    alone = Report("explorer")
    measure(alone)
    sys.exit(alone.finish())
