"""Helpers for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LAST = ("apps/", "hub/", "server/test_history.py")
"""Tests that open many historians in this process. Each leaves idle threads of the engine, with three open files
each, and the MQTT client, which waits with select(), takes no file above number 1023: they come after all others."""
TALK_MQTT = ("hub/test_broker.py", "hub/test_requests.py", "hub/ingest/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the order, but for `LAST` without `TALK_MQTT`."""

    def last(item: pytest.Item) -> bool:
        path = item.path.relative_to(TESTS).as_posix()
        return path.startswith(LAST) and not path.startswith(TALK_MQTT)

    items.sort(key=last)


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
