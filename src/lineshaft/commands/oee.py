"""`lineshaft oee`: machine states out of logs, checked against the machine's own counter; the table of KPIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lineshaft.analytics.oee.counts import increments
from lineshaft.analytics.oee.evidence import Mending, arrival_times, mend, time_in
from lineshaft.analytics.oee.kpis import KPIS
from lineshaft.analytics.oee.states import IN_CYCLE, MTCONNECT, State, from_raw
from lineshaft.commands import output
from lineshaft.config.values import parse_duration
from lineshaft.drivers.records import Malformed, Records
from lineshaft.drivers.replay.options import ReplayConnection
from lineshaft.drivers.replay.recording import Recording
from lineshaft.errors import ConfigError, DataError
from lineshaft.model.samples import GOOD_CLASS

_RUN = (*IN_CYCLE,)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a log: names of its items, and the rules. Microseconds."""

    execution: str = "execution"
    counter: str = "auto_time"
    rules: Mending = Mending()  # noqa: RUF009 - frozen
    within: float = 1.0  # percent


@dataclass(frozen=True, slots=True)
class Answer:
    """One log. Seconds; None where the log has no states, or no counter to compare with."""

    log: str
    states: dict[str, float]  # seconds per state, mended
    run: float | None  # time in an automatic cycle, while the counter was heard where there is one
    naive: float | None  # the same from the states as they are stamped, sorted by time
    counter: float | None  # what the machine's own counter of that time grew by
    moved_rows: int  # rows that a clock behind had stamped
    bridges: int  # drop-outs that were filled
    bridged: float
    unknown: float
    cycle_stops: int

    @property
    def deviation(self) -> float | None:
        """Of the run time from the counter, in percent."""
        return None if self.run is None or not self.counter else 100 * (self.run - self.counter) / self.counter

    @property
    def naive_deviation(self) -> float | None:
        """The same without mending."""
        return None if self.naive is None or not self.counter else 100 * (self.naive - self.counter) / self.counter


def run_states(logs: Sequence[Path], question: Question, *, as_json: bool) -> int:
    """Print one line per log; FAILURE when one that has a counter is further from it than allowed."""
    answers = [examine(path, question) for path in logs]
    if as_json:
        output.print_json(
            [
                asdict(answer) | {"deviation": answer.deviation, "naive_deviation": answer.naive_deviation}
                for answer in answers
            ]
        )
    else:
        _print(answers)
    missed = [a.log for a in answers if a.deviation is not None and abs(a.deviation) > question.within]
    if missed:
        output.err().print(f"further than {question.within:g} % from the counter: {', '.join(missed)}", markup=False)
    return output.ExitCode.FAILURE if missed else output.ExitCode.OK


def run_kpis(*, as_json: bool) -> int:
    """Print every KPI with its formula."""
    rows = [(kpi.id, kpi.name, kpi.unit, kpi.formula, kpi.source) for kpi in KPIS]
    names = ("id", "name", "unit", "formula", "source")
    if as_json:
        output.print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        output.table(names, rows)
    return output.ExitCode.OK


def rules_of(longest_gap: str, cycle_stop: str) -> Mending:
    """Rules from durations as people write them. Raises ConfigError."""
    try:
        return Mending(round(parse_duration(longest_gap) * 1e6), round(parse_duration(cycle_stop) * 1e6))
    except ValueError as error:
        raise ConfigError(str(error), hint="--longest-gap 10min --cycle-stop 60s") from error


def examine(path: Path, question: Question) -> Answer:
    """Read one log. Raises ConnectionFailed or DataError when it cannot be read."""
    records = _read(path, (question.execution, question.counter))
    items = np.array(records.items, object)
    stamped = np.array(records.times, np.int64)
    arrived, moved = arrival_times(stamped)
    is_state = items == question.execution
    if not is_state.any():
        return Answer(path.name, {}, None, None, None, moved, 0, 0.0, 0.0, 0)
    raw = [records.raw[row] or "" for row in np.flatnonzero(is_state)]
    good = np.array(records.qualities)[is_state] >= GOOD_CLASS
    states, unknown = from_raw(arrived[is_state], raw, good, MTCONNECT)
    if unknown:
        known = ", ".join(MTCONNECT)
        raise DataError(f"{path}: {question.execution} has values that are no execution: {', '.join(sorted(unknown))}",
                        hint=f"known: {known}")  # fmt: skip
    end = int(arrived[-1])
    found = mend(states, end, question.rules)
    is_count = (items == question.counter) & (np.array(records.qualities) >= GOOD_CLASS)
    known_from = int(found.states.times[int(np.argmax(found.states.values != State.UNKNOWN))])
    counter, low, high = None, known_from, end
    if np.count_nonzero(is_count) > 1:
        at = arrived[is_count]
        counter = float(increments(at, np.array(records.values)[is_count]).amounts.sum())
        low, high = int(at[0]), int(at[-1])
    order = np.argsort(stamped[is_state], kind="stable")
    plain, _ = from_raw(stamped[is_state][order], [raw[row] for row in order], good[order], MTCONNECT)
    run = time_in(found.states, _RUN, low, high) / 1e6
    naive = time_in(plain, _RUN, int(stamped[is_state].min()), int(stamped.max())) / 1e6
    seconds = {state.name.lower(): time_in(found.states, (state,), known_from, end) / 1e6 for state in State}
    return Answer(
        path.name, {name: time for name, time in seconds.items() if time}, run, naive, counter, moved,
        found.bridges, found.bridged / 1e6, found.unknown / 1e6, found.cycle_stops,
    )  # fmt: skip


def _read(path: Path, wanted: tuple[str, ...]) -> Records:
    """Every record's time and item in file order, for any row can show a clock that is behind."""
    whole = Records()
    for part in Recording(ReplayConnection(path=str(path))).chunks(Malformed()):
        for name in ("items", "times", "values", "qualities", "raw"):
            getattr(whole, name).extend(getattr(part, name))
    if not len(whole):
        raise DataError(f"{path} has no records", hint=f"a log of an MTConnect adapter with the items {wanted}")
    return whole


def _print(answers: Sequence[Answer]) -> None:
    columns = ("log", "in cycle", "counter", "off by", "naive", "off by", "moved rows", "bridged", "unknown", "holds")
    output.table(
        columns,
        [
            (
                a.log, _seconds(a.run), _seconds(a.counter), _percent(a.deviation), _seconds(a.naive),
                _percent(a.naive_deviation), a.moved_rows, f"{a.bridges} ({a.bridged:,.0f} s)",
                _seconds(a.unknown), a.cycle_stops,
            )
            for a in answers
        ],
    )  # fmt: skip
    judged = [a for a in answers if a.deviation is not None]
    if judged:
        worst = max(judged, key=lambda a: abs(a.deviation or 0))
        naive = max(judged, key=lambda a: abs(a.naive_deviation or 0))
        output.out().print(
            f"{len(judged)} of {len(answers)} logs have the counter; largest difference {_percent(worst.deviation)} "
            f"({worst.log}), without mending {_percent(naive.naive_deviation)} ({naive.log})",
            markup=False,
        )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} s"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f} %"
