"""What leaves the hub: webhooks and mailed reports, each once, over refusals and restarts; exports; the PDF."""

from __future__ import annotations

import base64
import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineshaft.apps.base import AppContext
from lineshaft.apps.oee.app import make
from lineshaft.apps.oee.b2mml import NAMESPACE
from lineshaft.apps.oee.report_pdf import report_pdf
from lineshaft.apps.oee.shift_report import build, period_at
from lineshaft.apps.oee.slots import Note
from lineshaft.config.results import MailConfig, ShiftReportConfig, WebhookConfig
from lineshaft.hub.security.roles import Role

from .plant import DAY, HOUR, MINUTE, MONDAY, PRESS, ROOT, SIX, Line, running
from .receivers import Login, Mailbox, Web, guarded_mail_server, mail_server, web_server
from .test_recorder import an_hour
from .test_routes import RANGE, headers, served

SECRET = "whsec_" + base64.b64encode(b"a secret of this test, not of a plant").decode()
END = SIX + 8 * HOUR  # of the early shift


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


def started(line: Line, folder: Path, web: Web, box: Mailbox) -> Line:
    """The app as after a start of the hub, with its targets in the plant file."""
    (folder / "erp.secret").write_text(SECRET + "\n")
    hooks = (
        WebhookConfig(id="erp", url=web.url, secret_file="erp.secret"),
        WebhookConfig(id="mes", url=web.url, secret_file="erp.secret", on=("order",), path="line", format="b2mml"),
    )
    mail = MailConfig(server="127.0.0.1", port=box.port, security="none", sender="lineshaft@works.example")
    section = line.plant.oee.model_copy(
        update={"webhooks": hooks, "reports": (ShiftReportConfig(id="boss", to=("boss@works.example",), path="line"),)}
    )
    hub = line.plant.hub.model_copy(update={"mail": mail})
    plant = line.plant.model_copy(update={"oee": section, "hub": hub})
    return replace(line, oee=make(AppContext(plant, line.services, line.historian.listen, folder)))


async def test_each_shift_and_order_is_told_once(line: Line, tmp_path: Path) -> None:
    """Kept while nobody answers, over restarts, and taken once; signatures hold; a correction afterwards is shown."""
    web = Web(SECRET)
    async with web_server(web), mail_server() as box:
        now = started(line, tmp_path, web, box)
        assert await now.oee.sender.step() == 0  # nothing has ended since the targets are known
        await an_hour(line)
        order = {"id": "4711", "path": PRESS, "product": "P1", "quantity": 500, "start": SIX, "end": SIX + HOUR}
        async with served(now) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
            client.headers.update(headers(app, now, Role.ENGINEER))
            await client.put("/orders", json={"items": [order]})
            await client.post("/orders/4711/start", json={"at": SIX + MINUTE})
            await client.post("/orders/4711/finish", json={"at": SIX + 50 * MINUTE})
            web.down = box.down = True
            await line.at(END + 6 * MINUTE)
            now.oee.recorder.catch_up()
            assert await now.oee.sender.step() == 0
            assert web.refused == 3
            now = started(line, tmp_path, web, box)  # the hub starts again; what waits is still there
            assert await now.oee.sender.step() == 0  # not before its time
            web.down = box.down = False
            await line.at(END + 7 * MINUTE)
            assert await now.oee.sender.step() == 4
            now = started(line, tmp_path, web, box)
            await line.at(END + HOUR)
            assert await now.oee.sender.step() == 0
            app.state.apps["oee"] = now.oee
            await _told(web, box)
            await _corrected(client, now, line)


async def _told(web: Web, box: Mailbox) -> None:
    assert len({key for key, _, _ in web.taken}) == len(web.taken) == 3
    bodies = {kind: [] for kind in ("application/json", "application/xml")}  # type: dict[str, list[bytes]]
    for _, body, kind in web.taken:
        bodies[kind].append(body)
    told = {one["type"]: one["data"] for one in map(json.loads, bodies["application/json"])}
    assert told["oee.order.ended"]["good"] == pytest.approx(78, abs=1)
    assert told["oee.shift.ended"]["shift"]["id"] == "early"
    assert told["oee.shift.ended"]["whole"]["counts"]["failures"] == 1
    _is_performance(bodies["application/xml"][0], "4711")
    (mail,) = box.mails
    assert mail["To"] == "boss@works.example"
    assert "OEE" in mail["Subject"]
    (pdf,) = mail.iter_attachments()
    assert pdf.get_content_type() == "application/pdf"
    assert pdf.get_content().startswith(b"%PDF-")
    assert "Top losses" in mail.get_body().get_content()  # type: ignore[union-attr]


