"""Figures beside their targets: printed, written to bench/results/<area>.json, and turned into an exit code."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

RESULTS = Path(__file__).parent / "results"


def quick() -> bool:
    """True for a run under a minute (QUICK=1)."""
    return os.environ.get("QUICK", "") not in ("", "0")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `target` None: printed for the record, cannot be missed."""

    name: str
    value: float | None
    unit: str
    target: float | None = None
    better: Literal["higher", "lower"] = "higher"
    note: str = ""
    part: str = ""  # of the area, where it has parts that are measured one by one

    @property
    def verdict(self) -> str:
        """'met', 'missed', 'not measured' or '' without a target."""
        if self.value is None:
            return "not measured"
        if self.target is None:
            return ""
        good = self.value >= self.target if self.better == "higher" else self.value <= self.target
        return "met" if good else "missed"


@dataclass(slots=True)
class Report:
    """All figures of one area."""

    area: str
    figures: list[Figure] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    parts: dict[str, float] = field(default_factory=dict)  # name -> when it began

    def begin(self, part: str) -> None:
        """What comes is of this part; figures of parts that are not measured now stay in the file."""
        self.parts[part] = time.time()

    def add(
        self,
        name: str,
        value: float | None,
        unit: str,
        *,
        target: float | None = None,
        better: Literal["higher", "lower"] = "higher",
        note: str = "",
    ) -> None:
        """Record and print a figure."""
        figure = Figure(name, value, unit, target, better, note, next(reversed(self.parts), ""))
        self.figures.append(figure)
        print(_line(figure), flush=True)

    def finish(self) -> int:
        """Write the JSON; 0 when every target is met, 1 when one is missed or was not measured."""
        RESULTS.mkdir(exist_ok=True)
        missed = [
            figure.name
            for figure in self.figures
            if figure.verdict in ("missed", "not measured") and figure.target is not None
        ]
        path = RESULTS / f"{self.area}.json"
        document: dict[str, Any] = {
            "area": self.area,
            "quick": quick(),
            "seconds": round(time.time() - self.started, 1),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
        }
        figures = [{**asdict(figure), "verdict": figure.verdict} for figure in self.figures]
        if self.parts:
            old = json.loads(path.read_text()) if path.exists() else {}
            ends = [*list(self.parts.values())[1:], time.time()]
            took = {name: round(end - self.parts[name], 1) for name, end in zip(self.parts, ends, strict=True)}
            document["parts"] = {
                **old.get("parts", {}),
                **{name: {"seconds": s, "quick": quick()} for name, s in took.items()},
            }
            names = {figure.name for figure in self.figures}
            stay = [
                one
                for one in old.get("figures", [])
                if one.get("part", "") not in self.parts and one["name"] not in names
            ]
            figures = stay + figures
        document["figures"] = figures
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"\n{path.relative_to(RESULTS.parent.parent)} written")
        if missed:
            print("targets not met: " + "; ".join(missed), file=sys.stderr)
        return 1 if missed else 0


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _line(figure: Figure) -> str:
    value = "-" if figure.value is None else _number(figure.value)
    sign = ">=" if figure.better == "higher" else "<="
    target = "" if figure.target is None else f"{sign} {_number(figure.target)}"
    return f"{figure.name:<62} {value:>12} {figure.unit:<14} {target:<14} {figure.verdict:<12} {figure.note}".rstrip()


def median_ms(times: int, ask: Callable[[], httpx.Response]) -> float:
    """Median of how long an answer takes, after a first one."""
    ask()
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        ask().raise_for_status()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e3
