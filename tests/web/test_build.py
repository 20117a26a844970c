"""The page is built into the package: small, complete, and without anything from the internet."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hatch_build import NODE_WHEEL, SKIP, STAMP, Page, PageNotBuilt, needed_for
from tests.page import built_page

ROOT = Path(__file__).parents[2]
FIRST_ROUTE_KIB = 150
WHOLE_PAGE_BYTES = 2_000_000
NAMES_NOT_ADDRESSES = (
    "http://www.w3.org/",
    "https://react.dev/errors/",
    "http://10.0.0.5",
    "http://${",
)  # XML namespaces, a text of React's errors, examples of a device in the plant, and what a person typed


@pytest.fixture(scope="module")
def built() -> Path:
    """The folder of the built page; built now when the sources have changed since."""
    return built_page().out


def first_route(built: Path) -> list[Path]:
    """What a browser loads before the overview can be seen."""
    found = [built / "index.html"]
    wanted = re.findall(r'(?:src|href)="/(assets/[^"]+)"', found[0].read_text())
    while wanted:
        path = built / wanted.pop()
        if path in found:
            continue
        found.append(path)
        if path.suffix == ".js":
            wanted += [
                f"assets/{name}" for name in re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', path.read_text())
            ]
    return found


def test_first_route_is_small(built: Path) -> None:
    """The first route weighs at most 150 KiB gzipped."""
    files = first_route(built)
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1024
    assert len(files) >= 3
    assert 50 < size <= FIRST_ROUTE_KIB, {path.name: path.stat().st_size for path in files}


def test_whole_page_fits_into_the_wheel(built: Path) -> None:
    """The whole page with its compressed twins stays under 2 MB, and holds no source maps."""
    files = [path for path in built.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < WHOLE_PAGE_BYTES
    assert not [path.name for path in files if path.suffix == ".map"]


def test_nothing_comes_from_the_internet(built: Path) -> None:
    """No file of the page names an address outside of the hub: it works in a plant without internet."""
    for path in built.rglob("*"):
        if path.suffix not in (".html", ".js", ".css", ".svg"):
            continue
        addresses = re.findall(r"https?://[^\s\"'`)\\<>]*", path.read_text())
        assert [one for one in addresses if not one.startswith(NAMES_NOT_ADDRESSES)] == [], path.name


def test_no_inline_script_or_style(built: Path) -> None:
    """index.html has no inline script or style, so that the page runs under a strict content security policy."""
    html = (built / "index.html").read_text()
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\son\w+=", html)


def test_compressed_twins_hold_the_same(built: Path) -> None:
    """Every script and style has a .gz and a .br beside it, and the .gz holds the same bytes."""
    for path in (built / "assets").iterdir():
        if path.suffix in (".js", ".css") and path.stat().st_size >= 512:
            assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()
            assert path.with_name(path.name + ".br").stat().st_size < path.stat().st_size


@pytest.fixture
def small(tmp_path: Path) -> Page:
    """A page of a few files whose build is a fake npm."""
    page = Page.of(tmp_path)
    (page.sources / "src").mkdir(parents=True)
    (page.sources / "public").mkdir()
    (page.sources / "scripts").mkdir()
    words = "../src/lineshaft/hub/explorer/state_words.json"
    files = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "index.html", "src/main.tsx")
    for name in (*files, words):
        (page.sources / name).parent.mkdir(parents=True, exist_ok=True)
        (page.sources / name).write_text(name)
    return page


class FakeNpm:
    """Does what npm would leave behind; `broken` names a first argument that fails."""

    def __init__(self, page: Page, broken: str = "") -> None:
        self.page = page
        self.broken = broken
        self.calls: list[str] = []

    def __call__(self, arguments: Sequence[str], where: Path) -> int:
        self.calls.append(arguments[0])
        if arguments[0] == self.broken:
            return 1
        if arguments[0] == "ci":
            (where / "node_modules").mkdir(exist_ok=True)
        else:
            self.page.out.mkdir(parents=True, exist_ok=True)
            (self.page.out / "index.html").write_text("built")
        return 0


def test_build_follows_the_sources(small: Page) -> None:
    """The page is built when its sources change, and npm installs only when the lock file changes."""
    npm = FakeNpm(small)
    assert not small.is_built()
    small.build(npm)
    assert small.is_built()
    (small.sources / "src" / "main.tsx").write_text("changed")
    assert not small.is_built()
    small.build(npm)
    assert npm.calls == ["ci", "run", "run"]
    (small.sources / "package-lock.json").write_text("changed")
    small.build(npm)
    assert npm.calls[-2:] == ["ci", "run"]


@pytest.mark.parametrize("broken", ["ci", "run"])
def test_failure_says_what_to_do(small: Page, broken: str) -> None:
    """A failed build names the command and how to go on without the page, and leaves no stamp of success."""
    (small.sources / "node_modules").mkdir()
    with pytest.raises(PageNotBuilt, match=rf"npm {broken}.*{SKIP}=1"):
        small.build(FakeNpm(small, broken))
    assert not (small.out / STAMP).exists()


def test_sources_without_ui_need_no_build(tmp_path: Path) -> None:
    """Where there is no ui folder there is nothing to build."""
    assert Page.of(tmp_path).is_built()


def test_node_is_only_a_build_dependency_when_needed(small: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing asks for node when the page is missing, not when it is built or not wanted."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(SKIP, raising=False)
    assert needed_for(small) == [NODE_WHEEL]
    monkeypatch.setenv(SKIP, "1")
    assert needed_for(small) == []
    monkeypatch.delenv(SKIP)
    small.build(FakeNpm(small))
    assert needed_for(small) == []
