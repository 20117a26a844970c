"""A plant folder that changes while the hub runs counts at once: machines, products, calendars and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lineshaft.apps.oee.app import take
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Equipment, Level

from .plant import DAY, HOUR, MONDAY, PRESS, ROOT, SAW, SIX, YAML, Line, running
from .test_calendar import CLOSED, summed_up
from .test_recorder import an_hour
from .test_routes import headers, served

SAW_LINE = "    - {asset: line/saw, state: state, standard: packml, good: good, cycle: 60s, hourly_cost: 50}\n"
PRESS_ONLY = YAML.replace(SAW_LINE, "").replace("flow: [press, saw]", "flow: [press]")
MORE = """  reports: [{id: lead, path: line, to: [lead@works.example]}]
  settle: 10min
hub: {mail: {server: mail.works.example, sender: lineshaft@works.example}}
"""


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path, PRESS_ONLY) as line:
        yield line


async def changed(line: Line, folder: Path, text: str) -> None:
    """As the hub does when the folder has changed."""
    (folder / "plant.yaml").write_text(text)
    await asyncio.to_thread(take, line.oee, load_plant(folder, DRIVERS))


async def test_a_new_machine_is_measured_with_its_past(line: Line, tmp_path: Path) -> None:
    """A machine that comes into the folder has its figures at once, from the rows that were there, and goes on."""
    await an_hour(line)
    await summed_up(line, SIX + 20 * DAY)
    before = line.kpi("availability")
    assert SAW not in line.oee.setup.machines
    await changed(line, tmp_path, YAML + MORE)
    assert line.time("starved", path=SAW, start=SIX + 19 * DAY, end=SIX + 20 * DAY) == 0  # the last week at once
    assert line.kpi("availability", path=SAW, start=SIX + 15 * DAY, end=SIX + 20 * DAY) == 1
    for _ in range(4):
        await asyncio.to_thread(line.oee.recorder.step)  # what is older week by week
    assert line.time("starved", path=SAW) == 9 * 60  # by the press, as the new flow has it
    assert line.kpi("availability") == before
    assert ([one.id for one in line.oee.targets.mails], line.oee.targets.settle) == (["lead"], 600_000_000)
    now = SIX + 20 * DAY
    line.put(f"{SAW}/good", [(now, 90.0)])
    await line.at(now + 1_000_000)
    assert line.oee.reports.kpis(SAW, MONDAY - HOUR, now + DAY, "")["whole"]["counts"]["good"] == 90


async def test_dates_of_the_files_count_in_the_past_and_the_page_stays_above(line: Line, tmp_path: Path) -> None:
    """A holiday of last week in the file moves its stop out of the busy time; an ideal cycle counts for all time."""
    await an_hour(line)
    await summed_up(line, SIX + 7 * DAY)
    effectiveness = line.kpi("effectiveness")
    text = PRESS_ONLY.replace("  - id: day\n", '  - id: day\n    holidays: ["2026-03-02"]\n')
    await changed(line, tmp_path, text.replace("line/press: 30s", "line/press: 15s"))
    assert line.time("breakdown") == 0
    assert line.kpi("effectiveness") == pytest.approx(effectiveness / 2, rel=0.01)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.ENGINEER))
        shift = {"id": "early", "start": "06:00", "end": "14:00"}
        work = {**CLOSED, "kind": "shifts", "path": PRESS, "shifts": [shift], "reason": "we worked all the same"}
        assert (await client.post("/calendar", json=work)).status_code == 201
        (group,) = (await client.get("/calendar", params={"first": "2026-03-02", "days": 1})).json()["items"]
        assert group["days"][0]["files"] == [{"kind": "closed", "reason": "", "holds": False}]
    assert line.time("breakdown") == 600
    await changed(line, tmp_path, PRESS_ONLY)
    assert line.time("breakdown", MONDAY - HOUR, MONDAY - HOUR + DAY) == 600


async def test_a_guess_is_used_with_one_press(line: Line, tmp_path: Path) -> None:
    """Guessed machines are written into the folder and measured when the answer comes; others are refused."""
    await an_hour(line)
    await changed(line, tmp_path, YAML[: YAML.index("oee:")])
    line.services.state.catalogue.register_equipment([Equipment(PRESS, "Press", Level.ASSET)])
    assert not line.oee.setup.machines

    def add_file(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        take(line.oee, load_plant(tmp_path, DRIVERS))

    object.__setattr__(line.oee, "add_file", add_file)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.OPERATOR))
        assert (await client.post("/guesses", json={"assets": ["line/press"]})).status_code == 403
        client.headers.update(headers(app, line, Role.ENGINEER))
        wrong = await client.post("/guesses", json={"assets": ["line/mill"]})
        assert wrong.status_code == 422
        assert "no guess for line/mill" in wrong.text
        used = await client.post("/guesses", json={"assets": ["line/press"]})
        assert used.status_code == 201, used.text
        page = (await client.get("/kpis", params={"start": MONDAY, "end": MONDAY + DAY, "path": PRESS})).json()
    assert page["whole"]["counts"]["good"] == 100
    assert list(line.oee.setup.machines) == [f"{ROOT}/line/press"]
