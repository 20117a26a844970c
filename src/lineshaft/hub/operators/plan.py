"""From the plant's section `operators` and the known signals to what runs on which asset."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import BaseModel, ValidationError

from lineshaft.config.instances import library
from lineshaft.config.models import EquipmentConfig, Plant
from lineshaft.config.oee import states_operator
from lineshaft.config.operators import OperatorConfig
from lineshaft.errors import ConfigError
from lineshaft.model.equipment import Equipment, Signal
from lineshaft.operators.base import Asset, Operator
from lineshaft.operators.builtin import spec_of

Kinds = Mapping[str, tuple[str, ...]]
"""Asset type -> itself and what it extends, the nearest first."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One entry of `operators`, checked."""

    config: OperatorConfig
    site: str  # path of the site
    options: BaseModel
    kinds: Kinds = field(default_factory=dict, hash=False)

    @property
    def id(self) -> str:
        """What the plant calls it."""
        return self.config.id

    def takes(self, node: Equipment) -> bool:
        """Whether it is wanted on this node."""
        inside = node.path == self.site or node.path.startswith(self.site + "/")
        below = node.path[len(self.site) + 1 :]
        wanted = any(_pattern(one).fullmatch(below) for one in self.config.assets)
        return inside and wanted and (not self.config.types or not set(self.config.types).isdisjoint(self.line(node)))

    def line(self, node: Equipment) -> tuple[str, ...]:
        """The type of a node and those that it extends."""
        return self.kinds.get(node.type, (node.type,))

    def create(self, asset: Asset) -> Operator | None:
        """A new one for an asset; None when that lacks the signals."""
        return spec_of(self.config.operator).create(self.options, asset)


@dataclass(frozen=True, slots=True)
class Binding:
    """An operator on an asset. `ids` are the historian's ids of its inputs, in their order."""

    planned: Planned
    asset: Asset
    inputs: tuple[Signal, ...]
    outputs: tuple[Signal, ...]
    ids: tuple[int, ...]
    output_ids: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Operator id and asset path."""
        return self.planned.id, self.asset.path


def plan_operators(plant: Plant) -> tuple[Planned, ...]:
    """The section `operators`, checked. Raises ConfigError that says which entry is wrong, and what it may be."""
    site = f"{plant.plant.enterprise}/{plant.plant.site}"
    seen: set[str] = set()
    found, kinds = [], kinds_of(plant)
    for config in (*plant.operators, *_of_sections(plant)):
        if config.id in seen:
            raise ConfigError(f"operators: the id {config.id} is there twice")
        seen.add(config.id)
        found.append(planned(config, site, kinds))
    return tuple(found)


def kinds_of(plant: Plant) -> Kinds:
    """What each type of the plant is a kind of."""
    return {id_: one.line for id_, one in library(plant.types).items()}


def _of_sections(plant: Plant) -> Iterator[OperatorConfig]:
    """Operators that other sections of the plant bring with them."""
    found = states_operator(plant.oee, dict(_named(plant.equipment, "")), plant.plant.currency)
    if found is not None:
        yield found


def _named(nodes: Sequence[EquipmentConfig], above: str) -> Iterator[tuple[str, str]]:
    """(path below the site, name) of nodes that have a name."""
    for node in nodes:
        path = f"{above}{node.id}"
        if node.name:
            yield path, node.name
        yield from _named(node.children, f"{path}/")


def planned(config: OperatorConfig, site: str, kinds: Kinds | None = None) -> Planned:
    """One entry, checked. Raises ConfigError."""
    spec = spec_of(config.operator)
    try:
        options = spec.options.model_validate(config.options, context={"written": True})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "options"
        raise ConfigError(f"operators: {config.id}: options.{where}: {first['msg']}") from error
    return Planned(config, site, options, kinds or {})


def bindings(
    plan: Sequence[Planned], equipment: Sequence[Equipment], signals: Sequence[Signal], id_of: Callable[[str], int]
) -> Iterator[Binding]:
    """Each operator on each asset that it takes, by operator and path."""
    below: dict[str, list[Signal]] = {}
    for signal in signals:
        path = signal.asset
        while path:
            below.setdefault(path, []).append(signal)
            path = path.rpartition("/")[0]
    for one in plan:
        for node in equipment:
            if not one.takes(node):
                continue
            asset = Asset(node, tuple(below.get(node.path, ())), one.line(node))
            operator = one.create(asset)
            if operator is not None and len(operator.inputs):
                ids = tuple(id_of(signal.path) for signal in operator.inputs)
                yield Binding(one, asset, tuple(operator.inputs), tuple(operator.outputs), ids)


@lru_cache(maxsize=1000)
def _pattern(text: str) -> re.Pattern[str]:
    """'*' is one part of a path, '**' any number of parts, none included."""
    if text in ("**", "**/*"):
        return re.compile(".*" if text == "**" else ".+")
    parts = [".*" if part == "**" else re.escape(part).replace(r"\*", "[^/]*") for part in text.split("/")]
    return re.compile("/".join(parts).replace("/.*/", "/(?:.*/)?") if text else "")
