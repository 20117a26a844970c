"""Which operators run on which assets."""

from __future__ import annotations

from typing import Any

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id


class OperatorConfig(Section):
    """A streaming analytic that the hub runs on each asset that is named and has the signals for it."""

    id: Id = key(..., "Unique among the operators.")
    operator: str = key(..., "Which one, like rule; or package.module:NAME of an own OperatorSpec.")
    assets: tuple[str, ...] = key(("**",), "Paths below the site; * stands for one part of a path, ** for any number.")
    types: tuple[str, ...] = key((), "Only assets of these types and of types that extend them; all when empty.")
    past: Duration = key(60.0, "How much of the stored past a new one reads before it goes on live.", unit="s", ge=0)
    options: dict[str, Any] = key({}, "Options of the operator.")
