"""Bursts of vibration from an OPC UA server through gateway, broker and hub into the historian and out of the API."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.chain import opcua_vibration
from tests.chain.harness import Chain, chain, wait_for
from tests.drivers.modbus.device import FieldDevice, registers
from tests.ports import free_port

ALWAYS = {"start": 0, "end": 4_000_000_000_000_000}
PLANT = """
plant: {{enterprise: acme, site: here, name: Field test, timezone: Europe/Berlin}}
equipment:
  - {{id: hall, level: area, children: [{{id: pump, level: asset}}]}}
gateway: {{ledger_interval: 1s}}
devices:
  - id: monitor
    driver: opcua
    asset: hall/pump
    connection: {{url: "opc.tcp://127.0.0.1:{port}/test", security: none}}
    signals:
      - {{name: speed, unit: 1/min, address: "nsu=urn:lineshaft:vibration;s=speed"}}
      - name: burst
        kind: waveform
        unit: m/s2
        scale: 0.01
        address: "nsu=urn:lineshaft:vibration;s=burst"
        poll: 500ms
        waveform:
          rate_address: "nsu=urn:lineshaft:vibration;s=rate"
          speed_address: "nsu=urn:lineshaft:vibration;s=speed"
      - name: worn
        kind: waveform
        unit: m/s2
        scale: 0.01
        address: "nsu=urn:lineshaft:vibration;s=damaged"
        poll: 500ms
        waveform:
          rate_address: "nsu=urn:lineshaft:vibration;s=rate"
          keep: {{every: 0, before: 2, after: 1}}
  - id: box
    driver: modbus-tcp
    asset: hall/pump
    connection: {{host: 127.0.0.1, port: {modbus}}}
    signals:
      - name: registers
        kind: waveform
        unit: m/s2
        scale: 0.01
        address: {{table: input, register: 100, type: int16, sequence: 10}}
        poll: 500ms
        waveform: {{samples: 300, rate_address: "input:11:uint32"}}
  - id: tape
    driver: replay
    asset: hall/pump
    connection: {{path: "{tape}"}}
    signals:
      - {{name: recorded, kind: waveform, unit: m/s2, address: vib, waveform: {{rate: 1000}}}}
vibration_sensors:
  - {{signal: hall/pump/worn, bearing: "{bearing}", speed: 1480, interval: 100ms, confirm: 3}}
"""


@contextmanager
def monitor() -> Iterator[int]:
    """The port of a server that runs and is gone afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "tests.chain.opcua_vibration", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as popen:
        assert popen.stdout is not None
        assert popen.stdout.readline() == "ready\n"
        try:
            yield port
        finally:
            popen.kill()


COUNTS = [round(900 * np.sin(0.2 * at)) for at in range(300)]
RECORDED = ([0.5, -1.25, 3.0], [1.0, 2.0, -30000.5])


