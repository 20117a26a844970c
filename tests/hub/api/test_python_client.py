"""The Python client against a running hub."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lineshaft
from hub.api.conftest import ASSET, Hub
from lineshaft.client import Client
from lineshaft.errors import AccessDenied, AddressInvalid, ConnectionFailed, DataError, LineshaftError
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Equipment, Level
from lineshaft.model.events import Event, Severity

T0 = 1_760_000_000_000_000
SECOND = 1_000_000
START = pd.Timestamp(T0, unit="us", tz="UTC")
_THREE_YEARS = 3 * 365 * 86_400.0  # seconds from the hub's clock to the end of 2026
FLOW, PRESSURE, MODE = f"{ASSET}/flow", f"{ASSET}/pressure", f"{ASSET}/mode"


async def ask(hub: Hub, question: Callable[[Client], Any], role: Role = Role.ADMIN) -> Any:
    """What a script would do, in a thread of its own."""

    def script() -> Any:
        with Client(hub.url, hub.token(role)) as client:
            return question(client)

    return await asyncio.to_thread(script)


def filled(hub: Hub) -> None:
    flow, pressure, mode = hub.ids.tolist()
    hub.put([flow] * 3, [T0, T0 + SECOND, T0 + 2 * SECOND], [1.5, math.nan, 3.25])
    hub.put([pressure], [T0 + SECOND], [4.0])
    hub.put([mode], [T0], [math.nan], ["RUN"])


async def test_it_is_where_people_look_for_it() -> None:
    """`lineshaft.Client` is the client."""
    assert lineshaft.Client is Client


async def test_signals_and_equipment_are_tables(hub: Hub) -> None:
    """Paged collections come whole, indexed by path."""
    found = await ask(hub, lambda client: client.signals(ASSET))
    assert found.index.tolist() == [FLOW, MODE, PRESSURE]
    assert found.loc[FLOW, ["unit", "high"]].tolist() == ["m^3/h", 80.0]
    tree = await ask(hub, Client.equipment)
    assert tree.loc[ASSET, "parent"] == "acme/north/hall/line-1"


async def test_history_is_a_frame_over_time(hub: Hub) -> None:
    """One column a signal, UTC times, NaN where there is no row or no number; `end` is excluded."""
    filled(hub)
    frame = await ask(hub, lambda client: client.read([PRESSURE, FLOW], START, START + timedelta(seconds=2)))
    assert frame.columns.tolist() == [PRESSURE, FLOW]
    assert frame.index.tolist() == [START, START + timedelta(seconds=1)]
    assert str(frame.index.dtype) == "datetime64[us, UTC]"
    np.testing.assert_array_equal(frame.to_numpy(), [[math.nan, 1.5], [4.0, math.nan]])


async def test_decimated_history_keeps_extremes(hub: Hub) -> None:
    """With `points` the hub sends the extremes of each pixel, and nothing before the start."""
    flow = int(hub.ids[0])
    times = T0 + np.arange(10_000) * 1000
    values = np.sin(np.arange(10_000) / 50)
    values[7777] = 99.0
    hub.put(np.full(10_000, flow), times, values)
    begin = START + timedelta(seconds=1)
    frame = await ask(hub, lambda client: client.read(FLOW, begin, START + timedelta(seconds=10), points=50))
    assert len(frame) < 500
    assert frame[FLOW].max() == 99.0
    assert frame.index[0] >= begin


async def test_rows_tell_text_and_quality(hub: Hub) -> None:
    """Every stored row with its words; `latest` the same for now."""
    filled(hub)
    rows = await ask(hub, lambda client: client.rows([MODE], START, START + timedelta(days=1)))
    assert rows[["path", "text", "quality"]].to_numpy().tolist() == [[MODE, "RUN", "good"]]
    latest = await ask(hub, lambda client: client.latest(asset=ASSET), Role.VIEWER)
    assert latest.loc[FLOW, "value"] == 3.25
    assert latest.loc[MODE, "text"] == "RUN"
    assert latest.loc[FLOW, "time"] == START + timedelta(seconds=2)


async def test_an_upload_is_stored_once(hub: Hub) -> None:
    """Rows of a frame become history; the same frame again is repeated, not doubled."""
    path = f"{ASSET}/oil"
    times = pd.date_range(
        "2026-03-29T00:30", periods=3, freq="30min", tz="Europe/Berlin"
    )  # over the change of the clock
    rows = pd.DataFrame({"path": path, "time": times, "value": [1.0, 2.0, 3.0], "quality": ["good", "bad", 64]})

    def script(client: Client) -> tuple[dict[str, int], dict[str, int], pd.DataFrame]:
        first, second = client.upload(rows), client.upload(rows)
        return first, second, client.rows(path, times[0], times[-1] + timedelta(seconds=1))

    first, second, stored = await ask(hub, script)
    assert (first["stored"], first["new_signals"]) == (3, 1)
    assert (second["stored"], second["repeated"]) == (0, 3)
    assert stored["quality"].tolist() == ["good", "bad", "uncertain"]
    assert stored["time"].tolist() == times.tz_convert("UTC").tolist()


async def test_events_and_ledger(hub: Hub) -> None:
    """What happened, newest first, and what is missing, as tables."""
    hub.state.events.add([Event(T0 + n, "device.offline", ASSET, f"gone {n}", Severity.HIGH) for n in range(5)])
    events = await ask(hub, lambda client: client.events(since=datetime(2025, 1, 1, tzinfo=UTC), limit=3))
    assert events["message"].tolist() == ["gone 4", "gone 3", "gone 2"]
    assert events["time"].iloc[0] == START + timedelta(microseconds=4)
    ledger = await ask(hub, Client.ledger)
    assert set(ledger.columns) >= {"expected", "arrived", "dropped"}


async def test_the_examples_of_the_guide_run(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example is run as it stands, against a hub that has such a pump."""
    hub.clock.step_wall(_THREE_YEARS)
    flow, _, mode = hub.ids.tolist()
    at = np.datetime64("2025-10-12T08:00", "us").astype(np.int64)
    hub.put([flow] * 2, [at, at + 60 * SECOND], [10.0, 20.0])
    hub.put([mode] * 2, [at, at + 3600 * SECOND], [math.nan] * 2, ["RUN", "STOP"])
    hub.state.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump")])
    text = Path(__file__).parents[3].joinpath("docs/guide/python-client.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 3
    for example in examples:
        script = example.replace("https://hub.example.com", hub.url).replace(
            'token="..."', f'token="{hub.token(Role.ADMIN)}"'
        )
        found: dict[str, Any] = {}
        await asyncio.to_thread(exec, script, found)  # the guide's own text
        if "year" in found:
            day = found["year"].loc["2025-10-12"]
            assert day[f"{ASSET}/flow", "max"] == 20.0
            states = found["states"].loc["2025-10-12"]
            assert (states["RUN"], len(found["states"])) == (3600.0, 31)
    assert "WO-4711" in capsys.readouterr().out


async def test_everything_else_is_a_table(hub: Hub) -> None:
    """Sources, operators, outcomes, predictions, scores, models, writes, cases and orders; a write is told why not."""

    def script(client: Client) -> dict[str, Any]:
        number = client.say(ASSET, "repair", START, "new bearing")
        with pytest.raises(AddressInvalid, match="runs no operators"):
            client.backtest("rule", START, START + timedelta(hours=1))
        with pytest.raises(LineshaftError):
            client.write(FLOW, 3.0, "try")
        return {
            "number": number, "outcomes": client.outcomes(ASSET), "operators": client.operators(),
            "sources": client.sources(), "scores": client.scores(), "models": client.models(),
            "writes": client.writes(), "predictions": client.predictions(),
        }  # fmt: skip

    hub.clock.step_wall(_THREE_YEARS)
    hub.state.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump")])
    found = await ask(hub, script)
    assert found["outcomes"].loc[found["number"], ["time", "kind", "note"]].tolist() == [START, "repair", "new bearing"]
    assert all(isinstance(one, pd.DataFrame) for name, one in found.items() if name != "number")


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        (lambda client: client.read("acme/north/hall/line-1/pump-1/flaw", 0, 1), AddressInvalid, "did you mean"),
        (lambda client: client.read(FLOW, 5, 5), DataError, "not before"),
        (lambda client: client.read(FLOW, "2026-01-01", 5), DataError, "time zone"),
        (lambda client: client.read(FLOW, "tomorrow", 5), DataError, "ISO 8601"),
        (lambda client: client.rows([], 0, 1), DataError, "no signal"),
        (lambda client: client.upload(pd.DataFrame({"path": ["a"]})), DataError, "time, value"),
    ],
)
async def test_a_mistake_says_what_is_wrong(
    hub: Hub, question: Callable[[Client], Any], error: type[Exception], words: str
) -> None:
    """A wrong path, range, time or frame: what it is and what would be right."""
    with pytest.raises(error) as found:
        await ask(hub, question)
    assert words in f"{found.value} {getattr(found.value, 'hint', '')}"


async def test_a_stranger_is_refused(hub: Hub) -> None:
    """A wrong token, and a hub that is not there."""

    def stranger() -> None:
        with Client(hub.url, "nonsense") as client:
            client.signals()

    with pytest.raises(AccessDenied, match="refuses"):
        await asyncio.to_thread(stranger)
    with Client("http://127.0.0.1:9", "x") as nowhere, pytest.raises(ConnectionFailed, match="cannot be reached"):
        nowhere.signals()
    with pytest.raises(DataError, match="no address"):
        Client("hub.example.com", "x")
