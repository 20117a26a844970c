"""Helpers for all tests."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
FIRST = ("chain/test_delivery.py", "chain/", "e2e/", "server/test_processes.py", "test_wheel.py")
"""The longest files, which all others fill up around when tests run side by side."""
APART = ("chain/",)
"""Files whose tests share nothing, not even a fixture: each may go to another process."""


def place(path: str) -> int:
    """When a file below tests/ has its turn: `FIRST` in their order, then all others."""
    return next((at for at, name in enumerate(FIRST) if path.startswith(name)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the order, but for the files with a place of their own."""
    items.sort(key=lambda item: place(item.path.relative_to(TESTS).as_posix()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core, from two, since many tests wait, to four."""
    return min(max(2, len(os.sched_getaffinity(0))), 4)


class ByFile(LoadScopeScheduling):
    """A file's tests stay together, in order, for the sake of what its fixtures start; those of `APART` do not."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.removeprefix("tests/").startswith(APART) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Files go to the processes in the order of `place`, not by their number of tests."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def require(tool: str, package: str = "") -> str:
    """Path of a program that a test needs. Skips where it is absent, but fails in CI, where it must be there."""
    path = shutil.which(tool)
    if path is None:
        reason = f"{tool} is not installed" + (f" (package {package})" if package else "")
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(name="require", scope="session")
def _require() -> Callable[..., str]:
    """`require` for tests that would rather not import it."""
    return require


@pytest.fixture
def many_files() -> Iterator[None]:
    """All files that are opened from now on have numbers above 1,100."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while held[-1] <= 1100:
            held.append(os.dup(held[0]))
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def recordings(name: str) -> Path:
    """Folder of real recordings (LINESHAFT_DATA, default ../shared/data). Skips where absent, fails in CI."""
    base = Path(os.environ.get("LINESHAFT_DATA") or Path(__file__).parents[2] / "shared" / "data")
    folder = base / name
    if not folder.is_dir():
        reason = f"the recordings {name} are not in {base} (set LINESHAFT_DATA)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
