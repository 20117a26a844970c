"""The drivers that come with Lineshaft, and the registry that adds those of third parties."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from lineshaft.drivers.base import DriverSpec
from lineshaft.registry import Registry


def _lazy(module: str, name: str = "SPEC") -> Callable[[], DriverSpec]:
    """Loads a spec when somebody asks for it, so that naming a driver imports nothing."""
    return lambda: cast(DriverSpec, getattr(import_module(f"lineshaft.drivers.{module}"), name))


DRIVERS: Registry[DriverSpec] = Registry(
    "driver",
    "lineshaft.drivers",
    (
        ("modbus-tcp", _lazy("modbus", "TCP")),
        ("modbus-rtu", _lazy("modbus", "RTU")),
        ("ethernet-ip", _lazy("ethernet_ip")),
        ("files", _lazy("files")),
        ("http", _lazy("http", "POLL")),
        ("webhook", _lazy("http", "WEBHOOK")),
        ("mqtt", _lazy("mqtt")),
        ("mtconnect", _lazy("mtconnect")),
        ("opcua", _lazy("opcua")),
        ("open-protocol", _lazy("open_protocol")),
        ("replay", _lazy("replay")),
        ("s7", _lazy("s7")),
    ),
)
