"""What the plant folder says about OEE, made ready for computing: machines, lines, products and reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lineshaft.analytics.oee.calendar import Calendar
from lineshaft.analytics.oee.elements import LOSS_WORDS, Element, Rules
from lineshaft.analytics.oee.states import STANDARDS, WORDS, State
from lineshaft.analytics.oee.steps import NOTHING
from lineshaft.config.calendars import calendar_for, to_calendar
from lineshaft.config.models import EquipmentConfig, MachineConfig, Plant, ProductConfig, ReasonConfig
from lineshaft.model.samples import Float64Array, Int64Array

_SHORTEST = 3  # letters of a word that is looked for in what an alarm says


@dataclass(frozen=True, slots=True)
class Reason:
    """One node of the tree of reasons; `parent` is its id, '' at the top."""

    id: str
    name: str
    parent: str
    element: Element
    failure: bool
    match: tuple[str, ...]
    equipment: tuple[str, ...]
    leaf: bool
    external: bool = False  # set-up work that could be done while the machine runs


@dataclass(frozen=True, slots=True)
class Reasons:
    """The tree, flat in its order. Index i is reason i proposed by the system, i + n the same given by a person."""

    items: tuple[Reason, ...]

    def __len__(self) -> int:
        return len(self.items)

    def index(self, reason: str) -> int:
        """Place of a reason by its id, NOTHING when there is none."""
        return next((place for place, one in enumerate(self.items) if one.id == reason), NOTHING)

    def at(self, code: int) -> Reason | None:
        """The reason of an index of either kind."""
        return self.items[code % len(self.items)] if code >= 0 and self.items else None

    def given(self, code: int) -> bool:
        """True when the index is one that a person gave."""
        return code >= len(self.items)

    def proposed(self, words: str) -> int:
        """What the machine's own words mean; NOTHING when no reason matches."""
        for place, reason in enumerate(self.items):
            for pattern in reason.match:
                if words == pattern or (pattern.endswith("*") and words.startswith(pattern[:-1])):
                    return place
        return NOTHING

    def named(self, message: str) -> str:
        """The reason whose words stand in the message of an alarm; '' when there is none."""
        said = message.casefold()
        for reason in self.items:
            for pattern in reason.match:
                word = pattern.rstrip("*").strip().casefold()
                if len(word) >= _SHORTEST and re.search(rf"\b{re.escape(word)}", said):
                    return reason.id
        return ""

    def elements(self) -> Int64Array:
        """int64[2n]: what each index makes of a stop.

        A person's word counts. The system's proposal leaves the length of a stop to say whether it is a minor one.
        """
        lengths = (Element.BREAKDOWN, Element.MINOR_STOP)
        proposed = [NOTHING if one.element in lengths else int(one.element) for one in self.items]
        return np.array([*proposed, *(int(one.element) for one in self.items)], np.int64)


@dataclass(frozen=True)
class MachineSetup:
    """One machine: full path, what it is told by, and how it is judged."""

    path: str
    name: str
    config: MachineConfig
    table: Mapping[str, State]
    rules: Rules
    calendar: Calendar | None
    zone: str
    line: str  # full path of the line whose flow it is in, or of its parent
    cycles: Mapping[str, float] = field(default_factory=dict)  # product -> seconds

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """Full paths of all signals that it needs."""
        names = [getattr(self.config, key) for key in ("state", "reason", "good", "scrap", "total", "rework")]
        names += [self.config.product, self.config.order, *(bit.signal for bit in self.config.bits)]
        names += [self.config.power.signal] if self.config.power else []
        return tuple(f"{self.path}/{name}" for name in dict.fromkeys(names) if name)

    def cycle_of(self, product: str) -> float:
        """Ideal cycle in seconds, NaN when none is known."""
        found = self.cycles.get(product, self.config.cycle)
        return float("nan") if found is None else found


@dataclass(frozen=True, slots=True)
class LineSetup:
    """A line with its machines in the order of flow. A machine that no line names is a line of its own."""

    path: str
    name: str
    machines: tuple[MachineSetup, ...]


@dataclass(frozen=True)
class Facts:
    """All of it, as it holds at one time."""

    lines: tuple[LineSetup, ...]
    products: tuple[ProductConfig, ...]
    reasons: Reasons
    currency: str
    zone: str
    names: Mapping[str, str]  # full path -> name of any equipment

    @cached_property
    def machines(self) -> Mapping[str, MachineSetup]:
        """Full path -> machine."""
        return {machine.path: machine for line in self.lines for machine in line.machines}

    def below(self, path: str) -> list[MachineSetup]:
        """Machines at and below a path; all of them for ''."""
        return [
            one for one in self.machines.values() if not path or one.path == path or one.path.startswith(path + "/")
        ]

    def with_calendars(self, made: Callable[[MachineSetup], Calendar | None]) -> Facts:
        """The same with other calendars of machines; a machine whose calendar stays is the same object."""

        def of(machine: MachineSetup) -> MachineSetup:
            calendar = made(machine)
            return machine if calendar == machine.calendar else replace(machine, calendar=calendar)

        return replace(self, lines=tuple(replace(one, machines=tuple(map(of, one.machines))) for one in self.lines))


