"""Signals, equipment and sources."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from lineshaft.errors import ConfigError, StoreUnavailable
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.changes import KEPT
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind

FULL = Signal(
    "acme/north/hall/line-1/cnc-1",
    "execution",
    SignalKind.STATE,
    Datatype.STRING,
    "°C·m²",
    -1.5,
    99.5,
    Limits(1.0, 2.0, 3.0, 4.0),
    3,
    (("0", "Off"), ("1", "On")),
    "Says — what it does",
)


def births(count: int, unit: str = "kW") -> list[BornSignal]:
    return [
        BornSignal(Signal(f"acme/north/hall/line-{i % 7}/m-{i % 500}", f"s{i}", unit=unit), "north/g1", f"d{i % 50}")
        for i in range(count)
    ]


def statements(state: State) -> list[str]:
    """Collects what is sent to the database from now on."""
    seen: list[str] = []

    @event.listens_for(state.database.engine, "before_cursor_execute")
    def before(_c: object, _u: object, statement: str, *_: object) -> None:
        seen.append(statement)

    return seen


def test_two_gateways_that_contradict_each_other_do_not_fill_the_disk(state: State) -> None:
    """Of each path the newest hundred changes are kept."""
    for number in range(KEPT + 30):
        state.register([BornSignal(Signal("acme/a", "s", unit=f"u{number}"), "north/g1", "d")])
    kept = state.catalogue.changes("acme/a/s", 1000)
    assert len(kept) == KEPT
    assert kept[0].fields == (("unit", f"u{KEPT + 28}", f"u{KEPT + 29}"),)
    assert state.catalogue.changes("acme/b") == []


def test_a_birth_of_10000_signals_writes_only_what_is_new(state: State) -> None:
    """New and changed signals are written, in few statements; an unchanged birth writes nothing."""
    state.register(births(10))
    first = state.register(births(10_000))
    seen = statements(state)
    second = state.register(births(10_000, "MW"))
    assert 0 < len(seen) < 100
    seen.clear()
    third = state.register(births(10_000, "MW"))
    assert seen == []
    assert first.tolist() == second.tolist() == third.tolist()
    assert len(set(first.tolist())) == 10_000


def test_ids_and_descriptions_survive_a_restart(opened: Callable[[], State]) -> None:
    """After a restart every field is as it was born, and a changed description keeps the id."""
    born = BornSignal(FULL, "north/g1", "cnc-1", "ns=2;s=exec")
    with opened() as state:
        ids = state.register([born, *births(5)])
    with opened() as state:
        found = state.catalogue.by_path(FULL.path)
        assert found is not None
        assert found.born == born
        changed = replace(born, signal=replace(FULL, description="other"))
        assert state.register([changed]).tolist() == ids[:1].tolist()
        assert state.register([*births(1), BornSignal(Signal("acme/north", "total"), "n", "")])[0] == ids[1]
    with opened() as state:
        found = state.catalogue.by_id(int(ids[0]))
        assert found is not None
        assert found.born.signal.description == "other"


def test_the_same_path_twice_in_one_birth_is_one_signal(state: State) -> None:
    """A birth that names a path twice gets one id for both; the last description counts."""
    first = Signal("a/b/c", "x", unit="kW")
    ids = state.register([BornSignal(first, "n", "d"), BornSignal(replace(first, unit="MW"), "n", "d")])
    assert ids[0] == ids[1]
    found = state.catalogue.by_id(int(ids[0]))
    assert found is not None
    assert found.born.signal.unit == "MW"


def test_missing_parents_are_made_from_the_path(state: State) -> None:
    """Equipment that nobody described appears with the level of its depth; a later description replaces it."""
    state.register([BornSignal(Signal("acme/north/hall/line-1/pump/motor", "t"), "n", "d")])
    _, nodes = state.catalogue.equipment()
    assert [(node.path.rpartition("/")[2], str(node.level)) for node in nodes] == [
        ("acme", "enterprise"),
        ("north", "site"),
        ("hall", "area"),
        ("line-1", "line"),
        ("pump", "asset"),
        ("motor", "component"),
    ]
    pump = Equipment("acme/north/hall/line-1/pump", "Pump", Level.ASSET, "pump")
    state.register_equipment([pump])
    version, nodes = state.catalogue.equipment()
    assert pump in nodes
    assert len(nodes) == 6
    state.register_equipment([pump])
    assert state.catalogue.version == version


def test_the_version_grows_over_restarts(opened: Callable[[], State]) -> None:
    """A page that was open during a restart cannot take an old tree for the new one."""
    with opened() as state:
        state.register(births(3))
        first = state.catalogue.version
    with opened() as state:
        assert state.catalogue.version == first
        state.register(births(4))
        assert state.catalogue.version > first


def test_listeners_are_told_of_changes_alone(state: State) -> None:
    """A change of the catalogue or of a source's state is told once; repetitions are not."""
    versions: list[int] = []
    changes: list[int] = []
    state.catalogue.on_change(versions.append)
    state.sources.on_change(lambda: changes.append(1))
    for _ in range(3):
        state.register(births(3))
        state.source("north/g1", "d1", "online", 5, {"rate": 1.0})
    assert versions == [state.catalogue.version]
    assert changes == [1]


def test_a_source_keeps_the_time_at_which_its_state_began(opened: Callable[[], State]) -> None:
    """`since` is the first report of a state, details are merged, and all of it survives a restart."""
    with opened() as state:
        state.source("g", "", "online", 10)
        state.source("g", "d", "online", 10, {"rate": 5, "error": ""})
        state.source("g", "d", "online", 20, {"rate": 6})
        state.source("g", "d", "offline", 30, {"error": "gone"})
        state.source("g", "d", "offline", 40)
    with opened() as state:
        gateway, device = state.sources.all()
        assert (gateway.device, gateway.since) == ("", 10)
        assert (device.state, device.since, device.updated) == ("offline", 30, 40)
        assert device.details == {"rate": 6, "error": "gone"}


def test_threads_may_register_at_the_same_time(state: State) -> None:
    """Births from several threads give each path one id."""
    results: dict[int, list[int]] = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: state.register(births(300)).tolist()})) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == results[2] == results[3]


def test_a_bad_dsn_is_a_config_error() -> None:
    """A DSN that cannot be used says so before anything starts."""
    for dsn in ("nonsense", "mysql://x/y"):
        with pytest.raises(ConfigError):
            Database(dsn).open()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """An unreachable folder raises StoreUnavailable with the reason."""
    with pytest.raises(StoreUnavailable, match="does not answer"):
        Database("sqlite:////nowhere/at/all/state.db").open()


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Password hashes lie in it, so nobody else may read it."""
    file = tmp_path / "state.db"
    with State(f"sqlite:///{file}") as state:
        state.register(births(3))
        assert {one.stat().st_mode & 0o077 for one in tmp_path.glob("state.db*")} == {0}
