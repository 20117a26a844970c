"""The operators that come with Lineshaft, and the registry that adds those of third parties."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from lineshaft.errors import ConfigError
from lineshaft.operators.base import OperatorSpec
from lineshaft.registry import Registry


def _lazy(module: str, name: str = "SPEC") -> Callable[[], OperatorSpec]:
    """Loads a spec when somebody asks for it, so that naming an operator imports nothing."""
    return lambda: cast(OperatorSpec, getattr(import_module(f"lineshaft.{module}"), name))


OPERATORS: Registry[OperatorSpec] = Registry(
    "operator",
    "lineshaft.operators",
    (
        ("rule", _lazy("operators.rules")),
        ("total", _lazy("operators.total")),
        ("machine-health", _lazy("operators.health")),
        ("machine-states", _lazy("apps.oee.operators")),
        ("anomaly", _lazy("operators.anomaly")),
    ),
)


def spec_of(name: str) -> OperatorSpec:
    """A known operator, or `package.module:NAME` of one in a module that can be imported. Raises ConfigError."""
    module, colon, attribute = name.partition(":")
    if not colon:
        return OPERATORS[name]
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"operator {name!r} cannot be loaded: {error}", hint="package.module:NAME") from error
    if not isinstance(found, OperatorSpec):
        raise ConfigError(f"{name!r} is no OperatorSpec")
    return found
