"""JSON documents with what the factory shows, built the way in which a plant's addresses look for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lineshaft.drivers.bits import field_of
from lineshaft.drivers.mapping import steps_of
from lineshaft.errors import ConfigError
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import option
from lineshaft.simulator.servers.base import Shown

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def document(channels: Sequence[Channel], shown: Shown) -> bytes:
    """One document with the values of all `channels`, and the time where their connection looks for it.

    Raises ConfigError for an address that no document can be built for.
    """
    built: dict[str, Any] = {}
    device = channels[0].device
    pointer = option(device, "time")
    if pointer:
        now = int(shown.frame.times[-1])
        _put(built, pointer, now * _PER_SECOND[option(device, "time_unit") or "ms"] // 10**6)
    for channel in channels:
        if not channel.address.bits:
            _put(built, channel.address.value, json_value(channel, shown.raw[channel.path]))
    for pointer, group in grouped([channel for channel in channels if channel.address.bits], "value").items():
        _put(built, pointer, _packed(group, shown))
    return json.dumps(built).encode()


def json_value(channel: Channel, raw: float | str) -> float | int | str | bool:
    """A number as a device would write it."""
    if isinstance(raw, str):
        return raw
    return int(raw) if channel.integer_range is not None else raw


def _packed(channels: Sequence[Channel], shown: Shown) -> str:
    """Fields of bits as hexadecimal text, in as few bytes as hold them all."""
    fields = [field_of(channel.address.bits) for channel in channels]
    data = bytes(max(field.size for field in fields))
    for field, channel in zip(fields, channels, strict=True):
        raw = shown.raw[channel.path]
        if isinstance(raw, str):
            raise ConfigError(f"{channel.path} is text, which is no field of bits", hint="give it no datatype String")
        data = field.put(data, raw)
    return data.hex().upper()


def grouped(channels: Sequence[Channel], name: str) -> Mapping[str, tuple[Channel, ...]]:
    """Signals by an option of their address, like its topic or path."""
    groups: dict[str, list[Channel]] = {}
    for channel in channels:
        groups.setdefault(str(getattr(channel.address, name)), []).append(channel)
    return {key: tuple(group) for key, group in groups.items()}


def _put(built: dict[str, Any], pointer: str, value: Any) -> None:
    *way, last = steps_of(pointer) or ("",)
    for step in way:
        built = built.setdefault(step, {})
    if not last or last in built or any("[" in step or "*" in step for step in (*way, last)):
        raise ConfigError(
            f"the simulator cannot build a document with '{pointer}'", hint="each value has its own /names/of/members"
        )
    built[last] = value
