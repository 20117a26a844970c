"""Which signals the health of an asset is made of: those of its options, or those of the template of its type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lineshaft.config.reference import HealthTemplate, health_templates
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.operators.base import Asset


class DutyConfig(Section):
    """A stretch of the coming plan."""

    hours: float = key(..., "How long.", unit="h", gt=0)
    speed: float = key(1.0, "Speed by the present one.", ge=0)
    load: float = key(1.0, "Load by the present one.", ge=0)


class HealthConfig(Section):
    """What the health of a machine is made of."""

    features: tuple[str, ...] = key(
        (), "Signals below the asset that grow with wear, like vibration; those of its type when none are given."
    )
    operating: tuple[str, ...] = key(
        (), "Signals that say the operation, like speed and load: compared within. When the first is low, it stands."
    )
    window: Duration = key(600.0, "Signals are averaged over so long.", unit="s", gt=0)
    learn: Duration = key(604_800.0, "The first so long is the healthy time.", unit="s", gt=0)
    smooth: int = key(9, "Windows of the running median that keeps transients out.", ge=1, le=99)
    persistence: int = key(18, "Windows in a row that a stage takes to be reached or left.", ge=1, le=99)
    standstill: float = key(
        0.35, "Below so much of its high value in healthy time, the first operating signal says: it stands.", ge=0, le=1
    )
    failure_index: float | None = key(
        None,
        "Index at which the machine is used up, for the remaining life; that of its type when none is given.",
        gt=0,
    )
    plan: tuple[DutyConfig, ...] = key(
        (), "What comes, again and again: the remaining life is given in hours of it. None: as it runs now."
    )


@dataclass(frozen=True, slots=True)
class HealthSetup:
    """What an operator works with; `features` and `operating` are signals of the asset."""

    features: tuple[Signal, ...]
    operating: tuple[Signal, ...]
    failure_index: float | None


def setup_of(config: HealthConfig, asset: Asset) -> HealthSetup | None:
    """None where the asset lacks a signal that is named, or has none of its type's features."""
    template = _template(asset.kinds or (asset.equipment.type,))
    below = {signal.path[len(asset.path) + 1 :]: signal for signal in asset.signals}
    if config.features:
        wanted = [*config.features, *config.operating]
        if any(name not in below for name in wanted):
            return None
        limit = config.failure_index or (template.failure_index if template else None)
        return HealthSetup(_those(config.features, below), _those(config.operating, below), limit)
    if template is None:
        return None
    measures = {name: one for name, one in below.items() if one.kind is SignalKind.MEASURE}
    features = [name for pattern in template.features for name in sorted(measures) if fnmatchcase(name, pattern)]
    if not features:
        return None
    operating = config.operating or tuple(filter(None, (_first(line, measures) for line in template.operating)))
    if any(name not in below for name in operating):
        return None
    plain = tuple(dict.fromkeys(features))
    return HealthSetup(_those(plain, below), _those(operating, below), config.failure_index or template.failure_index)


def _template(kinds: Sequence[str]) -> HealthTemplate | None:
    """Of the type itself, else of the nearest that it extends."""
    return next((one for kind in kinds for one in health_templates() if kind in one.types), None)


def _those(names: Sequence[str], below: dict[str, Signal]) -> tuple[Signal, ...]:
    return tuple(below[name] for name in names)


def _first(patterns: Sequence[str], measures: dict[str, Signal]) -> str:
    return next((name for pattern in patterns for name in sorted(measures) if fnmatchcase(name, pattern)), "")
