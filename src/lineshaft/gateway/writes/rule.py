"""What may be written to one signal, and the way back from its value to the raw one of the device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lineshaft.config.models import SignalConfig, WriteConfig
from lineshaft.errors import OutOfRange
from lineshaft.gateway.plan_steps import conversion
from lineshaft.gateway.steps.mapping import is_number
from lineshaft.model.equipment import Datatype
from lineshaft.wire.writes import SetValue

_INTEGERS: Final = frozenset(Datatype) - {Datatype.FLOAT, Datatype.DOUBLE, Datatype.STRING}
_SINGLE: Final = 2.0**-23
"""Relative distance of two numbers of 32 bits."""
_NEAR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class WriteRule:
    """The bounds of one signal in its own unit, and its inverse steps; made from a checked plant."""

    low: float | None
    high: float | None
    allowed: tuple[SetValue, ...]
    max_step: float | None
    every: float  # seconds
    tolerance: float
    within: float  # seconds
    scale: float = 1.0
    offset: float = 0.0
    mapping: Mapping[SetValue, SetValue] = field(default_factory=dict)  # raw -> value
    whole: bool = False  # the device holds an integer
    text: bool = False  # the signal is a text
    reported: float = 0.0  # so far may the value that people see be from that on the device: the deadband

    @staticmethod
    def of(config: SignalConfig, write: WriteConfig, read_as: Datatype, announced: Datatype) -> WriteRule:
        """The rule of a signal; `read_as` is the type on the device, `announced` that of the value."""
        scale, offset = conversion(config)
        return WriteRule(
            write.low,
            write.high,
            write.allowed,
            write.max_step,
            write.every,
            write.tolerance,
            write.within,
            scale,
            offset,
            {float(raw) if is_number(raw) else raw: value for raw, value in config.map.items()},
            read_as in _INTEGERS,
            announced.is_text,
        )

    def refusal(self, value: SetValue) -> str:
        """Why this value may never be written here, '' when it may."""
        if isinstance(value, str) and not self.text and not _is_integer(value):
            return f"'{value}' is not a number"
        if not isinstance(value, str) and self.text:
            return f"{value:g} is not a text"
        if self.allowed:
            known = any(self.same(value, one, 0.0) for one in self.allowed)
            return "" if known else f"{shown(value)} is not one of {', '.join(map(shown, self.allowed))}"
        number = float(value)
        if self.low is None or self.high is None or not self.low <= number <= self.high:
            return f"{shown(value)} is not within {self.low:g} and {self.high:g}"
        return ""

    def step_refusal(self, before: SetValue, value: SetValue) -> str:
        """Why the way from the present value is too far, '' when it is not."""
        if self.max_step is None or isinstance(value, str) or isinstance(before, str):
            return ""
        step = abs(value - before)
        if step <= self.max_step * (1 + _NEAR):
            return ""
        return f"the step from {shown(before)} to {shown(value)} is greater than {self.max_step:g}"

    def raw(self, value: SetValue) -> SetValue:
        """The raw value that reads as `value`. Raises OutOfRange when there is none."""
        if self.mapping:
            found = next((raw for raw, mapped in self.mapping.items() if self.same(mapped, value, 0.0)), None)
            if found is None:
                raise OutOfRange(f"no raw value reads as {shown(value)}")
            return found
        if isinstance(value, str):
            if not self.text and (self.scale, self.offset) != (1.0, 0.0):
                raise OutOfRange("a number beyond 2**53 cannot be scaled back")
            return value
        raw = (value - self.offset) / self.scale
        nearest = float(round(raw)) if math.isfinite(raw) else raw
        if abs(raw - nearest) <= _NEAR * max(1.0, abs(raw)):
            return nearest
        if self.whole:
            beside = sorted(number * self.scale + self.offset for number in (math.floor(raw), math.ceil(raw)))
            words = f"{shown(value)} lies between the steps of the device; {beside[0]:g} and {beside[1]:g} are possible"
            raise OutOfRange(words)
        return raw

    def value(self, number: float, text: str | None) -> SetValue | None:
        """What a raw number or text reads as, None when it is no value."""
        raw: SetValue = number if text is None else text
        if self.mapping:
            return self.mapping.get(raw)
        if text is not None:
            return text
        return None if math.isnan(number) else number * self.scale + self.offset

    def same(self, one: SetValue, other: SetValue, tolerance: float) -> bool:
        """Whether two values are the same but for the tolerance and the precision of a device's numbers."""
        if isinstance(one, str) or isinstance(other, str):
            return str(one) == str(other) or (not self.text and _digits(one) == _digits(other) != "")
        return abs(one - other) <= tolerance + 4 * _SINGLE * max(abs(one), abs(other)) + 1e-12


def shown(value: SetValue | None) -> str:
    """A value for people."""
    return "nothing" if value is None else value if isinstance(value, str) else f"{value:.10g}"


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _digits(value: SetValue) -> str:
    if isinstance(value, str):
        return value if _is_integer(value) else ""
    return str(int(value)) if value.is_integer() else ""
