"""The recorded life, and a line at the end of a run that says how many statements were checked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.sparkplug.ids import ALL
from tests.sparkplug.scenario import Play, Record


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory, require: Callable[..., str]) -> Record:
    """One life of our edge node and our host; Mosquitto is the server in it."""
    require("mosquitto", "mosquitto")
    return Play(tmp_path_factory.mktemp("tck")).run()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line when statements were checked."""
    counts = {}
    for outcome in ("passed", "failed"):
        reports = terminalreporter.stats.get(outcome, [])
        marked = [report.nodeid.split("[tck-id-")[1].rstrip("]") for report in reports if "[tck-id-" in report.nodeid]
        counts[outcome] = len(set(marked))
    if any(counts.values()):
        terminalreporter.write_line(
            f"Sparkplug 3.0: {counts['passed']} of {len(ALL)} statements hold, {counts['failed']} do not"
        )
