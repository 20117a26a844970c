"""Which settings, lines of the data sheet and measured values differ at the best asset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.buckets import Buckets
from lineshaft.analytics.comparison import number_difference, share_difference
from lineshaft.hub.api.services import Services
from lineshaft.hub.commands import bounds_of
from lineshaft.hub.comparing.choices import signals_of
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.explorer.states import is_state
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import Int64Array

Kind = Literal["setting", "sheet", "measured"]
SMALLEST = 0.02  # differences below this are none
MOST_SIGNALS = 60  # of each asset
MOST_COMPARED = 13  # the best and the twelve after it
AT_ONCE = 100  # signals that are read together
_SETTING = re.compile(
    r"set[-_ ]?point|(^|[-_/])(sp|set|target|override|preset|nominal|desired|reference|recipe|program|mode|"
    r"tool(?![-_]life)|threshold|command|demand|ratio|limit)([-_/]|$)"
)
_NO_STATE = re.compile(r"(^|[-_/])(state|execution|stop-reason|product|serial|order|door|alarm|availability)([-_/]|$)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; size is 0 to 1, the larger the more."""

    kind: Kind
    name: str  # below the asset
    unit: str
    best: str
    others: str
    size: float
    signals: tuple[int, ...]  # of the best first


def differences(
    parts: Services,
    index: PlantIndex,
    best: int,
    others: Sequence[int],
    edges: Int64Array,
    used: Sequence[NDArray[Any]],
) -> list[Difference]:
    """The largest first. used: bool[buckets] of the best and of each of the others, the time that is compared."""
    nodes = [best, *others][:MOST_COMPARED]
    sheets = [_sheet(index, node) for node in nodes]
    found = [*_signals(parts, [signals_of(index, node) for node in nodes], edges, used[:MOST_COMPARED])]
    for name, value in sheets[0].items():
        rest = [sheet[name] for sheet in sheets[1:] if name in sheet]
        if rest and (one := _of_sheet(name, value, rest)) is not None:
            found.append(one)
    order = {"setting": 0, "sheet": 0, "measured": 1}
    return sorted((one for one in found if one.size >= SMALLEST), key=lambda one: (order[one.kind], -one.size))


def _sheet(index: PlantIndex, node: int) -> dict[str, tuple[str, str]]:
    """Name -> (value, unit) of a node and its components."""
    path, below = index.nodes[node].path, index.below(node)
    return {
        "/".join(filter(None, [index.nodes[i].path[len(path) + 1 :], one.name])): (str(one.value), one.unit)
        for i in range(below.start, below.stop)
        if index.asset[i] == index.asset[node]
        for one in index.nodes[i].attributes
    }


def _of_sheet(name: str, value: tuple[str, str], rest: Sequence[tuple[str, str]]) -> Difference | None:
    own, unit = value
    try:
        middle, size = number_difference(float(own), [float(one) for one, _ in rest])
        return Difference("sheet", name, unit, own, f"{middle:g}", size, ())
    except ValueError:
        words = sorted({one for one, _ in rest})
        if own in words and len(words) == 1:
            return None
        share = sum(one != own for one, _ in rest) / len(rest)
        return Difference("sheet", name, unit, own, ", ".join(words), share, ())


def _signals(
    parts: Services,
    own: Sequence[Mapping[str, CataloguedSignal]],
    edges: Int64Array,
    used: Sequence[NDArray[Any]],
) -> list[Difference]:
    kinds = {name: kind for name, one in own[0].items() if (kind := _kind(name, one)) is not None}
    names = [name for name in kinds if any(name in have for have in own[1:])]
    names = sorted(names, key=lambda name: kinds[name] != "setting")[:MOST_SIGNALS]
    wanted = [(name, one[name], mask) for name in names for one, mask in zip(own, used, strict=True) if name in one]
    buckets: list[Buckets] = []
    for at in range(0, len(wanted), AT_ONCE):
        ids = [one.id for _, one, _ in wanted[at : at + AT_ONCE]]
        buckets += parts.historian.aggregate(ids, edges, until=parts.clock.now_us())
    by_name: dict[str, list[_Read]] = {}
    for (name, one, mask), bucket in zip(wanted, buckets, strict=True):
        by_name.setdefault(name, []).append(_Read(one, bucket, mask))
    return [_difference(kinds[name], name, read) for name, read in by_name.items()]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    one: CataloguedSignal
    bucket: Buckets
    mask: NDArray[Any]


def _difference(kind: Kind, name: str, read: Sequence[_Read]) -> Difference:
    signal = read[0].one.born.signal
    ids = tuple(one.one.id for one in read)
    if is_state(signal):
        return _of_states(kind, name, dict(signal.states), read, ids)
    means = [_mean(one.bucket, one.mask) for one in read]
    middle, size = number_difference(means[0], means[1:])
    digits = 2 if signal.decimals is None else signal.decimals
    return Difference(kind, name, signal.unit, f"{means[0]:.{digits}f}", f"{middle:.{digits}f}", size, ids)


def is_setting(name: str, one: CataloguedSignal) -> bool:
    """Whether somebody sets it: it can be written, or its name below the asset says so."""
    if one.born.signal.kind in (SignalKind.COUNTER, SignalKind.WAVEFORM):
        return False
    return bounds_of(one) is not None or _SETTING.search(name.lower()) is not None


def _kind(name: str, one: CataloguedSignal) -> Kind | None:
    signal = one.born.signal
    if signal.kind in (SignalKind.COUNTER, SignalKind.WAVEFORM):
        return None
    if is_setting(name, one):
        return "setting"
    if is_state(signal):
        return None if _NO_STATE.search(name.lower()) or not signal.states else "measured"
    return "measured"


def _mean(bucket: Buckets, mask: NDArray[Any]) -> float:
    values, weights = bucket.time_mean()[mask], bucket.covered[mask]
    known = np.isfinite(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")


def _of_states(
    kind: Kind,
    name: str,
    words: Mapping[str, str],
    read: Sequence[_Read],
    ids: tuple[int, ...],
) -> Difference:
    times = [_time_in(one.bucket, one.mask) for one in read]
    rest: dict[str, float] = {}
    for one in times[1:]:
        for state, time in one.items():
            rest[state] = rest.get(state, 0.0) + time
    return Difference(
        kind, name, "", _most(times[0], words), _most(rest, words), share_difference(times[0], times[1:]), ids
    )


def _time_in(bucket: Buckets, mask: NDArray[Any]) -> dict[str, float]:
    times: dict[str, float] = {}
    for at in np.flatnonzero(mask).tolist():
        for state, time in bucket.states[at].items():
            times[state] = times.get(state, 0.0) + time
    return times


def _most(times: Mapping[str, float], words: Mapping[str, str]) -> str:
    """What it was most of the time, with its share."""
    whole = sum(times.values())
    if whole <= 0:
        return ""
    state = max(times, key=lambda one: times[one])
    share = round(100 * times[state] / whole)
    return words.get(state, state) + ("" if share == 100 else f" ({share} %)")
