"""Why one OEE is higher than another: the difference split over its three factors, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

FACTORS = ("availability", "effectiveness", "quality")


def decompose(now: Mapping[str, float | None], other: Mapping[str, float | None]) -> dict[str, float] | None:
    """What each factor adds to OEE(now) - OEE(other); the parts add up to the difference. None when one is not known.

    now, other: values of `kpis.values`. The quality of several products together is taken by their standard time, as
    OEE weighs them, not by pieces. Logarithmic mean Divisia index (Ang, Energy Policy 33, 2005): no rest that belongs
    to nobody, and the factors have no order.
    """
    first, second = _factors(now), _factors(other)
    if first is None or second is None:
        return None
    oee, past = now["oee"] or 0.0, other["oee"] or 0.0
    weight = oee if abs(oee - past) < 1e-12 else (oee - past) / (log(oee) - log(past))
    return {name: weight * log(a / b) for name, a, b in zip(FACTORS, first, second, strict=True)}


def _factors(values: Mapping[str, float | None]) -> tuple[float, float, float] | None:
    availability, effectiveness, oee = (values.get(name) for name in ("availability", "effectiveness", "oee"))
    if not availability or not effectiveness or not oee or min(availability, effectiveness, oee) <= 0:
        return None
    return availability, effectiveness, oee / (availability * effectiveness)
