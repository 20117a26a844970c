"""`lineshaft backtest`: what an operator of the plant folder would have found in the hub's history."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lineshaft.commands import output
from lineshaft.commands.client import Client, hub_address, token_of
from lineshaft.commands.plants import load
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, DataError
from lineshaft.hub.operators.plan import plan_operators
from lineshaft.server.folder import data_folder

_ASK_EVERY = 0.3  # seconds


def run(
    plant: str, operator: str, start: str, end: str, *, asset: str, data: Path | None, token: str, as_json: bool
) -> int:
    """Ask the running hub, show the progress, print the events; returns the exit code."""
    _, loaded = load(plant)
    config = next((one.config for one in plan_operators(loaded) if one.id == operator), None)
    if config is None:
        known = ", ".join(one.id for one in loaded.operators) or "none"
        raise ConfigError(f"the plant has no operator {operator!r}", hint=f"it has: {known}")
    zone = ZoneInfo(loaded.plant.timezone)
    folder = data_folder(loaded, data)
    client = Client(hub_address(folder, loaded.hub.host, loaded.hub.port) + "/api/v1", token_of(token, folder))
    body = {
        "config": config.model_dump(mode="json"),
        "asset": _full(loaded, asset),
        "start": moment(start, zone),
        "end": moment(end, zone),
    }
    job = client.post("/backtests", body)
    try:
        while job["state"] in ("waiting", "running"):
            if not as_json and output.out().is_terminal:
                output.out().print(f"{job['progress']:4.0%}  {job['count']} events", end="\r")
            time.sleep(_ASK_EVERY)
            job = client.get(f"/backtests/{job['id']}")
    except KeyboardInterrupt:
        client.delete(f"/backtests/{job['id']}")
        raise
    if as_json:
        output.print_json(job)
    else:
        _show(job, zone)
    return output.ExitCode.OK if job["state"] == "done" else output.ExitCode.FAILURE


def moment(text: str, zone: ZoneInfo) -> int:
    """UTC microseconds of '2026-05-01' or '2026-05-01T06:00', local where no offset is given. Raises DataError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{text!r} is not a time", hint="like 2026-05-01 or 2026-05-01T06:00") from None
    local = found if found.tzinfo else found.replace(tzinfo=zone)
    return round(local.astimezone(UTC).timestamp() * 1e6)


def _full(plant: Plant, asset: str) -> str:
    site = f"{plant.plant.enterprise}/{plant.plant.site}"
    return asset if not asset or asset == site or asset.startswith(site + "/") else f"{site}/{asset}"


def _show(job: dict[str, Any], zone: ZoneInfo) -> None:
    out = output.out()
    for event in job["events"]:
        at = datetime.fromtimestamp(event["time"] / 1e6, zone)
        out.print(f"{at:%Y-%m-%d %H:%M:%S}  {event['severity']:<8}  {event['subject']}  {event['message']}")
    if job["error"]:
        out.print(f"[red]{job['error']}[/]")
    more = f", the first {len(job['events'])} are shown" if len(job["events"]) < job["count"] else ""
    out.print(f"{job['state']}: {job['count']} events on {len(job['assets'])} assets{more}")
