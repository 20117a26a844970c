"""Lineshaft: from a machine's raw signal to a timely decision."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`lineshaft.Client`, loaded when it is first asked for: the package itself stays light."""
    if name == "Client":
        return import_module("lineshaft.client").Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
