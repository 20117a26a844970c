"""A plant folder while it is being loaded: raw values, what is valid so far, and where each thing was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from lineshaft.config.models import DeviceConfig, Plant, ProfileConfig, SignalConfig
from lineshaft.config.problems import M, Report
from lineshaft.config.yamlfile import Document, Key


@dataclass(slots=True)
class SignalDraft:
    """One signal of a device, from the plant's files or from a profile."""

    document: Document
    at: Key
    raw: dict[str, Any]
    config: SignalConfig | None = None
    address: BaseModel | None = None


@dataclass(slots=True)
class DeviceDraft:
    """One device; each part is None when it is wrong."""

    at: Key
    raw: dict[str, Any]
    config: DeviceConfig | None = None
    connection: BaseModel | None = None
    profile: ProfileConfig | None = None
    signals: list[SignalDraft] = field(default_factory=list)

    def text(self, key: str) -> str:
        """The raw text under `key`, '' when there is none or it is not text."""
        value = self.raw.get(key)
        return value if isinstance(value, str) else ""

    def asset_of(self, signal: SignalDraft) -> str:
        """Path below the site of the asset that the signal belongs to."""
        own = signal.raw.get("asset")
        return own if isinstance(own, str) and own else self.text("asset")


@dataclass(slots=True)
class Draft:
    """All parts of a plant folder; `shell` is the plant without its devices."""

    document: Document
    shell: Plant | None = None
    devices: list[DeviceDraft] = field(default_factory=list)

    def equipment(self) -> Iterator[tuple[str, Key, dict[str, Any]]]:
        """(path below the site, place, raw node) of every node of the tree that has an id."""
        data = self.document.data
        yield from _nodes(data.get("equipment"), "", ("equipment",))

    def section(self, name: str, model: type[M]) -> M | None:
        """A valid top-level section (its defaults when it is absent), or None; notes nothing."""
        return Report().validate(model, self.document.data.get(name, {}), self.document, (name,))

    def items(self, section: str) -> Iterator[tuple[Key, dict[str, Any]]]:
        """(place, raw mapping) of every item of a top-level list."""
        yield from mappings(self.document.data.get(section), (section,))


def mappings(value: Any, at: Key) -> Iterator[tuple[Key, dict[str, Any]]]:
    """(place, item) of every mapping in a list; anything else is skipped."""
    if isinstance(value, list):
        yield from (((*at, position), item) for position, item in enumerate(value) if isinstance(item, dict))


def _nodes(value: Any, parent: str, at: Key) -> Iterator[tuple[str, Key, dict[str, Any]]]:
    for place, node in mappings(value, at):
        name = node.get("id")
        if isinstance(name, str) and name:
            path = f"{parent}/{name}" if parent else name
            yield path, place, node
            yield from _nodes(node.get("children"), path, (*place, "children"))
