"""Addresses of devices as people write them: a driver and its connection options in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from lineshaft.errors import ConfigError

EXAMPLES: Final[Mapping[str, str]] = {
    "opcua": "opc.tcp://10.0.0.5:4840",
    "modbus-tcp": "modbus-tcp://10.0.0.5:502/1",
    "modbus-rtu": "modbus-rtu:///dev/ttyUSB0?baudrate=19200&unit=1",
    "mtconnect": "mtconnect http://10.0.0.5:5000",
    "s7": "s7://10.0.0.5/0/1",
    "ethernet-ip": "ethernet-ip://10.0.0.5/0",
    "mqtt": "mqtt://10.0.0.5:1883",
    "http": "http http://10.0.0.5/values.json",
    "open-protocol": "open-protocol://10.0.0.5:4545?timezone=Europe/Berlin",
}
"""Driver -> how its addresses look; what stands behind ? are options of the driver."""

Reader = Callable[[SplitResult], dict[str, Any]]


def parse_address(text: str) -> tuple[str, dict[str, Any]]:
    """(driver, options of its connection) of an address like those in EXAMPLES. Raises ConfigError."""
    driver, _, rest = text.strip().rpartition(" ")
    url = rest.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"'{url}' is no address: {error}", hint=_hint()) from error
    if parts.username or parts.password:
        raise ConfigError(
            "user and password cannot stand in the address",
            hint="give them as options of the driver: user and password_file, behind a ?",
        )
    driver = driver.strip() or {"opc.tcp": "opcua", "mqtts": "mqtt"}.get(parts.scheme, parts.scheme)
    reader = _READERS.get(driver)
    if reader is None:
        raise ConfigError(f"'{text}' does not say how to speak to the device", hint=_hint())
    if port == 0 or not (parts.hostname or driver == "modbus-rtu"):
        raise ConfigError(f"'{url}' names no host", hint=f"for example {EXAMPLES[driver]}")
    return driver, {**reader(parts), **{name: _value(value) for name, value in parse_qsl(parts.query)}}


def _hint() -> str:
    return "addresses look like " + ", ".join(EXAMPLES.values())


def _value(text: str) -> Any:
    """Options behind ? are text; numbers are numbers, as in a plant file."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _host(parts: SplitResult) -> dict[str, Any]:
    found: dict[str, Any] = {"host": parts.hostname}
    if parts.port:
        found["port"] = parts.port
    return found


def _numbers(parts: SplitResult, *names: str) -> dict[str, int]:
    """Numbers in the path, by their place."""
    texts = [text for text in parts.path.split("/") if text]
    if len(texts) > len(names) or not all(text.isdecimal() for text in texts):
        raise ConfigError(f"'{parts.path}' is not /{'/'.join(names)} in numbers")
    return {name: int(text) for name, text in zip(names, texts, strict=False)}


def _url(parts: SplitResult) -> dict[str, Any]:
    return {"url": parts._replace(query="", fragment="").geturl()}


_READERS: Final[Mapping[str, Reader]] = {
    "opcua": _url,
    "modbus-tcp": lambda parts: {**_host(parts), **_numbers(parts, "unit")},
    "modbus-rtu": lambda parts: {"port": (parts.netloc + parts.path) or parts.path},
    "mtconnect": _url,
    "s7": lambda parts: {**_host(parts), **_numbers(parts, "rack", "slot")},
    "ethernet-ip": lambda parts: {**_host(parts), **_numbers(parts, "slot")},
    "mqtt": _url,
    "http": _url,
    "open-protocol": _host,
}
