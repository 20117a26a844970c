"""`lineshaft model`: trains models in the running hub, puts them to work, and shows how good they were."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from lineshaft.commands import output
from lineshaft.commands.backtest import moment
from lineshaft.commands.client import Client, hub_address, token_of
from lineshaft.commands.plants import load
from lineshaft.config.values import parse_duration
from lineshaft.errors import DataError
from lineshaft.server.folder import data_folder

_ASK_EVERY: Final = 0.3  # seconds
_NEXT: Final = {"draft": "shadow", "shadow": "active", "retired": "shadow"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says."""

    type: str
    features: str
    operating: str
    start: str
    end: str
    held_start: str
    held_end: str
    name: str
    window: str
    method: str
    note: str


@dataclass(frozen=True, slots=True)
class Reached:
    """A running hub, and the zone in which its plant counts."""

    client: Client
    zone: ZoneInfo


def reach(plant: str, data: Path | None, token: str) -> Reached:
    """The hub of a plant. Raises ConfigError for a plant that is none."""
    _, loaded = load(plant)
    folder = data_folder(loaded, data)
    address = hub_address(folder, loaded.hub.host, loaded.hub.port) + "/api/v1"
    return Reached(Client(address, token_of(token, folder)), ZoneInfo(loaded.plant.timezone))


def show(hub: Reached, *, as_json: bool) -> int:
    """Versions, and the scores of everything that foretells."""
    models, scores = hub.client.all("/models"), hub.client.get("/predictions/scores")["items"]
    if as_json:
        output.print_json({"models": models, "scores": scores})
        return output.ExitCode.OK
    if models:
        columns = ("model", "state", "type", "learned", "judged to", "false/month", "baseline", "faults warned of")
        output.table(columns, [_line(one, hub.zone) for one in models])
    if scores:
        columns = ("at work", "version", "kind", "type", "predictions", "false/month", "missed", "P10-P90 held")
        output.table(columns, [_score(one) for one in scores], title="The record")
    if not models and not scores:
        output.out().print("no model is trained, and nothing was foretold yet")
    return output.ExitCode.OK


def train(hub: Reached, wanted: Wanted, *, as_json: bool) -> int:
    """Begin a run, show its progress, print what the version is worth; returns the exit code."""
    job = hub.client.post("/models/trainings", _body(wanted, hub.zone))
    try:
        while job["state"] in ("waiting", "running"):
            if not as_json and output.out().is_terminal:
                output.out().print(f"{job['progress']:4.0%} of {len(job['assets'])} assets", end="\r")
            time.sleep(_ASK_EVERY)
            job = hub.client.get(f"/models/trainings/{job['id']}")
    except KeyboardInterrupt:
        hub.client.delete(f"/models/trainings/{job['id']}")
        raise
    if job["state"] != "done":
        raise DataError(f"the training {job['state']}: {job['error']}")
    model = hub.client.get(f"/models/{job['name']}/{job['version']}")["model"]
    if as_json:
        output.print_json(model)
        return output.ExitCode.OK
    out = output.out()
    out.print(f"{model['id']}: learned on {len(model['metrics']['assets'])} assets, judged on held-out time")
    methods = model["metrics"]["methods"]
    rows = [_figures(name, methods[name], model["settings"]["method"]) for name in ("forecast", "baseline")]
    output.table(("method", "false alarms", "a machine-month", "faults warned of", "median lead", "beyond"), rows)
    for words in model["warnings"]:
        out.print(words, markup=False)
    out.print(f'next: lineshaft model promote PLANT {model["id"]} --why "..."', markup=False)
    return output.ExitCode.OK


def promote(hub: Reached, version: str, why: str, *, as_json: bool) -> int:
    """Into the next state; returns the exit code."""
    name, number = _named(version)
    state = hub.client.get(f"/models/{name}/{number}")["model"]["state"]
    if state not in _NEXT:
        raise DataError(f"{version} is {state}", hint="retire it, or train a new version")
    return move(hub, version, _NEXT[state], why, as_json=as_json)


def move(hub: Reached, version: str, state: str, why: str, *, as_json: bool) -> int:
    """Into a state; returns the exit code."""
    name, number = _named(version)
    moved = hub.client.post(f"/models/{name}/{number}/state", {"state": state, "why": why})
    if as_json:
        output.print_json(moved)
    else:
        output.out().print("; ".join([f"{version} is {moved['model']['state']}", *moved["words"]]), markup=False)
    return output.ExitCode.OK


def _named(version: str) -> tuple[str, int]:
    name, _, number = version.rpartition("-")
    if not name or not number.isdigit():
        raise DataError(f"{version!r} is no version of a model", hint="name and version, like pumps-2")
    return name, int(number)


def _body(wanted: Wanted, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "name": wanted.name or wanted.type,
        "type": wanted.type,
        "features": _names(wanted.features),
        "operating": _names(wanted.operating),
        "start": moment(wanted.start, zone),
        "end": moment(wanted.end, zone),
        "held_start": moment(wanted.held_start or wanted.end, zone),
        "held_end": moment(wanted.held_end, zone),
        "settings": {"window": parse_duration(wanted.window), "method": wanted.method},
        "note": wanted.note,
    }


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _figures(name: str, one: dict[str, Any], decides: str) -> tuple[str, ...]:
    return (
        f"{name} (decides)" if name == decides else name,
        str(one["false"]),
        _number(one["false_per_month"]),
        f"{one['faults'] - one['missed']} of {one['faults']}",
        "-" if one["lead_median"] is None else f"{one['lead_median']:.1f} h",
        "-" if one["beyond"] is None else f"{one['beyond']:.1%}",
    )


def _line(one: dict[str, Any], zone: ZoneInfo) -> tuple[str, ...]:
    methods, decides = one["metrics"]["methods"], one["settings"]["method"]
    other = "baseline" if decides == "forecast" else "forecast"
    return (
        one["id"],
        one["state"],
        one["type"],
        f"{_day(one['start'], zone)} to {_day(one['end'], zone)}",
        _day(one["held_end"], zone),
        _number(methods[decides]["false_per_month"]),
        _number(methods[other]["false_per_month"]),
        f"{methods[decides]['faults'] - methods[decides]['missed']} of {methods[decides]['faults']}",
    )


def _score(one: dict[str, Any]) -> tuple[str, ...]:
    faults, life = one["faults"], one["life"]
    return (
        one["model"],
        one["version"],
        one["kind"],
        one["type"],
        str(one["predictions"]),
        "-" if faults is None else _number(faults["false_per_month"]),
        "-" if faults is None else f"{faults['missed']} of {faults['faults']}",
        "-" if life is None or life["coverage"] is None else f"{life['coverage']:.0%} of {life['decided']}",
    )


def _day(us: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, zone):%Y-%m-%d %H:%M}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
