"""What is abnormal now, of all signals at once: limits broken, machines down, values bad or stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.explorer.states import DOWN, STATE_CLASSES, class_now, condition_level, is_condition, is_state
from lineshaft.hub.ports import OPERATOR_NODE
from lineshaft.model.equipment import Limits
from lineshaft.model.samples import Float64Array, Int64Array, Quality, SampleBatch

KINDS = ("", "highHigh", "lowLow", "down", "fault", "high", "low", "warning", "bad", "stale")
_URGENCY = np.array([9, 0, 0, 1, 1, 2, 2, 2, 3, 4])  # index: kind
_CODE = {kind: code for code, kind in enumerate(KINDS)}
QUALITIES = ("none", "good", "uncertain", "bad", "stale")
_STALE = 8


@dataclass(frozen=True)
class Rules:
    """What is fixed about signals: limits, which of them are states, and which device they come from."""

    index: PlantIndex

    @cached_property
    def limits(self) -> Float64Array:
        """float64[4, signals]: low low, low, high, high high; infinite where there is none."""
        edges = (-np.inf, -np.inf, np.inf, np.inf)
        return (
            np.array(
                [
                    [edge if limit is None else limit for edge, limit in zip(edges, limits, strict=True)]
                    for limits in (_limits(one.born.signal.limits) for one in self.index.signals)
                ],
                np.float64,
            )
            .reshape(-1, 4)
            .T
        )

    @cached_property
    def states(self) -> Int64Array:
        """Positions of the signals that are states."""
        return np.array([i for i, one in enumerate(self.index.signals) if is_state(one.born.signal)], np.int64)

    @cached_property
    def conditions(self) -> frozenset[int]:
        """Those of them that are conditions of a control."""
        return frozenset(i for i in self.states.tolist() if is_condition(self.index.signals[i].born.signal))

    def words(self, at: int) -> Mapping[str, str]:
        """Raw value -> word of the state signal at a position."""
        return self._words[at]

    @cached_property
    def _words(self) -> dict[int, dict[str, str]]:
        return {i: dict(self.index.signals[i].born.signal.states) for i in self.states.tolist()}

    @cached_property
    def computed(self) -> NDArray[np.bool_]:
        """bool[signals]: what the hub's operators make."""
        return np.array([one.born.node == OPERATOR_NODE for one in self.index.signals], np.bool_)

    @cached_property
    def device(self) -> Int64Array:
        """int64[signals]: a number for each device."""
        known: dict[tuple[str, str], int] = {}
        return np.array(
            [known.setdefault((one.born.node, one.born.device), len(known)) for one in self.index.signals], np.int64
        )


@dataclass(frozen=True)
class Group:
    """One abnormal signal, or those of one device that went bad or stale together."""

    kind: str
    signals: Int64Array  # positions, the newest first


@dataclass(frozen=True)
class Marks:
    """The plant at one moment. time, value, text, quality, kind, state: [signals]."""

    index: PlantIndex
    time: Int64Array  # 0: there was no value yet
    value: Float64Array
    text: Sequence[str | None]
    quality: Int64Array
    kind: Int64Array  # index of KINDS, 0: nothing abnormal
    state: Int64Array  # index of STATE_CLASSES; -1 for what is no state or has no value that can be trusted
    groups: Sequence[Group]  # the most urgent first

    @cached_property
    def by_node(self) -> Int64Array:
        """int64[nodes]: how many groups touch each node or what is below it."""
        size = len(self.index.nodes)
        if not self.groups:
            return np.zeros(size, np.int64)
        group = np.concatenate([np.full(len(one.signals), i) for i, one in enumerate(self.groups)])
        node = self.index.node_of[np.concatenate([one.signals for one in self.groups])]
        touched: list[Int64Array] = []  # group * nodes + node
        while len(node):
            pairs = np.unique(group * size + node)
            touched.append(pairs)
            group, above = pairs // size, self.index.parent[pairs % size]
            group, node = group[above >= 0], above[above >= 0]
        return np.bincount(np.unique(np.concatenate(touched)) % size, minlength=size)

    @cached_property
    def node_state(self) -> Int64Array:
        """int64[nodes]: class of what the node's asset does now; -1 where nothing says so."""
        signal = self.index.state_signal
        known = signal >= 0
        found = np.full(len(signal), -1, np.int64)
        found[known] = self.state[signal[known]]  # a plant may have no signal yet
        return found

    @cached_property
    def quality_word(self) -> Int64Array:
        """int64[signals]: index of QUALITIES."""
        group = self.quality & 0xC0
        words = np.where(group == 0xC0, 1, np.where(group == 0x40, 2, 3))
        words[self.quality == _STALE] = 4
        words[self.time == 0] = 0
        return words


