"""Who uses a signal: operators, models, rules, computed signals, apps, saved views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lineshaft.config.models import Plant

Kind = Literal["operator", "model", "edge rule", "computed", "oee", "view"]


@dataclass(frozen=True, slots=True)
class Use:
    """One use. `where`: path of the asset or signal that it is about, for a view its address."""

    kind: Kind
    name: str
    where: str
    role: Literal["input", "output"] = "input"


Source = Callable[[str], Iterable[Use]]
"""Gives the uses of the signal with this path; called in a thread."""


class Uses:
    """All who can tell about uses; apps offer themselves when they start."""

    def __init__(self, *sources: Source) -> None:
        self._sources = list(sources)

    def offer(self, source: Source) -> None:
        """From now on ask this source too."""
        self._sources.append(source)

    def of(self, path: str) -> Sequence[Use]:
        """Every use of the signal with this path."""
        return [use for source in self._sources for use in source(path)]


def uses_of_plant(plant: Plant) -> Source:
    """Uses that the plant folder names: computed signals and rules of the gateways."""
    site = f"{plant.plant.enterprise}/{plant.plant.site}/"
    found: dict[str, list[Use]] = {}
    for one in plant.derived:
        made = f"{site}{one.asset}/{one.name}"
        others = [part.of for part in (one.rate, one.aggregate) if part is not None]
        for path in (*one.inputs.values(), *others):
            found.setdefault(site + path, []).append(Use("computed", one.name, made))
    for rule in plant.edge_rules:
        for path in rule.inputs.values():
            found.setdefault(site + path, []).append(Use("edge rule", rule.id, site + rule.asset))
    return lambda path: found.get(path, ())
