"""What the health of a machine foretells, in the form of the record: a fault within a month, and how long is left."""

from __future__ import annotations

import hashlib
from typing import Final

from pydantic import BaseModel

from lineshaft.analytics.remaining_life.estimate import RemainingLife
from lineshaft.model.predictions import Prediction, PredictionKind

MODEL: Final = "machine-health"
DUE_US: Final = 30 * 86_400_000_000
"""An alarm claims that a fault is found, or the machine fails, within a month."""
ALARM: Final = 2
Inputs = dict[str, str | int | float | bool | None]


def version_of(options: BaseModel) -> str:
    """Changes with the options: what was made with others is scored apart."""
    return f"1-{hashlib.blake2b(options.model_dump_json().encode(), digest_size=3).hexdigest()}"


def fault(time: int, subject: str, version: str, stage: int, index: float, inputs: Inputs) -> Prediction:
    """Whether a fault is claimed at a stage."""
    alarm = stage >= ALARM
    words = "a fault is found, or it fails, within 30 days" if alarm else "no fault is claimed"
    due = time + DUE_US if alarm else None
    kind = PredictionKind.FAILURE
    return Prediction(time, subject, kind, MODEL, version, index, alarm=alarm, due=due, inputs=inputs, words=words)


def life(time: int, subject: str, version: str, found: RemainingLife, inputs: Inputs) -> Prediction:
    """How long is left, or that it is too early to say."""
    if found.too_early:
        kind = PredictionKind.REMAINING_LIFE
        return Prediction(time, subject, kind, MODEL, version, inputs=inputs, words=f"too early to say: {found.words}")
    return Prediction(
        time,
        subject,
        PredictionKind.REMAINING_LIFE,
        MODEL,
        version,
        found.p50,
        found.p10,
        found.p90,
        inputs={**inputs, "growth": found.method},
        words=found.words,
    )
