"""Units of measure: which unit texts a plant may use, and how one is converted into another."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pint

from lineshaft.errors import ConfigError

_DEFINITIONS = (
    "piece = [] = pcs = pc",
    "newton_meter = newton * meter = Nm",
    "reactive_volt_ampere = volt * ampere = var",
    "reactive_volt_ampere_hour = volt * ampere * hour = varh",
    "volt_ampere_hour = volt * ampere * hour = VAh",
    "normal_cubic_meter = meter ** 3 = Nm3",
    "standard_cubic_meter = meter ** 3 = Sm3",
    "gauge_bar = bar = barg",
    "absolute_bar = bar = bara",
    "gravity_acceleration = standard_gravity = gn",
    "turbidity = [] = NTU",
    "acidity = [] = pH",
)
"""What the field uses and pint lacks or reads otherwise (Nm as number of metres, pcs as a parsec). Nm3 is a volume at
0 degC and 1013.25 hPa (DIN 1343), barg a pressure above the atmosphere: they differ from m3 and bar by name alone."""

_SPELLINGS = (
    (re.compile("%"), "percent"),
    (re.compile("°(?=[CF])"), "deg"),
    (re.compile("°"), "degree"),
    (
        re.compile(r"(?<=[A-Za-zµ])\^?(-?[2-4])(?![0-9A-Za-z])(?<!\bNm3)(?<!\bSm3)"),
        r"**\1",
    ),  # m3, s2, s-2 as UCUM writes them
)

_TERM = r"(?:[A-Za-zµμΩ°%]+|Nm3|Sm3)(?:\^?-?[1-9]|[²³])?"
_SHAPE = re.compile(rf"^(?:1/)?{_TERM}(?:[*/.·]{_TERM})*$|^1$")
"""What a unit looks like; pint's parser sees nothing else, because it also does arithmetic."""

COMMON = (
    "degC", "K", "%", "1/min", "Hz", "kW", "kWh", "V", "A", "VA", "var", "bar", "mbar", "Pa", "m3", "m3/h", "Nm3",
    "Nm3/h", "Nm", "L/min", "L/h", "mm/s", "m/s2", "gn", "g", "mm", "um", "N", "kN", "kg", "s", "min", "h", "pcs",
    "1/h", "ppm", "dB", "deg",
)  # fmt: skip
"""Units that pages and messages suggest."""


@cache
def registry() -> Any:
    """The one pint registry. `g` is the gram, as in SI; an acceleration is `gn` or m/s2."""
    made: pint.UnitRegistry[Any] = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for definition in _DEFINITIONS:
        made.define(definition)
    return made


def _spelled(text: str) -> str:
    for pattern, word in _SPELLINGS:
        text = pattern.sub(word, text)
    return text


@cache
def unit_known(text: str) -> bool:
    """True when `text` is '' (no unit) or a unit that can be computed with, like kW, degC, mm/s or 1/min."""
    if not text:
        return True
    if len(text) > 40 or not _SHAPE.match(text):
        return False
    try:
        registry().parse_units(_spelled(text))
    except pint.UndefinedUnitError:
        return False
    return True


def factor(source: str, target: str) -> tuple[float, float]:
    """(scale, offset) so that `target value = source value * scale + offset`.

    Raises ConfigError when one is not a unit or they measure different things.
    """
    for text in (source, target):
        if not unit_known(text):
            raise ConfigError(f"unknown unit '{text}'", hint=f"common units: {', '.join(COMMON)}")
    units = registry()
    names = [_spelled(text) or "dimensionless" for text in (source, target)]
    try:
        zero, one = (units.Quantity(float(x), names[0]).to(names[1]).magnitude for x in (0, 1))
    except pint.DimensionalityError as error:
        raise ConfigError(f"'{source}' cannot be converted to '{target}'", hint=str(error)) from error
    return one - zero, zero


def convertible(source: str, target: str) -> bool:
    """True when both are units of the same quantity."""
    try:
        factor(source, target)
    except ConfigError:
        return False
    return True
