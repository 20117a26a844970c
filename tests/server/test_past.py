"""Imported history gets the events that the plant's rules would have made."""

from __future__ import annotations

from pathlib import Path

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