class OeeSetup:
    """What holds now; who keeps it sees a change of the plant folder or of the calendars at once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    @property
    def facts(self) -> Facts:
        """All of it at one time."""
        return self._facts

    def take(self, facts: Facts) -> None:
        """From now on these hold."""
        self._facts = facts

    @property
    def lines(self) -> tuple[LineSetup, ...]:
        """Lines and machines that no line names."""
        return self._facts.lines

    @property
    def products(self) -> tuple[ProductConfig, ...]:
        """What is made."""
        return self._facts.products

    @property
    def reasons(self) -> Reasons:
        """The tree of reasons."""
        return self._facts.reasons

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self._facts.currency

    @property
    def zone(self) -> str:
        """IANA time zone of the plant."""
        return self._facts.zone

    @property
    def names(self) -> Mapping[str, str]:
        """Full path -> name of any equipment."""
        return self._facts.names

    @property
    def machines(self) -> Mapping[str, MachineSetup]:
        """Full path -> machine."""
        return self._facts.machines

    def below(self, path: str) -> list[MachineSetup]:
        """Machines at and below a path; all of them for ''."""
        return self._facts.below(path)


def make_setup(plant: Plant, words: Mapping[str, Mapping[str, str]] | None = None) -> OeeSetup:
    """From a plant. words: full signal path -> {raw value: word}; those of the plant's own devices when None."""
    return OeeSetup(facts_of(plant, words))


def facts_of(plant: Plant, words: Mapping[str, Mapping[str, str]] | None = None) -> Facts:
    """What the files of a plant say; words as in `make_setup`."""
    root = f"{plant.plant.enterprise}/{plant.plant.site}"
    names = {root: plant.plant.name} | dict(_names(plant.equipment, root))
    words = _words(plant, root) if words is None else words
    in_flow = {f"{line.path}/{name}": line.path for line in plant.oee.lines for name in line.flow}
    made = {}
    for config in plant.oee.machines:
        calendar = calendar_for(plant.calendars, config.asset)
        path = f"{root}/{config.asset}"
        made[config.asset] = MachineSetup(
            path,
            names.get(path, path),
            config,
            states_table(config, words.get(f"{path}/{config.state}", {})),
            rules_of(config),
            None if calendar is None else to_calendar(calendar, plant.plant.timezone),
            (calendar.timezone if calendar else "") or plant.plant.timezone,
            f"{root}/{in_flow.get(config.asset, config.asset)}",
            {one.id: one.cycles[config.asset] for one in plant.oee.products if config.asset in one.cycles},
        )
    lines = [
        LineSetup(f"{root}/{line.path}", names.get(f"{root}/{line.path}", line.path),
                  tuple(made[f"{line.path}/{name}"] for name in line.flow))
        for line in plant.oee.lines
    ]  # fmt: skip
    lines += [LineSetup(one.path, one.name, (one,)) for asset, one in made.items() if asset not in in_flow]
    reasons = Reasons(tuple(reasons_of(plant.oee.reasons, "", root)))
    return Facts(tuple(lines), plant.oee.products, reasons, plant.plant.currency, plant.plant.timezone, names)


def _names(nodes: Sequence[EquipmentConfig], above: str) -> Iterator[tuple[str, str]]:
    for node in nodes:
        path = f"{above}/{node.id}"
        yield path, node.name or node.id
        yield from _names(node.children, path)


def _words(plant: Plant, root: str) -> Mapping[str, Mapping[str, str]]:
    signals = [signal for device in plant.devices for signal in device.signals]
    return {f"{root}/{one.asset}/{one.name}": one.states for one in signals if one.states}


def rules_of(config: MachineConfig) -> Rules:
    """How the machine's states become time elements."""
    return Rules(round(config.minor_stop * 1e6), LOSS_WORDS[config.waiting], config.unplanned_work)


def states_table(config: MachineConfig, words: Mapping[str, str]) -> Mapping[str, State]:
    """Raw value -> state: the standard, what the signal's words say by it, and the machine's own map above all."""
    table = dict(STANDARDS[config.standard])
    own = {raw: WORDS[word] for raw, word in config.map.items()}
    table |= {raw: (table | own)[word] for raw, word in words.items() if word in table or word in own}
    return table | own


def reasons_of(nodes: Sequence[ReasonConfig], parent: str, root: str) -> Iterator[Reason]:
    """The tree, flat, each node before those below it. root: path of the site."""
    for node in nodes:
        where = tuple(f"{root}/{path}" if path else root for path in node.equipment)
        yield Reason(
            node.id, node.name, parent, LOSS_WORDS[node.loss], node.failure, node.match, where, not node.children,
            node.external,
        )  # fmt: skip
        yield from reasons_of(node.children, node.id, root)


def cycles_of(machine: MachineSetup, products: Sequence[str]) -> Float64Array:
    """float64[n]: ideal cycle of each product in seconds, NaN where none is known."""
    return np.array([machine.cycle_of(product) for product in products], np.float64)
