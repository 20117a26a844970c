"""Configurations pushed from the hub to a gateway in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.chain.field import GOOD, HEAD, Latest, ModbusField, modbus
from tests.chain.harness import Chain, chain, wait_for
from tests.chain.recording import PREFIX, Recording
from tests.chain.test_delivery import play, settled
from tests.ports import free_port

GATEWAY = "/gateways/here/gateway-1"
QUICK = HEAD.replace("ledger_interval: 1s", "ledger_interval: 1s, rollback_after: 2s")


class Remote:
    """The configuration of the gateway of a chain, over the API."""

    def __init__(self, made: Chain, path: str = GATEWAY) -> None:
        self.made = made
        self.path = path

    def now(self) -> dict[str, Any]:
        answer = self.made.api.get(f"{self.path}/configuration")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def known(self, seconds: float = 60.0) -> dict[str, Any]:
        path = f"{self.path}/configuration"
        wait_for(lambda: self.made.api.get(path).status_code == 200, seconds, "the gateway")
        wait_for(lambda: self.now()["running"] is not None and self.now()["reachable"], seconds, "the first version")
        return self.now()

    def push(self, files: dict[str, str | None], why: str) -> int:
        base = self.now()["digest"]
        answer = self.made.api.post(f"{self.path}/configuration", json={"base": base, "files": files, "why": why})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["number"])

    def version(self, number: int) -> dict[str, Any]:
        answer = self.made.api.get(f"{self.path}/configuration/{number}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def wait(self, number: int, state: str, seconds: float = 90.0) -> dict[str, Any]:
        wait_for(lambda: self.version(number)["state"] == state, seconds, f"version {number} {state}")
        return self.version(number)

    def events(self, kind: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.made.api.get("/events", params={"limit": 1000}).json()["items"]
        return [event for event in items if event["kind"] == kind]


@contextmanager
def works(folder: Path) -> Iterator[tuple[Remote, ModbusField, str]]:
    with modbus() as plc:
        text = QUICK + "devices:" + plc.config()
        with chain(folder / "chain", text) as made:
            made.start()
            Latest(made).wait(GOOD, "plc-speed")
            remote = Remote(made)
            remote.known()
            yield remote, plc, text


@pytest.mark.slow
def test_a_configuration_is_taken_refused_and_taken_back(tmp_path: Path) -> None:
    """A good push is used, a wrong one refused with file and line; a lost device or a kill takes one back."""
    with works(tmp_path) as (remote, plc, text):
        made, latest = remote.made, Latest(remote.made)
        file = made.plant / "plant.yaml"
        first = remote.now()["running"]
        assert remote.version(first)["files"]["plant.yaml"] == text

        better = text.replace("plc-steady,", "plc-firm,")
        taken = remote.wait(remote.push({"plant.yaml": better}, "a better name"), "applied")
        assert (taken["by"], taken["why"], taken["against"]) == ("ada", "a better name", first)
        assert [change["name"] for change in taken["changes"]] == ["plant.yaml"]
        assert any(line.startswith("+") and "plc-firm" in line for line in taken["changes"][0]["lines"])
        latest.wait(GOOD, "plc-firm")
        assert file.read_text() == better

        wrong = remote.push({"more.yaml": "devices:\n  - {id: x, driver: modbs-tcp}\n"}, "a slip")
        refused = remote.wait(wrong, "refused")
        problem = next(one for one in refused["problems"] if "driver" in one["key"])
        assert (problem["file"], problem["line"], problem["value"]) == ("more.yaml", 2, "modbs-tcp")
        assert "modbus-tcp" in problem["allowed"]
        assert not (made.plant / "more.yaml").exists()
        latest.flows("plc-speed")

        dead = remote.push({"plant.yaml": better.replace(f"port: {plc.port}", f"port: {free_port()}")}, "another port")
        back = remote.wait(dead, "rolled-back")
        assert "plc" in back["words"]
        latest.wait(GOOD, "plc-speed", "plc-firm")
        latest.flows("plc-speed")
        assert file.read_text() == better
        assert remote.now()["running"] == taken["number"]
        wait_for(lambda: remote.events("config.rolled_back"), 60, "the gateway's word in the events")
        assert remote.events("config.pushed")[0]["details"]["by"] == "ada"

        restored = made.api.post(f"{GATEWAY}/configuration/{first}/restore", json={"why": "the old name"}).json()
        remote.wait(restored["number"], "applied")
        assert file.read_text() == text

        file.write_text(better)  # somebody at the gateway itself
        wait_for(lambda: remote.now()["versions"][0]["state"] == "found", 60, "the change at the gateway")
        assert remote.version(remote.now()["versions"][0]["number"])["files"]["plant.yaml"] == better
        stale = {"base": taken["digest"][::-1], "files": {"plant.yaml": text}, "why": "late"}
        assert made.api.post(f"{GATEWAY}/configuration", json=stale).status_code == 409
        killed_while_it_tries(remote, plc, better)


def killed_while_it_tries(remote: Remote, plc: ModbusField, text: str) -> None:
    """kill -9 in the middle of a trial: the next start has the folder of before, and the hub is told why."""
    patient = text.replace("after: 2s", "after: 1h")
    remote.wait(remote.push({"plant.yaml": patient}, "patience"), "applied")
    number = remote.push({"plant.yaml": patient.replace(f"port: {plc.port}", f"port: {free_port()}")}, "another port")
    remote.wait(number, "trying")
    remote.made.gateway.kill()
    remote.made.gateway.start()
    assert "ended while it tried" in remote.wait(number, "rolled-back")["words"]
    Latest(remote.made).wait(GOOD, "plc-speed")
    assert (remote.made.plant / "plant.yaml").read_text() == patient


@pytest.mark.slow
def test_field_lesson_c_a_config_push_during_an_outage_loses_no_buffered_sample(tmp_path: Path) -> None:
    """Broker gone, samples in the buffer, a new configuration made meanwhile: it is taken after, every record once."""
    recording = Recording(signals=20, count=8_000, per_second=400)
    plant = play(tmp_path / "source", recording, "1.0")
    with chain(tmp_path / "chain", plant, mosquitto=True) as made:
        made.start()
        remote = Remote(made)
        remote.known()
        made.stop_broker()
        before = made.arrived(PREFIX)
        wait_for(lambda: not remote.now()["reachable"], 60, "the gateway to be away")
        number = remote.push({"more.yaml": "pipeline: {heartbeat: 30s}\n"}, "made in the outage")
        assert remote.version(number)["state"] == "pending"
        assert made.arrived(PREFIX) < recording.count
        made.start_broker()
        remote.wait(number, "applied", 60)
        assert (made.plant / "more.yaml").exists()
        wait_for(lambda: made.arrived(PREFIX) >= recording.count, 120, "all records", 0.5)
        wait_for(lambda: settled(made, recording.count), 60, "ledger settled", 0.5)
        recording.check(made.table(PREFIX))
        rows = [row for path, row in made.ledger().items() if path.startswith(PREFIX)]
        assert all((row["dropped"], row["unexplained"]) == (0, 0) for row in rows)
        assert before < recording.count
