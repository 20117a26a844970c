"""Production orders: what is planned where, when it ran, and how a machine's time belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lineshaft.analytics.oee.steps import Steps
from lineshaft.apps.oee.setup import MachineSetup, OeeSetup
from lineshaft.apps.oee.stories import Story

OrderState = Literal["planned", "running", "finished"]
_OPEN = 2**62


@dataclass(frozen=True, slots=True)
class Order:
    """One order on a machine, or on a line: then all of its machines work on it. Times are UTC microseconds.

    `began` and `ended` are what a person said; a machine whose signal names the order needs neither.
    """

    id: str
    path: str
    product: str
    quantity: float
    start: int  # planned
    end: int
    cycle: float | None = None  # ideal seconds of one part, for this order alone
    crew: str = ""
    began: int | None = None
    ended: int | None = None

    @property
    def plan(self) -> tuple[object, ...]:
        """What a planner decides; two imports of the same plan are equal in it."""
        return self.path, self.product, self.quantity, self.start, self.end, self.cycle, self.crew

    def runs_on(self, machine: MachineSetup) -> bool:
        """Whether the machine, or its line, is where it is made."""
        return self.path in (machine.path, machine.line)


def assigned(story: Story, machine: MachineSetup, orders: Iterable[Order]) -> Story:
    """The story with the orders that people started; a machine's own signal of order or product counts before them.

    An order that was started while another ran ends that one.
    """
    begun = [(one.began, one) for one in orders if one.began is not None and one.runs_on(machine)]
    begun.sort(key=lambda item: (item[0], item[1].id))
    spans = []
    for place, (began, order) in enumerate(begun):
        until = _OPEN if order.ended is None else order.ended
        following = begun[place + 1][0] if place + 1 < len(begun) else _OPEN
        spans.append((began, min(until, following), order))
    if not spans:
        return story
    if not machine.config.order:
        names = tuple(dict.fromkeys(order.id for _, _, order in spans))
        steps = Steps.spans([(start, end, names.index(order.id)) for start, end, order in spans])
        story = replace(story, orders=steps, order_names=names)
    if not machine.config.product:
        names = tuple(dict.fromkeys(order.product for _, _, order in spans))
        steps = Steps.spans([(start, end, names.index(order.product)) for start, end, order in spans])
        story = replace(story, products=steps, product_names=names)
    return story


def state_of(began: int | None, ended: int | None) -> OrderState:
    """By its actual times."""
    if began is None:
        return "planned"
    return "running" if ended is None else "finished"


def place_of(setup: OeeSetup, text: str) -> str | None:
    """Full path of the machine or line that a planner calls `text`: a path, one below the site, a name or a last id.

    None when there is none, or when a name or id fits several.
    """
    places = {line.path: line.name for line in setup.lines}
    places |= {path: machine.name for path, machine in setup.machines.items()}
    if text in places:
        return text
    for fits in (
        [path for path in places if path.endswith(f"/{text}") and path.count("/") == text.count("/") + 2],
        [path for path, name in places.items() if name.casefold() == text.casefold()],
        [path for path in places if path.rpartition("/")[2].casefold() == text.casefold()],
    ):
        if len(fits) == 1:
            return fits[0]
    return None


def counting_machine(setup: OeeSetup, path: str) -> MachineSetup | None:
    """The machine whose parts are the order's: itself, or the last one of the line's flow."""
    found = setup.machines.get(path)
    line = next((one for one in setup.lines if one.path == path), None)
    return found or (line.machines[-1] if line is not None else None)


def clashes(orders: Sequence[Order]) -> dict[str, str]:
    """Id of an order -> id of another that is planned on the same machine at the same time."""
    found: dict[str, str] = {}
    by_path: dict[str, list[Order]] = {}
    for one in sorted(orders, key=lambda order: (order.start, order.id)):
        for other in by_path.setdefault(one.path, []):
            if other.end > one.start:
                found[one.id] = other.id
        by_path[one.path].append(one)
    return found
