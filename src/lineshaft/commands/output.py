"""How commands speak: exit codes, tables, JSON, progress, and errors as cause, context and hint."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from lineshaft.errors import (
    AccessDenied,
    ConfigError,
    ConnectionFailed,
    LineshaftError,
    PeerTimeout,
    Problem,
    StoreUnavailable,
)
from lineshaft.server.parts import PartMissing


class ExitCode(IntEnum):
    """What the process returns; the same for every command."""

    OK = 0
    FAILURE = 1  # the command ran and the answer is no, or something broke
    USAGE = 2  # the command line, the plant folder or an option is wrong
    UNREACHABLE = 3  # a device, a broker, the hub or a database does not answer
    DENIED = 4  # wrong password, token or right
    MISSING = 5  # a part of Lineshaft is not installed


def out() -> Console:
    """The console for results. Colour only on a terminal and without NO_COLOR."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 400)


def err() -> Console:
    """The console for messages that are not results."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """Write `data` as JSON to the standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print rows in aligned columns; long cells are cut on a terminal only."""
    grid = Table(*columns, title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for row in rows:
        grid.add_row(*(_plain(str(cell)) for cell in row))
    out().print(grid)


def exit_code(error: LineshaftError) -> ExitCode:
    """The exit code for an error."""
    if isinstance(error, ConfigError):
        return ExitCode.USAGE
    if isinstance(error, ConnectionFailed | PeerTimeout | StoreUnavailable):
        return ExitCode.UNREACHABLE
    if isinstance(error, AccessDenied):
        return ExitCode.DENIED
    if isinstance(error, PartMissing):
        return ExitCode.MISSING
    return ExitCode.FAILURE


def show_error(error: LineshaftError) -> ExitCode:
    """Print cause, problems, context and hint to the standard error; returns the exit code."""
    console = err()
    message = str(error.args[0]) if error.args else type(error).__name__
    console.print(f"[bold red]error:[/] {_plain(message)}")
    for problem in getattr(error, "problems", ()):
        show_problem(console, problem)
    cause = error.__cause__
    if cause is not None and str(cause) and str(cause) not in message:
        console.print(f"  because: {_plain(str(cause).splitlines()[0])}", style="dim")
    if error.hint:
        console.print(f"  hint: {_plain(error.hint)}")
    return exit_code(error)


def show_problem(console: Console, problem: Problem) -> None:
    """Print one problem of a plant folder."""
    value = f" = {_plain(problem.value)}" if problem.value else ""
    console.print(f"  [bold]{_plain(problem.file)}:{problem.line}[/]  {_plain(problem.key)}{value}")
    console.print(f"      {_plain(problem.message)}")
    if problem.allowed:
        console.print(f"      allowed: {_plain(problem.allowed)}", style="dim")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


class Bars:
    """Progress of long work: bars on a terminal; elsewhere a plain line at the start, each tenth and the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._tenths: dict[str, int] = {}
        columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=console) if console.is_terminal else None

    def start(self) -> None:
        """Begin to draw."""
        if self._bars is not None:
            self._bars.start()

    def stop(self) -> None:
        """End drawing; what stands there stays."""
        if self._bars is not None:
            self._bars.stop()

    def advance(self, title: str, done: float) -> None:
        """`done` goes from 0 to 1; a title that is new begins a bar."""
        if self._bars is not None:
            if title not in self._tasks:
                self._tasks[title] = self._bars.add_task(title, total=1.0)
            self._bars.update(self._tasks[title], completed=done)
        elif int(done * 10) > self._tenths.get(title, -1):
            self._tenths[title] = int(done * 10)
            self._console.print(f"  {title}: {done:.0%}", markup=False)
