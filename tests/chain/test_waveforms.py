"""Bursts of vibration from an OPC UA server through gateway, broker and hub into the historian and out of the API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.chain import opcua_vibration
from tests.chain.harness import Chain, chain, free_port, wait_for

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
    """Bursts of several pieces reach the historian sample by sample, each once, over a kill -9 of gateway and hub."""
    with monitor() as port, chain(tmp_path, PLANT.format(port=port, bearing=opcua_vibration.BEARING)) as made:
        made.start()
        path = "acme/here/hall/pump/burst"
        wait_for(lambda: path in made.signals(), 40, "the signal")
        signal = made.signals()[path]
        told_by_the_gateway(made)
        wait_for(lambda: len(bursts(made, signal)) >= 3, 40, "three bursts")
        made.hub.kill()
        made.hub.start()
        wait_for(lambda: made.api.get("/session").status_code == 200, 40, "the hub again")
        made.gateway.kill()
        made.gateway.start()
        before = len(bursts(made, signal))
        wait_for(lambda: len(bursts(made, signal)) >= before + 3, 60, "three more bursts")
        made.gateway.stop()
        wait_for(lambda: all(row["pending"] == 0 for row in made.ledger().values()), 20, "nothing pending")

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

        rms = made.table("acme/here/hall/pump/burst_rms").to_pylist()
        assert len(rms) == len(items)
        assert abs(rms[0]["value"] - items[0]["rms"]) < 0.01
        assert {item["unit"] for item in made.described() if item["name"] == "burst_velocity_rms"} == {"mm/s"}

        last = items[-1]["id"]
        spectrum = made.api.get(f"/waveforms/{last}/spectrum").json()
        peak = int(np.argmax(spectrum["amplitude"]))
        assert abs(peak * spectrum["step"] - opcua_vibration.SPEED / 60) < 0.5
        assert (
            abs(spectrum["amplitude"][peak] - 4.0) < 0.7
        )  # 400 counts of 0.01 m/s2; up to 15 % less between two lines
        waterfall = made.api.get("/waveforms/spectra", params={"signal": signal, **ALWAYS, "lines": 100}).json()
        assert [len(line) for line in waterfall["amplitude"]] == [100] * len(items)
