"""Writes a part of a plant as the YAML that a person would write: devices as blocks, each signal on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_DURATION: Final = re.compile(r"\d+(?:ms|s|min|h|d)")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Plain text that some reader of YAML takes for something else."""


def flow(value: Any) -> str:
    """A value on one line; what it means does not depend on the version of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value)


def _text(text: str) -> str:
    if _DURATION.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def device_file(device: Mapping[str, Any], equipment: Sequence[Mapping[str, Any]], title: str) -> str:
    """A plant file with one device, and the equipment that it adds to the tree. `title` becomes its first line."""
    lines = [f"# {' '.join(title.split())}"]
    if equipment:
        lines += ["equipment:", *(f"  - {flow(node)}" for node in equipment)]
    lines.append("devices:")
    first = True
    for key, value in device.items():
        if key == "signals":
            continue
        lines.append(f"  {'-' if first else ' '} {key}: {flow(value)}")
        first = False
    signals = device.get("signals") or ()
    if signals:
        lines.append("    signals:")
        lines += [f"      - {flow(signal)}" for signal in signals]
    return "\n".join(lines) + "\n"


def section_file(section: str, items: Sequence[Mapping[str, Any]], title: str) -> str:
    """A plant file with one section, each item on one line. `title` becomes its first line."""
    lines = [f"# {' '.join(title.split())}", f"{section}:", *(f"  - {flow(item)}" for item in items)]
    return "\n".join(lines) + "\n"
