"""`lineshaft oee states`: run time from states reaches the machine's own counter on every recorded day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lineshaft.cli import app
from lineshaft.commands.oee import Question, examine

from .conftest import recordings

RUN = ("ACTIVE", "INTERRUPTED", "FEED_HOLD", "PROGRAM_STOPPED")


def logs() -> list[Path]:
    return sorted((recordings("nist_sms") / "raw").glob("*.txt.gz"))


def test_every_recorded_day_reaches_the_counter() -> None:
    """Within 1 % on each day with a counter, by one set of rules; the naive figure is what states alone give."""
    expected = json.loads((recordings("nist_sms") / "expected_states_devdays.json").read_text())
    judged = 0
    for path in logs():
        truth = expected.get(path.name.removesuffix(".gz"), {})
        if "auto_time_delta_s" not in truth:
            continue
        found = examine(path, Question())
        assert found.counter == truth["auto_time_delta_s"]
        assert found.deviation is not None
        assert abs(found.deviation) < 1.0, path.name
        assert found.naive == pytest.approx(sum(truth["exec_s"].get(state, 0) for state in RUN), abs=2)
        judged += 1
    assert judged == 14


def test_the_command_says_what_it_found() -> None:
    """A line per log with the naive figure beside it; exit code 1 where a log is further off than allowed."""
    day = next(path for path in logs() if "Mazak03-20190129" in path.name)
    runner = CliRunner()
    good = runner.invoke(app, ["oee", "states", str(day), "--json"])
    assert good.exit_code == 0, good.output
    (answer,) = json.loads(good.stdout)
    assert answer["naive_deviation"] < -10
    strict = runner.invoke(app, ["oee", "states", str(day), "--within", "0.001"])
    assert strict.exit_code == 1
    assert "-10.96 %" in strict.output


def test_an_own_log_with_other_names(tmp_path: Path) -> None:
    """Any log can be asked, with its own item names; one without the items is told, not guessed."""
    log = tmp_path / "own.txt"
    log.write_text(
        "2026-01-01T08:00:00Z|exec|ACTIVE\n2026-01-01T08:00:00Z|secs|100\n"
        "2026-01-01T08:10:00Z|exec|UNAVAILABLE\n2026-01-01T08:11:00Z|exec|ACTIVE\n"
        "2026-01-01T08:20:00Z|exec|READY\n2026-01-01T08:20:00Z|secs|1300\n"
    )
    found = examine(log, Question("exec", "secs"))
    assert (found.run, found.naive, found.counter, found.deviation) == (1200.0, 1140.0, 1200.0, 0.0)
    assert examine(log, Question()).run is None


def test_kpis_are_listed() -> None:
    """`lineshaft oee kpis` names every KPI with its formula."""
    found = CliRunner().invoke(app, ["oee", "kpis", "--json"])
    assert {"oee", "nee", "availability"} <= {row["id"] for row in json.loads(found.stdout)}
