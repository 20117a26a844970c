"""Equipment and signals as births describe them: kept in memory for reading, in the database for the next start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update

from lineshaft.clock import Clock, SystemClock
from lineshaft.errors import DataError
from lineshaft.hub.ports import IMPORT_NODE, BornSignal
from lineshaft.hub.state.changes import Change, differences, find, note
from lineshaft.hub.state.database import Database, fact, set_fact, upsert
from lineshaft.hub.state.schema import equipment as equipment_table
from lineshaft.hub.state.schema import signals as signals_table
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind, valid_id
from lineshaft.model.samples import UInt32Array
from lineshaft.wire.equipment import attributes_from_json, attributes_to_json

VERSION = "catalogue_version"
_LEVELS = (Level.ENTERPRISE, Level.SITE, Level.AREA, Level.LINE, Level.ASSET)


@dataclass(frozen=True, slots=True)
class CataloguedSignal:
    """A signal, its id in the historian, and where it comes from."""

    id: int
    born: BornSignal
    made: str = (
        ""  # of a found signal: the path that was made of its source's names; where it stands until it is placed
    )
    placed: bool = False  # a person said where the found signal belongs

    @property
    def path(self) -> str:
        """Unique name of the signal."""
        return self.born.signal.path


@dataclass(frozen=True, slots=True)
class Placement:
    """A person says where a found signal belongs."""

    signal: int
    asset: str
    name: str


class SqlCatalogue:
    """Implements ports.Catalogue for signals and equipment. `load()` before use; thread-safe.

    What is stored is also in memory, so a birth that changes nothing is compared and writes nothing.
    `changed` is called with the new version after each change, from the thread that made it.
    """

    def __init__(
        self, database: Database, changed: Callable[[int], None] = lambda _: None, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._changed = changed
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._by_path: dict[str, CataloguedSignal] = {}
        self._by_id: dict[int, CataloguedSignal] = {}
        self._equipment: dict[str, Equipment] = {}
        self._placed: dict[str, tuple[str, str]] = {}  # made path -> asset and name
        self._ordered: tuple[CataloguedSignal, ...] | None = None
        self._version = 0

    def load(self) -> None:
        """Read everything from the database."""
        with self._lock, self._database.read() as connection:
            self._keep(_signal(row) for row in connection.execute(select(signals_table)))
            rows = connection.execute(select(equipment_table))
            self._equipment = {
                row.path: Equipment(
                    row.path,
                    row.name,
                    Level(row.level),
                    row.type,
                    row.description,
                    tuple(row.aliases),
                    attributes_from_json(row.attributes),
                )
                for row in rows
            }
            self._version = fact(connection, VERSION)

    @property
    def version(self) -> int:
        """Grows with each change of signals or equipment, also over restarts."""
        return self._version

    def on_change(self, changed: Callable[[int], None]) -> None:
        """Who is told about changes; see the class."""
        self._changed = changed

    def register(self, born: Sequence[BornSignal]) -> UInt32Array:
        """uint32 ids in the given order; a known path keeps its id and gets the new description.

        A found signal that a person has placed goes to its place.
        """
        with self._lock:
            in_place = [self._in_place(one) for one in born]
            wanted = {one.path: one for one in in_place}
            new = {path: one for path, one in wanted.items() if path not in self._by_path}
            changed = {
                path: replace(one, id=known.id)
                for path, one in wanted.items()
                if (known := self._by_path.get(path)) is not None and known != replace(one, id=known.id)
            }
            if new or changed:
                self._store(new, changed)
            ids = np.fromiter((self._by_path[one.path].id for one in in_place), np.uint32, len(born))
            version = self._version
        if new or changed:
            self._changed(version)
        return ids

    def _in_place(self, born: BornSignal) -> CataloguedSignal:
        """The signal with its place; its id is not known yet."""
        if not born.found:
            return CataloguedSignal(0, born)
        made = born.signal.path
        if made not in self._placed:
            return CataloguedSignal(0, born, made)
        asset, name = self._placed[made]
        return CataloguedSignal(
            0, replace(born, signal=replace(born.signal, asset=asset, name=name)), made, placed=True
        )

    def waiting(self) -> Sequence[CataloguedSignal]:
        """Found signals that nobody has placed, by path."""
        return [one for one in self._sorted() if one.made and not one.placed]

    def place(self, placements: Sequence[Placement], by: str) -> None:
        """Put found signals into their places, all of them or none; ids and so the history stay.

        Raises DataError for a signal that was not found, for equipment that does not exist, for a wrong name and for
        a path that another signal has.
        """
        with self._lock:
            moved = [self._moved(one) for one in placements]
            paths = [one.path for one in moved]
            for path, one in zip(paths, moved, strict=True):
                other = self._by_path.get(path)
                if (other is not None and other.id != one.id) or paths.count(path) > 1:
                    raise DataError(f"there is a signal {path} already", hint="give it another name")
            now, before = self._clock.now_us(), [self._by_id[one.id] for one in moved]
            with self._database.write() as connection:
                for one in moved:
                    row = signals_table.c.id == one.id
                    connection.execute(update(signals_table).where(row).values(_row(one)))
                version = self._write_equipment(connection, [])
                fields = [
                    (("placed by", "", by), ("path", old.path, new.path))
                    for old, new in zip(before, moved, strict=True)
                ]
                note(
                    connection,
                    (Change(now, one.path, one.born.node, told) for one, told in zip(moved, fields, strict=True)),
                )
            for old in before:
                del self._by_path[old.path]
            self._keep(moved)
            self._version = version
        self._changed(version)

    def _moved(self, wanted: Placement) -> CataloguedSignal:
        one = self._by_id.get(wanted.signal)
        if one is None or not one.made:
            raise DataError(f"the signal {wanted.signal} is not among those that were found")
        node = self._equipment.get(wanted.asset)
        if node is None:
            raise DataError(f"there is no equipment {wanted.asset}", hint="choose a place of the tree")
        if not valid_id(wanted.name):
            raise DataError(f"{wanted.name!r} is no name of a signal", hint="small letters, digits, '.', '_' and '-'")
        signal = replace(one.born.signal, asset=wanted.asset, name=wanted.name)
        return replace(one, born=replace(one.born, signal=signal), placed=True)

    def register_equipment(self, nodes: Sequence[Equipment]) -> None:
        """Add or update nodes of the tree; missing parents are made from the path."""
        with self._lock:
            wanted = {node.path: node for node in nodes}
            wanted |= {path: node_from_path(path) for path in self._missing(above(wanted)) if path not in wanted}
            changed = [node for path, node in wanted.items() if self._equipment.get(path) != node]
            if not changed:
                return
            with self._database.write() as connection:
                version = self._write_equipment(connection, changed)
                note(connection, self._equipment_changes(changed))
            self._equipment |= {node.path: node for node in changed}
            self._version = version
        self._changed(version)

    def signals(self, asset: str = "", text: str = "") -> Sequence[CataloguedSignal]:
        """Signals by path; `asset`: of this equipment and all below it; `text`: words that path or description has."""
        found: Iterable[CataloguedSignal] = self._sorted()
        if asset:
            below = asset + "/"
            found = [one for one in found if one.born.signal.asset == asset or one.path.startswith(below)]
        for word in text.lower().split():
            found = [one for one in found if word in _haystack(one)]
        return tuple(found)

    def by_id(self, signal: int) -> CataloguedSignal | None:
        """The signal with this id."""
        return self._by_id.get(signal)

    def by_path(self, path: str) -> CataloguedSignal | None:
        """The signal with this path."""
        return self._by_path.get(path)

    def equipment(self) -> tuple[int, Sequence[Equipment]]:
        """The version, and all nodes by path."""
        with self._lock:
            return self._version, [self._equipment[path] for path in sorted(self._equipment)]

    def _sorted(self) -> tuple[CataloguedSignal, ...]:
        with self._lock:
            if self._ordered is None:
                self._ordered = tuple(sorted(self._by_path.values(), key=lambda one: one.path))
            return self._ordered

    def _keep(self, signals: Iterable[CataloguedSignal]) -> None:
        for one in signals:
            self._by_path[one.path] = one
            self._by_id[one.id] = one
            if one.placed:
                self._placed[one.made] = (one.born.signal.asset, one.born.signal.name)
        self._ordered = None

    def _missing(self, paths: Iterable[str]) -> list[str]:
        return [path for path in paths if path not in self._equipment]

    def _store(self, new: dict[str, CataloguedSignal], changed: dict[str, CataloguedSignal]) -> None:
        assets = dict.fromkeys(one.born.signal.asset for one in new.values())
        nodes = [node_from_path(path) for path in self._missing({**assets, **dict.fromkeys(above(assets))})]
        stored = list(changed.values())
        with self._database.write() as connection:
            if new:
                connection.execute(insert(signals_table), [_row(one) for one in new.values()])
                ids = _ids(connection, list(new))
                stored += [replace(one, id=ids[path]) for path, one in new.items()]
            upsert(connection, signals_table, [_row(one) | {"id": one.id} for one in changed.values()])
            version = self._write_equipment(connection, nodes)
            note(connection, self._signal_changes(changed))
        self._keep(stored)
        self._equipment |= {node.path: node for node in nodes}
        self._version = version

    def _equipment_changes(self, nodes: Iterable[Equipment]) -> Iterator[Change]:
        now = self._clock.now_us()
        for node in nodes:
            known = self._equipment.get(node.path)
            if known is not None and known != node_from_path(node.path):  # else it is the first word about it
                yield Change(now, node.path, "", differences(_node_columns(known), _node_columns(node)))

    def _signal_changes(self, changed: Mapping[str, CataloguedSignal]) -> Iterator[Change]:
        now = self._clock.now_us()
        for path, one in changed.items():
            known = self._by_path[path].born
            if known.node != IMPORT_NODE:  # else this is the first word about it
                yield Change(now, path, one.born.node, differences(_columns(known), _columns(one.born)))

    def changes(self, path: str = "", limit: int = 100, before: tuple[int, int] | None = None) -> Sequence[Change]:
        """What changed in the descriptions of a path and all below it, newest first.

        `before`: time and id of the last one of the page before.
        """
        return find(self._database, path, limit, before)

    def _write_equipment(self, connection: Connection, nodes: Sequence[Equipment]) -> int:
        upsert(connection, equipment_table, [_node_columns(node) for node in nodes])
        version = fact(connection, VERSION) + 1
        set_fact(connection, VERSION, version)
        return version


def above(paths: Iterable[str]) -> list[str]:
    """All ancestors of the given paths."""
    found: dict[str, None] = {}
    for path in paths:
        while path := path.rpartition("/")[0]:
            if path in found:
                break
            found[path] = None
    return list(found)


def node_from_path(path: str) -> Equipment:
    """Equipment of which only the path is known: its level follows from the depth."""
    depth = path.count("/")
    level = _LEVELS[depth] if depth < len(_LEVELS) else Level.COMPONENT
    return Equipment(path, path.rpartition("/")[2], level)


def _ids(connection: Connection, paths: Sequence[str]) -> dict[str, int]:
    """Ids of stored signals; asked in parts, which is faster than to have each insert return its own."""
    found: dict[str, int] = {}
    for at in range(0, len(paths), 1000):
        part = signals_table.c.path.in_(paths[at : at + 1000])
        found |= {
            row.path: row.id for row in connection.execute(select(signals_table.c.path, signals_table.c.id).where(part))
        }
    return found


def _haystack(one: CataloguedSignal) -> str:
    return f"{one.path} {one.born.signal.description} {one.born.device} {one.born.signal.unit}".lower()


def _node_columns(node: Equipment) -> dict[str, Any]:
    return {
        "path": node.path,
        "name": node.name,
        "level": str(node.level),
        "type": node.type,
        "description": node.description,
        "aliases": list(node.aliases),
        "attributes": attributes_to_json(node.attributes),
    }


def _row(one: CataloguedSignal) -> dict[str, Any]:
    return _columns(one.born) | {"made": one.made, "placed": one.placed}


def _columns(born: BornSignal) -> dict[str, Any]:
    signal = born.signal
    return {
        "path": signal.path,
        "asset": signal.asset,
        "name": signal.name,
        "kind": str(signal.kind),
        "datatype": str(signal.datatype),
        "unit": signal.unit,
        "low": signal.low,
        "high": signal.high,
        "limit_low_low": signal.limits.low_low,
        "limit_low": signal.limits.low,
        "limit_high": signal.limits.high,
        "limit_high_high": signal.limits.high_high,
        "decimals": signal.decimals,
        "states": [list(pair) for pair in signal.states],
        "description": signal.description,
        "node": born.node,
        "device": born.device,
        "address": born.address,
        "writable": born.writable,
    }


def _signal(row: Row[Any]) -> CataloguedSignal:
    signal = Signal(
        asset=row.asset,
        name=row.name,
        kind=SignalKind(row.kind),
        datatype=Datatype(row.datatype),
        unit=row.unit,
        low=row.low,
        high=row.high,
        limits=Limits(row.limit_low_low, row.limit_low, row.limit_high, row.limit_high_high),
        decimals=row.decimals,
        states=tuple((raw, word) for raw, word in row.states),
        description=row.description,
    )
    return CataloguedSignal(
        row.id,
        BornSignal(signal, row.node, row.device, row.address, row.writable, bool(row.made)),
        row.made,
        row.placed,
    )
