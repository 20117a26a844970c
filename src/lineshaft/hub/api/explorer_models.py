"""What the explorer answers: nodes with counts, hits of a search, what is abnormal, and the plant at a glance."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from lineshaft.hub.api.models import EquipmentView, SignalView


class NodeRow(BaseModel):
    """A node of the tree with what is at or below it; with a filter the counts are of what passes."""

    path: str
    name: str
    level: str
    type: str
    parent: str
    description: str
    children: int = Field(description="rows right below it, its own signals counted where they were asked for")
    nodes: int = Field(description="those of the rows that are nodes")
    assets: int
    signals: int
    abnormal: int = Field(description="what is abnormal at or below it, a silent device counted once")
    state: str = Field(description="what a machine does: running, idle, ... ; '' where nothing says so")


class SignalRow(BaseModel):
    """A signal of the tree."""

    signal: SignalView
    abnormal: str = Field(description="what is abnormal now; '' for nothing")


class TreePage(BaseModel):
    """What stands right below a node, nodes before signals; `next` is the cursor of the next page."""

    version: int
    node: NodeRow | None = Field(description="the node itself; null for the top")
    items: list[NodeRow | SignalRow]
    start: int = Field(description="position of the first item")
    total: int
    next: str | None


class FoundNode(NodeRow):
    """A node that was found, with the names above it."""

    where: list[str]


class FoundSignal(BaseModel):
    """A signal that was found, with the names above it."""

    signal: SignalView
    where: list[str]


class Found(BaseModel):
    """Hits of a search, the closest first."""

    nodes: list[FoundNode]
    nodes_total: int
    signals: list[FoundSignal]
    signals_total: int
    next: str | None = Field(description="cursor of the next page of signals")


class Facets(BaseModel):
    """What a filter can choose, with how many signals (of types and states: assets) there are."""

    types: dict[str, int]
    states: dict[str, int]
    qualities: dict[str, int]
    abnormal: int


class Lookup(BaseModel):
    """Paths of equipment or signals that a page has met."""

    paths: list[str] = Field(max_length=2000)
    components: bool = Field(default=False, description="also the components of the nodes, at any depth")


class LookedUp(BaseModel):
    """What of them there is: nodes with all that are above them, and signals."""

    version: int
    nodes: list[EquipmentView]
    signals: list[SignalView]


class AbnormalGroup(BaseModel):
    """One abnormal signal, or those of one device that went bad or stale together."""

    kind: str
    signal: SignalView = Field(description="of several the newest")
    time: int
    value: float | None
    text: str | None
    quality: int
    signals: int
    ids: list[int] = Field(description="the first twelve")


class AbnormalPage(BaseModel):
    """What is abnormal now, the most urgent first."""

    items: list[AbnormalGroup]
    next: str | None
    total: int
    signals: int = Field(description="abnormal signals")
    all: int = Field(description="signals that there are")


class QuantityView(BaseModel):
    """A figure of the whole plant: the sum of these signals, each times its factor."""

    unit: str
    basis: Literal["meter", "sum"]
    value: float | None = Field(description="now; null: no signal has a value that can be trusted")
    count: int = Field(description="signals that are summed")
    points: list[tuple[int, float]] = Field(description="id and factor, of at most 60 signals; of more: none")


class OverviewGroup(BaseModel):
    """Equipment that holds assets: a line, an area."""

    path: str
    name: str
    where: str
    cards: int = Field(description="assets with signals")
    machines: int = Field(description="those with a state")
    abnormal: int


class Overview(BaseModel):
    """The plant at a glance."""

    signals: int
    newest: int = Field(description="time of the newest value; 0 for none")
    abnormal: int
    abnormal_signals: int
    worst: str = Field(description="kind of the most urgent; '' for none")
    machines: dict[str, int] = Field(description="machines by what they do; `unknown` where nothing can be said")
    quantities: dict[str, QuantityView]
    groups: list[OverviewGroup]


class Card(BaseModel):
    """An asset with its signals and those of its components."""

    node: NodeRow
    signals: list[SignalView]
    state: int | None = Field(description="the signal that says what it does")
    worst: AbnormalGroup | None


class Cards(BaseModel):
    """Assets of a group."""

    items: list[Card]
    start: int
    total: int
    next: str | None
