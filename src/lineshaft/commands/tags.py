"""`lineshaft tags`: the signals of a plant, with their values when the hub runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lineshaft.commands import output
from lineshaft.commands.client import Client, hub_address, token_of
from lineshaft.commands.plants import load_running
from lineshaft.config.models import Plant
from lineshaft.model.samples import quality_word

PAGE = 1000


def run(plant: str, *, data: Path | None, match: str, token: str, watch: bool, live: bool, as_json: bool) -> int:
    """Print the signals whose path has `match` in it; returns the exit code."""
    loaded, folder = load_running(plant, data)
    if not (live or watch):
        show([row for row in from_plant(loaded) if match in row["path"]], as_json)
        return output.ExitCode.OK
    client = Client(hub_address(folder, loaded.hub.host, loaded.hub.port), token_of(token, folder))
    rows = [row for row in from_hub(client) if match in row["path"]]
    if watch:
        follow(client, rows, as_json)
    show(with_values(client, rows), as_json)
    return output.ExitCode.OK


def from_plant(plant: Plant) -> Iterator[dict[str, Any]]:
    """Signals as the plant folder has them."""
    root = f"{plant.plant.enterprise}/{plant.plant.site}"
    for device in plant.devices:
        for signal in device.signals:
            path = "/".join(filter(None, (root, signal.asset, signal.name)))
            kind = signal.kind.value
            yield {"path": path, "kind": kind, "unit": signal.unit, "device": device.id, "driver": device.driver}


def from_hub(client: Client) -> Iterator[dict[str, Any]]:
    """Signals as the hub knows them, with their ids."""
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/v1/signals", limit=PAGE, **({"cursor": cursor} if cursor else {}))
        for item in page["items"]:
            source = item.get("source") or {}
            yield {
                "id": item["id"],
                "path": item["path"],
                "kind": item["kind"],
                "unit": item["unit"],
                "device": source.get("device", ""),
            }
        cursor = page.get("next")


def latest(client: Client, rows: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Signal id -> its latest value, time and quality."""
    found: dict[int, dict[str, Any]] = {}
    for begin in range(0, len(rows), 200):
        ids = ",".join(str(row["id"]) for row in rows[begin : begin + 200])
        columns = client.get("/api/v1/latest", signals=ids)
        names = ("signal", "time", "value", "text", "quality")
        for signal, at, value, text, quality in zip(*(columns[name] for name in names), strict=True):
            shown = value if text is None else text
            found[signal] = {"value": shown, "time": at, "quality": quality_word(quality)}
    return found


def with_values(client: Client, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with value, time and quality where there is one."""
    values = latest(client, rows)
    none = {"value": None, "time": None, "quality": ""}
    return [{**row, **values.get(row["id"], none)} for row in rows]


def follow(client: Client, rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print each change as it comes, until Ctrl-C."""
    seen: dict[int, Any] = {}
    while True:
        for row in with_values(client, rows):
            if row["time"] is not None and seen.get(row["id"]) != row["time"]:
                seen[row["id"]] = row["time"]
                if as_json:
                    output.print_json(row)
                else:
                    output.out().print(line(row), markup=False)
        time.sleep(1.0)  # the interval of the display


def line(row: dict[str, Any]) -> str:
    """One value for people."""
    return f"{clock(row['time'])}  {row['path']}  {number(row['value'])} {row['unit']}  {row['quality']}"


def clock(microseconds: int | None) -> str:
    """Local time of day to the millisecond."""
    if microseconds is None:
        return ""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def number(value: Any) -> str:
    """A value with six digits at most."""
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def show(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table or as JSON."""
    if as_json:
        output.print_json(rows)
        return
    if not rows:
        output.err().print("no signal matches")
        return
    names = [name for name in rows[0] if name not in ("id", "driver")]
    cells = [[clock(row["time"]) if n == "time" else number(row[n]) for n in names] for row in rows]
    output.table(names, cells)