@contextmanager
def box() -> Iterator[int]:
    """The port of a Modbus monitor that holds one burst."""
    device = FieldDevice()
    device.put("input", 10, [7, *registers(">I", 12_800)])
    device.put("input", 100, registers(f">{len(COUNTS)}h", *COUNTS))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(device.start(), loop).result(60)
        yield device.port
    finally:
        asyncio.run_coroutine_threadsafe(device.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def samples_of(made: Chain, name: str) -> list[list[float]]:
    """All bursts of a signal of the pump, as the API gives their samples."""
    signal = made.signals()[f"acme/here/hall/pump/{name}"]
    asked = (made.api.get(f"/waveforms/{one['id']}", params={"format": "binary"}) for one in bursts(made, signal))
    return [np.frombuffer(answer.content, "<f4").tolist() for answer in asked]


def bursts(made: Chain, signal: int) -> list[dict[str, Any]]:
    """What the API lists."""
    answer = made.api.get("/waveforms", params={"signal": signal, **ALWAYS})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def number_of(samples: np.ndarray) -> int:
    """Which burst this is, or AssertionError: every sample must be the very one that the device had."""
    raw = np.rint(samples.astype(np.float64) * 100).astype(np.int64)
    guess = round(float(raw.mean()))
    near = list(range(max(0, guess - 3), guess + 4))
    found = [number for number in near if np.array_equal(opcua_vibration.burst(number), raw)]
    assert len(found) == 1, f"no burst near {guess} has these samples"
    return found[0]


def told_by_the_gateway(made: Chain) -> None:
    """The gateway finds the damaged race by itself; the hub has its event, the bursts around it, and agrees."""

    def findings() -> list[dict[str, Any]]:
        items = made.api.get("/events", params={"limit": 500}).json()["items"]
        return [one for one in items if one["kind"] == "maintenance.finding"]

    wait_for(lambda: bool(findings()), 60, "the finding")
    (event,) = findings()
    assert event["subject"] == "acme/here/hall/pump"
    assert event["details"]["fault"] == "outer_race"
    assert event["details"]["signal"] == "acme/here/hall/pump/worn"
    assert "BPFO 87." in event["details"]["evidence"]
    worn = made.signals()["acme/here/hall/pump/worn"]
    shown = event["details"]["burst"]
    wait_for(lambda: len(bursts(made, worn)) == 4, 40, "the bursts around the finding")
    times = [one["time"] for one in bursts(made, worn)]
    assert times.index(shown) == 2  # two before it, one after
    found = made.api.get("/maintenance/diagnosis", params={"signal": worn, "time": shown}).json()
    assert found["verdict"] == "outer_race"
    assert found["findings"][0]["likelihood"] == pytest.approx(event["details"]["likelihood"], abs=1e-3)


def test_every_burst_arrives_once_and_whole_though_the_gateway_is_killed(tmp_path: Path) -> None:
    """Bursts of several pieces reach the historian sample by sample, each once, over a kill -9 of gateway and hub;
    those out of Modbus registers and of a recording do as well."""
    tape = tmp_path / "tape.csv"
    lines = [f"2026-01-01T00:00:0{n}Z,{' '.join(map(str, one))}" for n, one in enumerate(RECORDED)]
    tape.write_text("\n".join(["time,vib", *lines]) + "\n")
    with monitor() as port, box() as modbus:
        plant = PLANT.format(port=port, bearing=opcua_vibration.BEARING, modbus=modbus, tape=tape)
        with chain(tmp_path, plant) as made:
            every_burst(made)


def every_burst(made: Chain) -> None:
    made.start()
    path = "acme/here/hall/pump/burst"
    wait_for(lambda: path in made.signals(), 40, "the signal")
    signal = made.signals()[path]
    told_by_the_gateway(made)
    wait_for(lambda: len(samples_of(made, "registers")) == 1, 40, "the burst in registers")
    assert samples_of(made, "registers")[0] == pytest.approx([0.01 * count for count in COUNTS], rel=1e-5)
    wait_for(lambda: len(samples_of(made, "recorded")) == len(RECORDED), 40, "the recorded bursts")
    wait_for(lambda: len(bursts(made, signal)) >= 3, 40, "three bursts")
    made.hub.kill()
    made.hub.start()
    wait_for(lambda: made.api.get("/session").status_code == 200, 40, "the hub again")
    made.gateway.kill()
    made.gateway.start()
    before = len(bursts(made, signal))
    wait_for(lambda: len(bursts(made, signal)) >= before + 3, 60, "three more bursts")
    made.gateway.stop()
    wait_for(lambda: all(row["pending"] == 0 for row in made.ledger().values()), 60, "nothing pending")

    items = bursts(made, signal)
    whole = [item for item in items if item["samples"] == item["total"]]
    assert len(whole) == len(items)
    assert {item["total"] for item in items} == {opcua_vibration.SAMPLES}
    assert {item["rate"] for item in items} == {opcua_vibration.RATE}
    numbers = []
    for item in items:
        answer = made.api.get(f"/waveforms/{item['id']}", params={"format": "binary"})
        numbers.append(number_of(np.frombuffer(answer.content, "<f4")))
    assert numbers == sorted(set(numbers))
    assert all(item["speed"] is not None for item in items)
    row = made.ledger()[path]
    assert row["expected"] == row["arrived"] == 2 * len(items)  # each burst is two messages
    assert row["unexplained"] == 0

    for found, known in zip(samples_of(made, "recorded"), RECORDED, strict=True):
        assert found == pytest.approx(known, rel=1e-6)

    rms = made.table("acme/here/hall/pump/burst_rms").to_pylist()
    assert len(rms) == len(items)
    assert abs(rms[0]["value"] - items[0]["rms"]) < 0.01
    assert {item["unit"] for item in made.described() if item["name"] == "burst_velocity_rms"} == {"mm/s"}

    last = items[-1]["id"]
    spectrum = made.api.get(f"/waveforms/{last}/spectrum").json()
    peak = int(np.argmax(spectrum["amplitude"]))
    assert abs(peak * spectrum["step"] - opcua_vibration.SPEED / 60) < 0.5
    assert abs(spectrum["amplitude"][peak] - 4.0) < 0.7  # 400 counts of 0.01 m/s2; up to 15 % less between two lines
    waterfall = made.api.get("/waveforms/spectra", params={"signal": signal, **ALWAYS, "lines": 100}).json()
    assert [len(line) for line in waterfall["amplitude"]] == [100] * len(items)
