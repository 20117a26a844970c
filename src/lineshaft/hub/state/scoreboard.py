"""What scores need of all predictions, kept small and up to date: a score is told without reading a year of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final

import numpy as np
from sqlalchemy import select, tuple_

from lineshaft.analytics.record.faults import Claim, Watch, extended
from lineshaft.analytics.record.lives import LifeScore, LifeTally, tally_of
from lineshaft.hub.state.database import Database, fact, set_fact, upsert
from lineshaft.hub.state.outcomes import SqlOutcomes
from lineshaft.hub.state.predictions import SqlPredictions, StoredPrediction
from lineshaft.hub.state.schema import prediction_scores as table
from lineshaft.model.predictions import Outcome, OutcomeKind, PredictionKind

Key = tuple[str, str, str, str, str]
"""Asset, model, version, kind and asset type: what is judged together."""
_DAY: Final = 86_400_000_000
_OVERLAP: Final = 60_000_000
"""Microseconds that are looked at twice, so that none is missed that was superseded meanwhile."""
_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """Predictions of one model version about one asset, as far as scores need them.

    late   stored more than a day after their time    shadow  of the last one
    watch  of those that claim faults; lives of those that foretell a remaining life, against `outcomes`
    """

    operators: frozenset[str] = frozenset()
    predictions: int = 0
    late: int = 0
    first: int = 0
    last: int = 0
    shadow: bool = False
    watch: Watch = field(default_factory=Watch)
    lives: LifeTally = field(default_factory=LifeTally)
    outcomes: tuple[Outcome, ...] = ()


def key_of(one: StoredPrediction) -> Key:
    """What a prediction is judged with."""
    prediction = one.prediction
    return prediction.subject, prediction.model, prediction.version, str(prediction.kind), one.type


def told(entry: Entry, stored: Sequence[StoredPrediction], outcomes: tuple[Outcome, ...], now: int) -> Entry:
    """The entry with more predictions of its key, oldest first, none before its last."""
    predictions = [one.prediction for one in stored]
    life = predictions[0].kind is PredictionKind.REMAINING_LIFE
    return Entry(
        operators=entry.operators | {one.operator for one in stored},
        predictions=entry.predictions + len(stored),
        late=entry.late + sum(one.made - one.prediction.time > _DAY for one in stored),
        first=entry.first or predictions[0].time,
        last=predictions[-1].time,
        shadow=predictions[-1].shadow,
        watch=entry.watch if life else extended(entry.watch, predictions),
        lives=entry.lives + tally_of(predictions, outcomes, now) if life else entry.lives,
        outcomes=outcomes if life else (),
    )


def entries_of(
    stored: Iterable[StoredPrediction], happened: Mapping[str, Sequence[Outcome]], now: int
) -> dict[Key, Entry]:
    """Entries of any predictions, such as those of a range."""
    found = sorted(stored, key=lambda one: (key_of(one), one.prediction.time))
    return {
        key: told(Entry(), list(own), tuple(happened.get(key[0], ())), now) for key, own in groupby(found, key=key_of)
    }


class Scoreboard:
    """Entries of all predictions that stand. Thread-safe; each call may raise StoreUnavailable.

    What is new since the last look is read and added; what is not simply newer (late rows, a changed outcome, what
    retention took) is read again, for that asset and model alone. `save` writes entries, so that a start reads only
    what came after.
    """

    def __init__(self, database: Database, predictions: SqlPredictions, outcomes: SqlOutcomes) -> None:
        self._database = database
        self._predictions = predictions
        self._outcomes = outcomes
        self._lock = threading.RLock()
        self._entries: dict[Key, Entry] = {}
        self._unsaved: set[Key] = set()
        self._read_to = -1  # id of the newest prediction that is counted
        self._superseded_to = 0

    def entries(self, now: int) -> Mapping[Key, Entry]:
        """All entries, as of `now` (UTC microseconds)."""
        with self._lock:
            self._load()
            happened = self.happened()
            again = self._superseded(now)
            while page := self._predictions.after(self._read_to, _AT_ONCE):
                self._read_to = page[-1].id
                again |= self._add(page, happened, now)
            lives = str(PredictionKind.REMAINING_LIFE)
            again |= {
                key
                for key, entry in self._entries.items()
                if key[3] == lives and entry.outcomes != tuple(happened.get(key[0], ()))
            }
            self._anew(again, happened, now)
            return dict(self._entries)

    def happened(self) -> Mapping[str, Sequence[Outcome]]:
        """What happened, by asset."""
        found: dict[str, list[Outcome]] = {}
        for one in self._outcomes.find():
            found.setdefault(one.outcome.asset, []).append(one.outcome)
        return found

    def forgotten(self, before: int, now: int) -> None:
        """Predictions older than `before` were removed: entries that knew some of them are made anew, one by one."""
        for key, entry in self.entries(now).items():
            if entry.first < before:
                with self._lock:
                    self._anew({key}, self.happened(), now)

    def save(self, now: int) -> None:
        """Write what is not written, for the next start."""
        self.entries(now)
        with self._lock:
            rows, gone = [], []
            for key in self._unsaved:
                entry = self._entries.get(key)
                if entry is None:
                    gone.append(key)
                else:
                    rows.append(_row(key, replace(entry, lives=entry.lives.settled_at(now))))
            columns = (table.c.asset, table.c.model, table.c.version, table.c.kind, table.c.type)
            with self._database.write() as connection:
                for at in range(0, len(rows), 500):
                    upsert(connection, table, rows[at : at + 500])
                for key in gone:
                    connection.execute(table.delete().where(tuple_(*columns) == key))
                set_fact(connection, "scores.read_to", self._read_to)
                set_fact(connection, "scores.superseded_to", self._superseded_to)
            self._unsaved.clear()

    def _load(self) -> None:
        if self._read_to >= 0:
            return
        with self._database.read() as connection:
            self._entries = dict(_entry(row) for row in connection.execute(select(table)))
            self._read_to = fact(connection, "scores.read_to")
            self._superseded_to = fact(connection, "scores.superseded_to")

    def _superseded(self, now: int) -> set[Key]:
        """What late rows have proved wrong since the last look."""
        found = self._predictions.superseded_since(self._superseded_to - _OVERLAP)
        self._superseded_to = now
        return found

    def _add(self, page: Sequence[StoredPrediction], happened: Mapping[str, Sequence[Outcome]], now: int) -> set[Key]:
        """Count a page in; gives the keys of what is not newer than what is counted."""
        again: set[Key] = set()
        ordered = sorted(
            (one for one in page if not one.superseded), key=lambda one: (key_of(one), one.prediction.time)
        )
        for key, group in groupby(ordered, key=key_of):
            own, entry = list(group), self._entries.get(key, Entry())
            if own[0].prediction.time < entry.last:
                again.add(key)
                continue
            self._entries[key] = told(entry, own, tuple(happened.get(key[0], ())), now)
            self._unsaved.add(key)
        return again

    def _anew(self, keys: Iterable[Key], happened: Mapping[str, Sequence[Outcome]], now: int) -> None:
        for key in keys:
            stored = [one for one in self._predictions.of_key(*key) if one.id <= self._read_to]
            self._unsaved.add(key)
            if stored:
                self._entries[key] = told(Entry(), stored, tuple(happened.get(key[0], ())), now)
            else:
                self._entries.pop(key, None)


def _row(key: Key, entry: Entry) -> dict[str, Any]:
    asset, model, version, kind, type_ = key
    score = entry.lives.settled
    told_as = {
        "operators": sorted(entry.operators),
        "counts": [entry.predictions, entry.late, entry.first, entry.last, int(entry.shadow)],
        "runs": entry.watch.runs,
        "claims": [(one.begin, one.end, one.due) for one in entry.watch.claims],
        "lives": [getattr(score, name) for name in LifeScore.__slots__],
        "ends": sorted(entry.lives.ends),
        "outcomes": [(one.time, str(one.kind)) for one in entry.outcomes],
    }
    columns = {"asset": asset, "model": model, "version": version, "kind": kind, "type": type_}
    return {**columns, "entry": told_as, "expiries": np.asarray(entry.lives.expiries, "<i8").tobytes()}


def _entry(row: Any) -> tuple[Key, Entry]:
    told_as = row.entry
    predictions, late, first, last, shadow = told_as["counts"]
    entry = Entry(
        frozenset(told_as["operators"]),
        predictions,
        late,
        first,
        last,
        bool(shadow),
        Watch(tuple((a, b) for a, b in told_as["runs"]), tuple(Claim(*one) for one in told_as["claims"])),
        LifeTally(
            LifeScore(*told_as["lives"]),
            frozenset(told_as["ends"]),
            np.frombuffer(row.expiries, "<i8").astype(np.int64),
        ),
        tuple(Outcome(time, row.asset, OutcomeKind(kind)) for time, kind in told_as["outcomes"]),
    )
    return (row.asset, row.model, row.version, row.kind, row.type), entry
