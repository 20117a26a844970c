"""What a plant file says about values that may be written to a device."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration


class WriteConfig(Section):
    """Lets people set a signal from the platform, within these bounds. gateway.allow_writes must be true besides."""

    low: float | None = key(None, "Least value that may be written.", unit="signal")
    high: float | None = key(None, "Greatest value that may be written.", unit="signal")
    allowed: tuple[float | str, ...] = key((), "The only values that may be written, in place of low and high.")
    max_step: float | None = key(None, "Greatest change from the present value in one write.", unit="signal", gt=0)
    every: Duration = key(10.0, "At most one write in so much time.", unit="s", gt=0)
    tolerance: float = key(
        0.0, "How far the value that is read back may be from what was written.", unit="signal", ge=0
    )  # fmt: skip
    within: Duration = key(5.0, "How long the value that is read back may take to get there.", unit="s", gt=0)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        limits = (self.low, self.high)
        if self.allowed:
            if any(limit is not None for limit in limits):
                raise ValueError("give low and high, or allowed, not both")
            if any(isinstance(one, str) for one in self.allowed) and self.max_step is not None:
                raise ValueError("words have no step: max_step is for numbers")
        elif self.low is None or self.high is None:
            raise ValueError("needs low and high, or allowed: nothing is written without bounds")
        elif self.low >= self.high:
            raise ValueError(f"limits must ascend: low ({self.low:g}) is not below high ({self.high:g})")
        return self
