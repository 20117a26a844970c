"""What the parts of the hub ask of each other; ingest knows only these, never a database or a web server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.equipment import Equipment, Signal
from lineshaft.model.events import Event
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import PipelineNote, WriteNote

IMPORT_NODE: Final = "import"
"""Node of signals that are known from an import alone; a birth gives them their own."""
OPERATOR_NODE: Final = "operators"
"""Node of signals that the hub's operators make."""
SourceState = Literal["online", "offline", "stale", "degraded"]


@dataclass(frozen=True, slots=True)
class BornSignal:
    """A signal as its birth certificate describes it, and where it comes from."""

    signal: Signal
    node: str  # group/edge node
    device: str  # '' when the node itself owns it
    address: str = ""
    writable: str = ""  # JSON of the bounds within which its gateway lets it be set; '' when it can only be read
    found: bool = False  # True: its source did not say where it belongs, so the path is made of the source's own names


class Catalogue(Protocol):
    """Signals, equipment and sources; filled by births."""

    def register(self, born: Sequence[BornSignal]) -> UInt32Array:
        """uint32 ids in the given order; a known path keeps its id and gets the new description."""
        ...

    def register_equipment(self, nodes: Sequence[Equipment]) -> None:
        """Add or update nodes of the tree; missing parents are made from the path."""
        ...

    def source(
        self, node: str, device: str, state: SourceState, time: int, details: Mapping[str, Any] | None = None
    ) -> None:
        """A gateway (device '') or device went online, offline or stale at `time`; details: figures and words."""
        ...


class EventStore(Protocol):
    """Keeps events and tells open pages."""

    def add(self, events: Sequence[Event]) -> None:
        """Store events."""
        ...


@dataclass(frozen=True, slots=True)
class Drop:
    """Samples that were removed before they could be delivered."""

    signal: str  # signal path
    rows: int
    first: int  # UTC microseconds
    last: int
    reason: str


class Ledger(Protocol):
    """Per signal: what was expected, what arrived, and why anything is missing."""

    def arrived(self, signals: UInt32Array, rows: Int64Array, duplicates: Int64Array) -> None:
        """Count committed and repeated rows; called once per committed block, after the commit."""
        ...

    def expected(self, node: str, epoch: str, totals: Mapping[str, int], frame: int) -> None:
        """The gateway's own cumulative count per signal path up to and including `frame` of its buffer's `epoch`."""
        ...

    def dropped(self, node: str, epoch: str, drops: Sequence[Drop]) -> None:
        """Record drops; the same drop note is passed only once."""
        ...


class AnswerSink(Protocol):
    """Takes the answers of gateways to what the hub asked of them."""

    def answered(self, node: str, part: bytes) -> None:
        """A part of an answer of `node` (group/edge node); called from the intake thread. Raises DataError."""
        ...


class PipelineSink(Protocol):
    """Takes what gateways say of their edge pipelines."""

    def told(self, node: str, note: PipelineNote) -> None:
        """Figures of some signals of `node` (group/edge node); called from the intake thread."""
        ...


class WriteLog(Protocol):
    """The audit log of values that were set on devices."""

    def settle(self, node: str, note: WriteNote) -> None:
        """A gateway says what became of a command; the same note may be passed twice."""
        ...


class LiveSink(Protocol):
    """Takes committed live samples for open pages."""

    def publish(self, batch: SampleBatch) -> None:
        """`batch.signals` are historian ids; rows are the newest known of their signal; called from any thread."""
        ...

    def stale(self, signals: NDArray[np.uint32], time: int) -> None:
        """These signals have no living source since `time`."""
        ...
