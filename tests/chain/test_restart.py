"""Devices that go and come back, seen at the API at the other end of the chain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.chain.field import BAD_ADDRESS, GOOD, HEAD, STALE, Latest, modbus, opcua
from tests.chain.harness import chain

SECONDS = 5.0
"""How soon a silent device must show: the time of the mark says it, however late this test looks."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["subscribe", "poll"])
def test_devices_that_go_and_come_back(tmp_path: Path, mode: str) -> None:
    """A silent device is stale within seconds and back by itself; a bad register or node marks only its own signal."""
    broken = "      - {name: broken, address: {table: holding, register: 100, type: uint16}}"
    with modbus() as plc, opcua() as robot:
        plant = HEAD + "devices:" + plc.config(more=broken) + robot.config(mode)
        with chain(tmp_path / "chain", plant) as made:
            made.start()
            latest = Latest(made)
            latest.wait(GOOD, "plc-speed", "plc-steady", "level")
            latest.wait(BAD_ADDRESS, "broken", "ghost")
            latest.flows("plc-speed", "level")
            state = {item["device"]: item["state"] for item in made.api.get("/sources").json()["items"]}
            assert state["plc"] in ("online", "degraded")

            silent = time.time()
            plc.stop()
            latest.wait(STALE, "plc-speed", "plc-steady")
            assert latest.newest("plc-speed", "plc-steady") < silent + SECONDS
            latest.flows("level")
            plc.start()
            latest.wait(GOOD, "plc-speed", "plc-steady")
            latest.wait(BAD_ADDRESS, "broken")
            latest.flows("plc-speed", "level")

            silent = time.time()
            robot.kill()
            latest.wait(STALE, "level")
            assert latest.newest("level") < silent + SECONDS
            latest.flows("plc-speed")
            robot.start(first=1000)
            latest.wait(GOOD, "level", seconds=60)
            latest.wait(BAD_ADDRESS, "ghost")
            latest.flows("plc-speed", "level")
            level = latest.all()["level"].value
            assert level is not None
            assert level >= 1000
            events = made.api.get("/events", params={"limit": 100}).json()["items"]
            told = [
                (event["kind"], event["subject"]) for event in reversed(events) if event["kind"].startswith("device")
            ]
            assert [kind for kind, _ in told] == ["device.offline", "device.recovered"] * 2, told
            assert [subject.rsplit("/", 1)[-1] for _, subject in told] == ["plc"] * 2 + ["robot"] * 2
