"""Says at the end of a run how many statements of the specification were checked."""

from __future__ import annotations

import pytest
from tests.sparkplug.ids import ALL


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