def marks_of(rules: Rules, latest: SampleBatch) -> Marks:
    """What is abnormal of `latest`, which holds the newest row of each signal that has one."""
    index = rules.index
    size = len(index.signals)
    position = np.full(int(max(index.ids.max(initial=0), latest.signals.max(initial=0))) + 1, -1, np.int64)
    position[index.ids] = np.arange(size)
    at = position[latest.signals]
    time, value, quality = np.zeros(size, np.int64), np.full(size, np.nan), np.zeros(size, np.int64)
    time[at], value[at], quality[at] = latest.times, latest.values, latest.qualities
    text: list[str | None] = [None] * size
    if latest.texts is not None:
        for i, words in zip(at.tolist(), latest.texts.tolist(), strict=True):
            text[i] = words
    kind = _limit_kinds(rules, value)
    kind[rules.states] = 0
    group = quality & 0xC0
    trusted = (time > 0) & ((group == 0xC0) | (group == 0x40))
    state = np.full(size, -1, np.int64)
    for i in rules.states[trusted[rules.states]].tolist():
        kind[i], state[i] = _state_now(rules, i, float(value[i]), text[i])
    doubtful = (time > 0) & ~trusted
    kind[doubtful] = np.where(quality[doubtful] == _STALE, _CODE["stale"], _CODE["bad"])
    kind[time == 0] = 0
    kind[rules.computed & (quality == Quality.BAD_NO_VALUE)] = 0  # it does not know yet, and what it lacks is told of
    return Marks(index, time, value, text, quality, kind, state, _groups(rules, time, kind))


def _limit_kinds(rules: Rules, value: Float64Array) -> Int64Array:
    low_low, low, high, high_high = rules.limits
    kind = np.zeros(len(value), np.int64)
    with np.errstate(invalid="ignore"):
        for name, broken in (
            ("low", value < low),
            ("high", value > high),
            ("lowLow", value < low_low),
            ("highHigh", value > high_high),
        ):
            kind[broken] = _CODE[name]
    return kind


def _state_now(rules: Rules, at: int, value: float, text: str | None) -> tuple[int, int]:
    """Kind and state class of a state signal whose value can be trusted."""
    signal = rules.index.signals[at].born.signal
    if at in rules.conditions:
        level = condition_level(text or "")
        return _CODE[level] if level in ("warning", "fault") else 0, STATE_CLASSES.index("other")
    found = class_now(signal, rules.words(at), value, text)
    if not found:
        return 0, -1
    return _CODE[DOWN] if found == DOWN else 0, STATE_CLASSES.index(found)


def _groups(rules: Rules, time: Int64Array, kind: Int64Array) -> Sequence[Group]:
    """Abnormal signals, those of one device that are bad or stale together as one."""
    (abnormal,) = np.nonzero(kind)
    abnormal = abnormal[np.lexsort((-time[abnormal], _URGENCY[kind[abnormal]]))]
    shared = kind[abnormal] >= _CODE["bad"]
    key = np.where(shared, -1 - (rules.device[abnormal] * len(KINDS) + kind[abnormal]), np.arange(len(abnormal)))
    _, first, member = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(member, kind="stable")
    parts = np.split(abnormal[order], np.cumsum(np.bincount(member, minlength=len(first)))[:-1]) if len(first) else []
    return [Group(KINDS[kind[abnormal[first[i]]]], parts[i]) for i in np.argsort(first).tolist()]


def _limits(limits: Limits) -> tuple[float | None, ...]:
    return limits.low_low, limits.low, limits.high, limits.high_high
