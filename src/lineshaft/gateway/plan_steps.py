"""The part of the plan that is about steps: from keys of the plant to the rules that the pipeline runs by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from lineshaft.config import units
from lineshaft.config.expressions import Expression
from lineshaft.config.models import DerivedConfig, EdgeRuleConfig, PipelineConfig, SeriesConfig, SignalConfig
from lineshaft.gateway.steps.base import Drift, SignalSteps, Stuck, Swapped
from lineshaft.gateway.steps.computed import Aggregate, Computation, CounterRate, Formula
from lineshaft.model.equipment import SignalKind
from lineshaft.operators.rules import Rule

US: Final = 1_000_000
_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}


def deadband(config: SeriesConfig, pipeline: PipelineConfig) -> float:
    """In the signal's unit. The signal's own keys win; the pipeline's hold for measures only."""
    absolute, percent = config.deadband, config.deadband_percent
    if absolute is None and percent is None and config.kind is SignalKind.MEASURE:
        absolute, percent = pipeline.deadband, pipeline.deadband_percent
    if absolute is not None:
        return absolute
    if percent is not None and config.range is not None:
        return percent / 100.0 * (config.range[1] - config.range[0])
    return 0.0


def conversion(config: SignalConfig) -> tuple[float, float]:
    """(scale, offset) from the raw number to the signal's unit, the conversion of units included."""
    if not config.source_unit:
        return config.scale, config.offset
    factor, shift = units.factor(config.source_unit, config.unit)
    return config.scale * factor, config.offset * factor + shift


def signal_steps(config: SeriesConfig, pipeline: PipelineConfig, handles: Mapping[str, int]) -> SignalSteps:
    """The steps that this signal has beside the usual ones; `handles`: path below the site -> handle."""
    compress = config.compress or (pipeline.compress if config.kind is SignalKind.MEASURE else "deadband")
    every = (config.report or pipeline.report) == "all"
    own = config if isinstance(config, SignalConfig) else None
    skew = None
    if own is not None:
        skew = pipeline.clock_skew if own.clock_skew is None else own.clock_skew
    return SignalSteps(
        mapping=own.map if own is not None else {},
        max_rate=np.inf if config.max_rate is None else config.max_rate,
        spike=np.inf if config.spike is None else config.spike,
        stuck=_stuck(config, handles),
        drift=_drift(config, handles),
        swapped=_swapped(config),
        clock_skew=round((skew or 0.0) * US),
        door=compress == "swinging-door" and not every and deadband(config, pipeline) > 0,
    )


def _stuck(config: SeriesConfig, handles: Mapping[str, int]) -> Stuck | None:
    rule = config.stuck
    if rule is None:
        return None
    return Stuck(rule.after, rule.tolerance, handles[rule.running] if rule.running else -1, rule.above)


def _drift(config: SeriesConfig, handles: Mapping[str, int]) -> Drift | None:
    rule = config.drift
    if rule is None:
        return None
    return Drift(
        rule.over,
        handles[rule.reference] if rule.reference else -1,
        np.inf if rule.tolerance is None else rule.tolerance,
        np.inf if rule.trend is None else rule.trend,
    )


def _swapped(config: SeriesConfig) -> Swapped | None:
    rule = config.swapped
    if rule is None:
        return None
    return Swapped(*rule.normal, tuple(units.factor(unit, config.unit) for unit in rule.units))


def computation(config: DerivedConfig, handle: int, handles: Mapping[str, int]) -> Computation:
    """How a signal is computed. Raises ConfigError for a formula that cannot be read."""
    if config.rate is not None:
        rate = config.rate
        return CounterRate(
            handle, handles[rate.of], _SECONDS[rate.per], rate.rollover or 0.0, round(rate.min_interval * US)
        )
    if config.aggregate is not None:
        part = config.aggregate
        return Aggregate(handle, handles[part.of], part.function, round(part.interval * US), round(part.grace * US))
    return Formula(handle, Expression(config.expression, config.inputs), _inputs(config.inputs, handles))


def edge_rules(configs: Iterable[EdgeRuleConfig], site: str, handles: Mapping[str, int]) -> tuple[Rule, ...]:
    """Rules ready to run; `site` is the path above their assets. Raises ConfigError for a bad formula."""
    return tuple(
        Rule.of(
            config,
            f"{site}/{config.asset}" if config.asset else site,
            {name: handles[path] for name, path in config.inputs.items()},
        )
        for config in configs
    )


def _inputs(inputs: Mapping[str, str], handles: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((name, handles[path]) for name, path in inputs.items())