async def _corrected(client: httpx.AsyncClient, now: Line, line: Line) -> None:
    """The page says what is otherwise since the report was sent."""
    path = f"{ROOT}/line"
    rows = (await client.get("/reports", params={"path": path, "start": MONDAY, "end": MONDAY + DAY})).json()["items"]
    assert [(one["id"], [mail["state"] for mail in one["mails"]]) for one in rows] == [
        ("late", []),
        ("early", ["sent"]),
    ]
    page = (await client.get("/reports/shift", params={"path": path, "start": SIX})).json()
    assert page["sent"] is not None
    assert page["changes"] == []
    note = (PRESS, Note(SIX + 20 * MINUTE, SIX + 30 * MINUTE, "tool"), "key-12345-0")
    now.oee.store.add_notes([note], "anna", line.clock.now_us(), "reason", {})
    now.oee.recorder.reasons_changed(now.oee.setup.machines[PRESS], note[1].start, note[1].end)
    page = (await client.get("/reports/shift", params={"path": path, "start": SIX})).json()
    changed = {one["what"]: (one["before"] / 1e6, one["now"] / 1e6) for one in page["changes"]}
    assert (changed["Jam"], changed["Tool change"]) == ((600, 0), (0, 600))
    deliveries = (await client.get("/deliveries")).json()
    assert deliveries["counts"] == {"sent": 4}
    assert {one["id"] for one in deliveries["targets"]} == {"erp", "mes", "boss"}
    assert (await client.post("/deliveries/nothing/again")).status_code == 404


def _is_performance(text: bytes | str, order: str, schema: str = "Production") -> None:
    root, space = ET.fromstring(text), {"b": NAMESPACE}  # noqa: S314 - made by us
    assert root.tag == f"{{{NAMESPACE}}}{schema}Performance"
    request = root.find(f"b:{schema}Response/b:{schema}RequestID", space)
    assert request is not None
    assert request.text == order
    segment = root.find(f"b:{schema}Response/b:SegmentResponse", space)
    assert segment is not None
    assert segment.find("b:ActualStartTime", space) is not None
    made = "MaterialProducedActual" if schema == "Production" else "MaterialActual"
    assert segment.findtext(f"b:{made}/b:MaterialDefinitionID", None, space) == "P1"
    assert segment.findtext(f"b:{made}/b:Quantity/b:QuantityString", None, space)
    data = "ProductionData" if schema == "Production" else "SegmentData"
    assert {one.findtext("b:ID", None, space) for one in segment.findall(f"b:{data}", space)} >= {
        "kpi-oee",
        "time-production",
    }


async def test_a_target_that_cannot_be_used_says_why(line: Line, tmp_path: Path) -> None:
    """A secret that is not there keeps the message, with the file's name as its error; people can try again."""
    web = Web(SECRET)
    async with web_server(web):
        now = started(line, tmp_path, web, Mailbox(port=9))
        await now.oee.sender.step()
        await an_hour(line)
        await line.at(END + 6 * MINUTE)
        (tmp_path / "erp.secret").unlink()
        await now.oee.sender.step()
        found = {one.target: one for one in now.oee.outbox.find(10)}
        assert "erp.secret cannot be read" in found["erp"].error
        assert found["boss"].state == "waiting"
        assert found["boss"].attempts == 1
        (tmp_path / "erp.secret").write_text(SECRET)
        async with served(now) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
            viewer, engineer = headers(app, now, Role.VIEWER), headers(app, now, Role.ENGINEER)
            again = f"/deliveries/{found['erp'].id}/again"
            assert (await client.post(again, headers=viewer)).status_code == 403
            assert (await client.get("/deliveries", headers=viewer)).status_code == 403
            assert (await client.post(again, headers=engineer)).status_code == 200
        assert await now.oee.sender.step() == 1
        await line.at(END + 5 * DAY)  # the mail server never came back
        await now.oee.sender.step()
        assert {one.state for one in now.oee.outbox.find(100) if one.id == found["boss"].id} == {"failed"}


