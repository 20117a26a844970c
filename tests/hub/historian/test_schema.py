"""The historian's SQL as text."""

from __future__ import annotations

from lineshaft.hub.historian import schema
from lineshaft.hub.historian.engine import split_dsn


def test_one_engine_has_plain_tables() -> None:
    """Without a cluster nothing is replicated or distributed."""
    text = "\n".join(schema.statements(schema.Layout(), 0))
    assert "Replicated" not in text
    assert "Distributed" not in text
    assert "ON CLUSTER" not in text
    assert "non_replicated_deduplication_window" in text


def test_a_cluster_has_replicated_tables_behind_distributed_ones() -> None:
    """With a cluster each table is made on every node, replicated, and reached through a distributed one."""
    found = schema.statements(schema.Layout("plant"), 0)
    made = [statement for statement in found if statement.startswith("CREATE")]
    assert all("ON CLUSTER 'plant'" in statement for statement in made)
    text = "\n".join(found)
    assert "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/samples_local', '{replica}')" in text
    assert "ReplicatedReplacingMergeTree(" in text
    assert "Distributed('plant', currentDatabase(), 'samples_local', signal)" in text
    assert "TO latest_local AS SELECT" in text
    assert "FROM samples_local" in text
    assert (
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/rollup_hour_local', '{replica}')" in text
    )
    assert "Distributed('plant', currentDatabase(), 'rollup_minute_local', signal)" in text
    assert "TO touched_local AS SELECT" in text
    altered = [statement for statement in found if statement.startswith("ALTER")]
    assert altered
    assert all("_local ON CLUSTER 'plant'" in statement for statement in altered)


def test_tables_of_the_newest_version_stay() -> None:
    """Nothing is done where nothing is to do."""
    assert schema.statements(schema.Layout(), len(schema.VERSIONS)) == ()


def test_the_cluster_is_taken_out_of_the_dsn() -> None:
    """The client gets a DSN that it understands."""
    assert split_dsn("clickhouse://u:p@h:8123/db?cluster=plant&compress=lz4") == (
        "clickhouse://u:p@h:8123/db?compress=lz4",
        "plant",
    )
    assert split_dsn("chdb:///var/lib/history") == ("chdb:///var/lib/history", "")
