"""The operators that come with Lineshaft, and the registry that adds those of third parties."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from lineshaft.operators.base import OperatorSpec
from lineshaft.registry import Registry


def _lazy(module: str, name: str = "SPEC") -> Callable[[], OperatorSpec]:
    """Loads a spec when somebody asks for it, so that naming an operator imports nothing."""
    return lambda: cast(OperatorSpec, getattr(import_module(f"lineshaft.{module}"), name))


OPERATORS: Registry[OperatorSpec] = Registry(
    "operator",
    "lineshaft.operators",
    (("rule", _lazy("operators.rules")), ("machine-health", _lazy("operators.health"))),
)