async def test_a_mail_server_that_wants_to_know_who_asks(line: Line, tmp_path: Path) -> None:
    """STARTTLS with an authority of the plant and a password from a file; what is wrong with either is said."""
    async with guarded_mail_server(tmp_path, Login("lineshaft", "open sesame")) as box:
        now = started(line, tmp_path, Web(SECRET, "http://127.0.0.1:9/hook"), box)
        (tmp_path / "mail.password").write_text("wrong")
        server = MailConfig(
            server="127.0.0.1", port=box.port, user="lineshaft", password_file="mail.password",
            sender="lineshaft@works.example",
        )  # fmt: skip
        await now.oee.sender.step()
        await an_hour(line)

        async def attempt(minute: int, server: MailConfig) -> str:
            await line.at(END + minute * MINUTE)
            await replace(now.oee.sender, server=server).step()
            return next(one.error for one in now.oee.outbox.find(9) if one.target == "boss")

        assert "CERTIFICATE_VERIFY_FAILED" in await attempt(6, server)
        assert "cannot be used" in await attempt(10, server.model_copy(update={"ca_file": "mail.password"}))
        trusting = server.model_copy(update={"ca_file": "ca.pem"})
        assert "535" in await attempt(20, trusting)
        assert not box.mails
        (tmp_path / "mail.password").write_text("open sesame\n")
        assert await attempt(60, trusting) == ""
        assert [one["To"] for one in box.mails] == ["boss@works.example"]


async def test_exports(line: Line) -> None:
    """KPIs as CSV by any group, orders as CSV, JSON and both B2MML documents, a report of any past shift as PDF."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.ENGINEER))
        order = {"id": "4711", "path": PRESS, "product": "P1", "quantity": 500, "start": SIX, "end": SIX + HOUR}
        await client.put("/orders", json={"items": [order]})
        await client.post("/orders/4711/start", json={"at": SIX + MINUTE})
        for by in ("machine", "shift", "product", "order", "crew", "slot"):
            table = list(csv.DictReader(io.StringIO((await client.get("/export", params={**RANGE, "by": by})).text)))
            assert sum(float(row["good"]) for row in table) == pytest.approx(140)
        for schema in ("production", "operations"):
            answer = await client.get("/performance", params={**RANGE, "schema": schema})
            assert answer.headers["content-type"].startswith("application/xml")
            _is_performance(answer.text, "4711", schema.capitalize())
        rows = (await client.get("/performance", params={**RANGE, "format": "json"})).json()["items"]
        text = (await client.get("/performance", params={**RANGE, "format": "csv"})).text
        assert (rows[0]["state"], "4711" in text) == ("running", True)
        pdf = await client.get("/reports/shift.pdf", params={"path": f"{ROOT}/line", "start": SIX})
        assert pdf.content.startswith(b"%PDF-")
        assert "shift-report-2026-03-02-early.pdf" in pdf.headers["content-disposition"]
        assert (await client.get("/reports/shift", params={"start": SIX + 1})).status_code == 404
        assert (await client.get("/reports", params={"start": 0, "end": 200 * DAY})).status_code == 422


async def test_a_pdf_of_anything(line: Line) -> None:
    """A shift without data, one with a hundred stops and names in other letters: pages are made, twice the same."""
    await an_hour(line)
    slot = period_at(line.oee.reports, f"{ROOT}/line", SIX)
    assert slot is not None
    report: dict[str, Any] = build(line.oee.reports, f"{ROOT}/line", slot, "Works", END)
    empty = build(
        line.oee.reports, f"{ROOT}/line", replace(slot, start=slot.start - 90 * DAY, end=slot.end - 90 * DAY), "W", 1
    )
    many = report | {"stops": [one | {"reason_name": "Żółw «牛» & <b>", "reason": "x"} for one in report["stops"] * 60]}
    for one in (report, empty, many):
        assert report_pdf(one) == report_pdf(one)
    assert len(report_pdf(many)) > len(report_pdf(report)) > len(report_pdf(empty)) > 1000
