"""Imported history gets the events that the plant's rules would have made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.plan import make_plan
from lineshaft.server.past import PastRules

PLANT = """
plant: {enterprise: acme, site: here, name: Past, timezone: UTC}
equipment: [{id: hall, level: area, children: [{id: line, level: line, children: [{id: pump, level: asset}]}]}]
devices:
  - id: vibration
    driver: modbus-tcp
    asset: hall/line/pump
    connection: {host: 127.0.0.1, port: 1502, unit: 1}
    signals: [{name: velocity, address: "input:0:float32", unit: mm/s}]
edge_rules:
  - {id: pump-shakes, asset: hall/line/pump, inputs: {v: hall/line/pump/velocity}, when: v > 7.1, delay: 10s,
     severity: high, message: The pump shakes.}
"""


def rows(*samples: tuple[int, float]) -> pa.RecordBatch:
    path = pa.array(["acme/here/hall/line/pump/velocity"] * len(samples)).dictionary_encode()
    times, values = [time * 1_000_000 for time, _ in samples], [value for _, value in samples]
    quality = pa.array([192] * len(samples), pa.uint8())
    return pa.record_batch(
        [path, pa.array(times, pa.int64()), pa.array(values), pa.nulls(len(samples), pa.string()), quality],
        ["path", "time", "value", "text", "quality"],
    )


def test_rules_judge_an_imported_past_over_the_seam_of_its_files(tmp_path: Path) -> None:
    """A condition that begins in one file and holds in the next is one event, with the time when its delay was over."""
    (tmp_path / "plant.yaml").write_text(PLANT)
    past = PastRules(make_plan(load_plant(tmp_path, DRIVERS)))
    assert past.events([rows((110, 8.0), (100, 3.0))]) == []
    raised = past.events([rows((130, 8.4)), rows((120, 8.2))])
    assert [(event.time, event.kind, event.subject) for event in raised] == [
        (120_000_000, "rule.pump-shakes.raised", "acme/here/hall/line/pump")
    ]
    assert raised[0].details["v"] == 8.2
    ended = past.events([rows((140, 2.0))])
    assert [event.kind for event in ended] == ["rule.pump-shakes.ended"]
    assert past.events([]) == ()


def test_imported_bursts_get_the_features_that_the_gateway_would_have_sent(tmp_path: Path) -> None:
    """Each burst of a waveform of the plant brings its features at its own time; foreign bursts bring none."""
    (tmp_path / "plant.yaml").write_text(WAVES)
    past = PastRules(make_plan(load_plant(tmp_path, DRIVERS)))
    tone = np.rint(1000 * np.sin(np.arange(4096) * 0.2)).astype(np.int16)
    batch = pa.record_batch(
        [
            pa.array(["acme/here/pump/burst", "acme/here/pump/other"]),
            pa.array([5_000_000, 5_000_000]),
            pa.array([tone, tone], pa.list_(pa.int16())),
            pa.array([25_600.0] * 2),
            pa.array([0.01] * 2),
        ],
        ["path", "time", "samples", "rate", "scale"],
    )
    found = pa.Table.from_batches(past.features([batch])).to_pylist()
    assert {row["path"].rpartition("_")[0].rpartition("/")[2] for row in found} >= {"burst", "burst_velocity"}
    assert {row["time"] for row in found} == {5_000_000}
    (rms,) = [row["value"] for row in found if row["path"] == "acme/here/pump/burst_rms"]
    assert abs(rms - 10 / 2**0.5) < 0.01


WAVES = """
plant: {enterprise: acme, site: here, name: Past, timezone: UTC}
equipment: [{id: pump}]
devices:
  - id: monitor
    driver: opcua
    asset: pump
    connection: {url: "opc.tcp://127.0.0.1:4840", security: none}
    signals:
      - {name: burst, address: "ns=2;s=a", unit: m/s2, kind: waveform, waveform: {rate: 25600}}
"""
