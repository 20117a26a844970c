"""Predictions of models, and outcomes: what happened to the asset, against which they are scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PredictionKind(StrEnum):
    """What is foretold.

    remaining_life  `value` is the P50 in hours until the asset fails; `p10` and `p90` are its interval
    failure         a fault develops: `alarm` says whether one is claimed, `value` how far it is, as the model counts
    anomaly         the asset is not as it was when it was learned: `value` 1 is the limit of normal
    """

    REMAINING_LIFE = "remaining_life"
    FAILURE = "failure"
    ANOMALY = "anomaly"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model said about an asset at an instant. `value` None with words is a legal answer: too early to say.

    A model that watches for faults says so at each change of `alarm` and at least each day, also while all is well:
    the time between is what its false alarms are counted over.

    time     UTC microseconds: of the row that caused it
    subject  path of the asset
    version  of the model; what is scored together
    due      UTC microseconds up to which what is claimed should have come true; None for a remaining life
    shadow   the model was on trial: nobody was told
    inputs   what it was made of, as scalars
    words    one sentence for people
    """

    time: int
    subject: str
    kind: PredictionKind
    model: str
    version: str
    value: float | None = None
    p10: float | None = None
    p90: float | None = None
    alarm: bool = False
    due: int | None = None
    shadow: bool = False
    inputs: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    words: str = ""


class OutcomeKind(StrEnum):
    """What happened.

    failure          it broke down, or had to be stopped    confirmed_fault  somebody looked and found the fault
    no_fault_found   somebody looked and found nothing      repair           it is as good as new from now on
    """

    FAILURE = "failure"
    CONFIRMED_FAULT = "confirmed_fault"
    NO_FAULT_FOUND = "no_fault_found"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to an asset; `time` in UTC microseconds."""

    time: int
    asset: str
    kind: OutcomeKind
