"""A cluster: every statement is one that the engine knows, and the tables behind distributed ones answer alike.

There is no cluster in a test. What replicates is only parsed; what is spread by signal runs, over one shard that is
this process itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from chdb.session import Session

from lineshaft.hub.historian import schema
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller
from lineshaft.hub.historian.rollups import WIDTHS
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

DAY = WIDTHS["day"]
SECOND = 1_000_000
START = 1_749_945_600_000_000  # 2025-06-15 00:00 UTC
CONFIG = """<clickhouse><tcp_port>19000</tcp_port><remote_servers><plant><shard>
<internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>19000</port></replica>
</shard></plant></remote_servers></clickhouse>"""


@dataclass(frozen=True, slots=True)
class OneShard(schema.Layout):
    """The layout of a cluster without what needs a keeper: replicas, and statements for all nodes."""

    @property
    def on_cluster(self) -> str:
        return ""

    def engine(self, family: str, table: str, arguments: str = "") -> str:
        return f"{family}({arguments})"

    def window(self) -> str:
        return f"non_replicated_deduplication_window = {schema.TOKENS}"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClickHouseHistorian]:
    (tmp_path / "cluster.xml").write_text(CONFIG)
    session = Session(f"{tmp_path}/history?config-file={tmp_path}/cluster.xml")
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history", layout=OneShard("plant"))
    plain = schema.version_table(schema.Layout())  # the one that a cluster has needs a keeper
    store._engine.command(plain)
    store.open()
    yield store
    store.close()
    session.close()


def test_tables_of_a_cluster_answer_as_one_engine_does(cluster: ClickHouseHistorian) -> None:
    """Values, bursts, newest rows, roll-ups, states, late rows, repeated blocks, retraction and retention."""
    n = 2 * 1440
    times = START + np.arange(n) * 60 * SECOND
    rows = SampleBatch.concat(
        [
            SampleBatch.of(np.full(n, 1), times, np.sin(np.arange(n) / 50)),
            SampleBatch.of(np.full(n, 2), times, np.nan, 192, ["RUN" if at % 7 else "STOP" for at in range(n)]),
        ]
    )
    burst = Waveform(np.arange(100, dtype=np.int16), 1000.0)
    roller = Roller(cluster.rollups, cluster, cluster.traits)
    for _ in range(2):
        cluster.append(rows, "a")
    cluster.append(SampleBatch.of_waves([3], [START + DAY], [burst]), "b")
    roller.finish()
    assert cluster.counts().rows.tolist() == [n, n, 1]
    assert len(cluster.bursts(3, [START + DAY])[START + DAY].samples) == 100
    assert cluster.latest([1, 2]).times.tolist() == [times[-1], times[-1]]
    one, two = cluster.read([1, 2], START, START + 2 * DAY, points=40, before=False)
    assert (one.mode, two.mode) == ("minmax", "states")
    edges = START + np.array([0, DAY, 2 * DAY])
    before = cluster.aggregate([1], edges)[0]
    cluster.append(SampleBatch.of([1], [START + 5], [99.0]), "late")
    roller.finish()
    assert cluster.aggregate([1], edges)[0].high.tolist() == [99.0, before.high[1]]
    cluster.retract([1], START + DAY)
    roller.finish()
    assert cluster.latest([1]).times.tolist() == [START + DAY]
    assert cluster.counts([1]).rows.tolist() == [1442]
    cluster.delete_before(START + DAY)
    cluster.forget_rollups("minute", START + DAY)
    assert cluster.counts([2]).rows.tolist() == [1440]
    assert cluster.aggregate([2], edges)[0].count.tolist() == [1440, 1440]
    changed = cluster._engine.arrow("SELECT DISTINCT table FROM system.mutations WHERE is_done").column("table")
    assert set(changed.to_pylist()) == {
        "samples_local", "latest_local", "touched_local", "waveforms_local", "rollup_minute_local",
    }  # fmt: skip


def test_every_statement_for_a_cluster_is_known_to_the_engine(tmp_path: Path) -> None:
    """Tables, views, codecs, settings and changes of data on all nodes are parsed, and settings have names."""
    layout = schema.Layout("plant")
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    store.open()
    changed = "ALTER TABLE samples_local ON CLUSTER 'plant' DELETE WHERE signal IN (1)"
    dropped = "ALTER TABLE samples_local ON CLUSTER 'plant' DROP PARTITION 202506"
    for statement in (schema.version_table(layout), *schema.statements(layout, 0), changed, dropped):
        assert store._engine.command(f"EXPLAIN AST {statement}"), statement
    known = store._engine.arrow("SELECT name FROM system.settings").column("name").to_pylist()
    assert set(layout.settings) <= set(known)
    text = schema.version_table(layout)
    assert "/clickhouse/tables/all/" in text, "every node must know the same version, whatever its shard"
    store.close()
