"""States over a range with more changes than pixels: of each stretch of time, how long it was in which state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lineshaft.analytics.buckets import Buckets, aggregate
from lineshaft.analytics.rollup import Rollups, States, label
from lineshaft.hub.historian.base import OTHERS, Series
from lineshaft.hub.historian.rollups import WIDTHS
from lineshaft.model.samples import Int64Array, Quality, TextArray

_MINUTE, _HOUR = WIDTHS["minute"], WIDTHS["hour"]
MOST_STATES: Final = 20
"""Of one stretch; more are told together."""


def edges_of(start: int, end: int, points: int) -> Int64Array:
    """About `points` stretches of start <= time < end that roll-ups fit into, from half a minute each on."""
    width = max(1, -(-(end - start) // points))
    if width >= _HOUR // 2:
        width = max(round(width / _HOUR), 1) * _HOUR
    elif width >= _MINUTE // 2:
        width = max(round(width / _MINUTE), 1) * _MINUTE
    inner = np.arange(start // width + 1, -(-end // width), dtype=np.int64) * width
    return np.concatenate([[start], inner, [end]])


def lane(signal: int, atoms: Rollups, edges: Int64Array, gap: int) -> Series | None:
    """The signal's Series in mode 'states'; None where the range has no row.

    atoms   its roll-ups or rows by time, with the row before the range and the one after; none over an edge
    gap     longest time that a state is held, microseconds
    """
    inside = np.flatnonzero((atoms.opens_at >= edges[0]) & (atoms.opens_at < edges[-1]))
    if not len(inside):
        return None
    last = _last(atoms, inside)
    until = last[-1].time
    bounds = np.append(edges[edges < until], until)
    textual = bool((atoms.first_text != "").any() or (atoms.last_text != "").any())
    rows = _stretches(aggregate(atoms, bounds, gap, stateful=True), textual) if len(bounds) > 1 else []
    if len(last) > 1:
        rows = _before(rows, last[0], until, gap)
    return _series(signal, [*rows, *last])


def _before(rows: Sequence[_Row], last: _Row, until: int, gap: int) -> list[_Row]:
    """The stretches without what the last usable row tells by itself: its state from its time on."""
    kept = [row for row in rows if row.time < last.time]
    if kept and kept[-1].states:
        name = label(last.value, last.text or "")
        end = min(rows[len(kept)].time if len(kept) < len(rows) else until, last.time + gap)
        rest = kept[-1].states[name] - (end - last.time) if name in kept[-1].states else 0
        states = {**kept[-1].states, name: rest}
        kept[-1] = _entry(
            kept[-1].time,
            {one: time for one, time in states.items() if time > 0},
            last.text is not None,
            kept[-1].quality,
        )
    return kept


def _last(atoms: Rollups, inside: Int64Array) -> list[_Row]:
    """The last usable row and the bad one that ended it, where there are such, as they are stored."""
    usable = inside[atoms.count[inside] > 0]
    final = int(usable[-1]) if len(usable) else int(inside[0])
    bad = inside[inside > final]
    ended = int(atoms.ends_at[final]) or (int(atoms.opens_at[bad[0]]) if len(bad) else 0)
    end = [_Row(ended, np.nan, None, Quality.BAD, None)] if ended else []
    if end and not len(usable):
        return end
    quality = Quality.UNCERTAIN if atoms.uncertain[final] else Quality.GOOD
    last, text = float(atoms.last[final]), atoms.last_text[final] or None
    return [_Row(int(atoms.last_at[final]), last, text, quality, None), *end]


@dataclass(frozen=True, slots=True)
class _Row:
    """What begins at a time: the state that lasted longest, and the time in each; None: a row as it is stored."""

    time: int
    value: float
    text: str | None
    quality: int
    states: States | None


def _stretches(found: Buckets, textual: bool) -> list[_Row]:
    """Neighbours that are wholly in one and the same state are one row."""
    rows: list[_Row] = []
    for at, (start, every) in enumerate(zip(found.edges[:-1].tolist(), found.states, strict=True)):
        states = {name: length for name, length in every.items() if length}  # the last row's has not lasted yet
        before = rows[-1].states if rows else None
        whole = len(states) == 1 and not found.missing[at]
        if before is not None and before.keys() == states.keys() and (whole or not states) and _whole(rows[-1], start):
            joined = {name: length + before[name] for name, length in states.items()}
            rows[-1] = replace(rows[-1], states=joined)
            continue
        rows.append(_entry(start, states, textual, Quality.UNCERTAIN if found.uncertain[at] else Quality.GOOD))
    return rows


def _entry(start: int, states: States, textual: bool, quality: int) -> _Row:
    """A stretch is what lasted longest in it; bad where nothing is known of it."""
    if not states:
        return _Row(start, np.nan, None, Quality.BAD, {})
    ordered = dict(sorted(states.items(), key=lambda item: (-item[1], item[0])))
    most = next(iter(ordered))
    value, text = (np.nan, most) if textual else (float(most), None)
    return _Row(start, value, text, quality, _longest(ordered))


def _whole(row: _Row, until: int) -> bool:
    """The row knows all of its time, or nothing."""
    return not row.states or sum(row.states.values()) == until - row.time


def _series(signal: int, rows: Sequence[_Row]) -> Series:
    texts: TextArray = np.array([row.text for row in rows], object)
    states: TextArray = np.full(len(rows), None, object)
    for at, row in enumerate(rows):
        states[at] = row.states
    return Series(
        signal,
        "states",
        np.array([row.time for row in rows], np.int64),
        np.array([row.value for row in rows]),
        np.array([row.quality for row in rows], np.uint8),
        None if all(row.text is None for row in rows) else texts,
        states,
    )


def _longest(ordered: States) -> States:
    names = list(ordered)
    if len(names) <= MOST_STATES:
        return ordered
    return {
        **{name: ordered[name] for name in names[:MOST_STATES]},
        OTHERS: sum(ordered[name] for name in names[MOST_STATES:]),
    }
