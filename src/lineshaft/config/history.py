"""How long history is kept."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration
from lineshaft.model.equipment import SignalKind


class KeepConfig(Section):
    """How long samples and roll-ups of one kind of signal are kept; none: for ever."""

    raw: Duration | None = key(None, "Raw samples older than this are removed.", unit="s", gt=0)
    minute: Duration | None = key(None, "Roll-ups by the minute older than this are removed.", unit="s", gt=0)
    hour: Duration | None = key(None, "Roll-ups by the hour older than this are removed.", unit="s", gt=0)
    day: Duration | None = key(None, "Roll-ups by the day older than this are removed.", unit="s", gt=0)

    def rollups(self, level: Literal["minute", "hour", "day"]) -> float | None:
        """Seconds that roll-ups of a level are kept."""
        return {"minute": self.minute, "hour": self.hour, "day": self.day}[level]

    @model_validator(mode="after")
    def _coarser_stay_longer(self) -> Self:
        ages = [("raw", self.raw), ("minute", self.minute), ("hour", self.hour), ("day", self.day)]
        longest = 0.0
        name = ""
        for level, age in ages:
            value = float("inf") if age is None else age
            if value < longest:
                raise ValueError(f"{level} must be kept at least as long as {name}, from which it is made")
            longest, name = value, level
        return self


class RetentionConfig(Section):
    """How long history is kept, by kind of signal."""

    measure: KeepConfig = key(KeepConfig(), "Continuous quantities.")
    counter: KeepConfig = key(KeepConfig(), "Counters.")
    state: KeepConfig = key(KeepConfig(), "States and texts.")
    waveform: KeepConfig = key(KeepConfig(), "Bursts of fast samples.")
    event: KeepConfig = key(KeepConfig(), "Things that happen at an instant.")
    prediction: Duration | None = key(
        400 * 86400.0,
        "Predictions older than this are removed, and no longer scored; null: kept for ever.",
        unit="s",
        gt=0,
    )

    def of(self, kind: SignalKind) -> KeepConfig:
        """What holds for a kind."""
        found: KeepConfig = getattr(self, kind.value)
        return found
