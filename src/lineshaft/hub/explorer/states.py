"""What a state means for the flow of work, told from its word; the page reads the same list of words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from lineshaft.model.equipment import Datatype, Signal, SignalKind

OTHER, DOWN = "other", "down"
STATE_CLASSES = ("running", "idle", "waiting", "setup", "planned", "down", "off", OTHER)
LEVELS = ("normal", "warning", "fault")  # of an MTConnect condition
_CONDITION_CLASS = {"normal": OTHER, "warning": "waiting", "fault": DOWN}
_WORDS = tuple(
    (name, re.compile(pattern)) for name, pattern in json.loads((files(__package__) / "state_words.json").read_text())
)
_LEVEL = re.compile(r"(normal|warning|fault)(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"[\d.,\s-]+")
_STATE = re.compile(r"(machine[-_])?state", re.IGNORECASE)
_EXECUTION = re.compile(r"execution", re.IGNORECASE)
_MAIN = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(machine_)?state$",
        r"^execution$",
        r"state$",
        r"execution|status|^mode$",
        r"controller_?mode|availability",
    )
)


@lru_cache(maxsize=4096)
def state_class(word: str) -> str:
    """Class of a state word; words that no list knows are 'other'."""
    text = word.lower()
    return next((name for name, pattern in _WORDS if pattern.search(text)), OTHER)


def is_condition(signal: Signal) -> bool:
    """True for MTConnect conditions: Normal, Warning or Fault, with a code and words of the control."""
    known = {raw.lower() for raw, _ in signal.states}
    return known.issuperset(LEVELS)


def condition_level(text: str) -> str:
    """How bad a condition is: normal, warning, fault; '' for anything else."""
    found = _LEVEL.match(text)
    return found[1].lower() if found else ""


def is_state(signal: Signal) -> bool:
    """True for signals that are words over time and not a line."""
    return signal.kind is SignalKind.STATE or signal.datatype is Datatype.STRING


def class_now(signal: Signal, states: Mapping[str, str], value: float, text: str | None) -> str:
    """Class of what a state signal says; '' without a value. `states`: raw value -> word of this signal."""
    if text:
        word = states.get(text, text)
        level = condition_level(word) if is_condition(signal) else ""
        if level:
            return _CONDITION_CLASS[level]
    elif value != value:
        return ""
    else:
        raw = f"{value:g}"
        word = states.get(raw) or states.get({"1": "true", "0": "false"}.get(raw, "")) or raw
    if _NUMBER.fullmatch(word) and not states:
        return OTHER
    return state_class(word)


def state_of(own: Sequence[Signal], below: Sequence[Signal]) -> Signal | None:
    """What says what an asset does: its own state; without one the execution of its control, wherever below it stands;
    then its next best. own: its state signals; below: those of its components too."""
    for signal in own:
        if _STATE.fullmatch(signal.name):
            return signal
    for signal in (*own, *below):
        if _EXECUTION.fullmatch(signal.name):
            return signal
    return _main(own) or _main(below)


def _main(states: Sequence[Signal]) -> Signal | None:
    named = [(signal.name.lower().replace("-", "_"), signal) for signal in states if not is_condition(signal)]
    for pattern in _MAIN:
        for name, signal in named:
            if pattern.search(name):
                return signal
    return None
