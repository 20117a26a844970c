"""Units of measure are known by name, and nothing but a unit gets to the parser."""

from __future__ import annotations

import pytest

from lineshaft.config.units import COMMON, factor, unit_known
from lineshaft.errors import ConfigError

FIELD = (
    "kvar",
    "kvarh",
    "kVA",
    "kVAh",
    "Nm",
    "kNm",
    "m³/h",
    "m/s²",
    "m.s-2",
    "µS/cm",
    "°C",
    "pcs/h",
    "mg/m3",
    "rpm",
    "l/min",
    "t/h",
    "ppm",
    "lux",
    "kWh/Nm3",
    "%",
    "%/h",
    "1/s",
    "pH",
    "NTU",
)


@pytest.mark.parametrize("unit", [*COMMON, *FIELD, ""])
def test_known(unit: str) -> None:
    """Units that the field writes are known."""
    assert unit_known(unit)


@pytest.mark.parametrize(
    "unit", ["kwh", "wibble", "kW/", "((", "kW h", "3 kW", "9**9**9", "__import__('os')", "m" * 99]
)
def test_unknown(unit: str) -> None:
    """What is no unit is refused, whatever it is."""
    assert not unit_known(unit)


@pytest.mark.parametrize(
    ("source", "target", "scale", "offset"),
    [("degC", "degF", 1.8, 32.0), ("kWh", "J", 3.6e6, 0.0), ("bar", "mbar", 1000.0, 0.0), ("Nm", "N*m", 1.0, 0.0)],
)
def test_factor(source: str, target: str, scale: float, offset: float) -> None:
    """A conversion is a factor and an offset."""
    assert factor(source, target) == pytest.approx((scale, offset))


def test_factor_of_different_things() -> None:
    """What measures different things is not converted, and an unknown unit is named."""
    with pytest.raises(ConfigError, match="cannot be converted"):
        factor("kWh", "bar")
    with pytest.raises(ConfigError, match="unknown unit 'kwh'"):
        factor("kwh", "J")
