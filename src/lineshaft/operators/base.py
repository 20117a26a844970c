"""What an operator is: rows of one asset in time order go in, events and samples come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from lineshaft.model.equipment import Equipment, Signal
from lineshaft.model.events import Event
from lineshaft.model.predictions import Prediction
from lineshaft.model.samples import SampleBatch


@dataclass(frozen=True, slots=True)
class Asset:
    """A node of the equipment tree with the signals at it and below it; what an operator is made for."""

    equipment: Equipment
    signals: tuple[Signal, ...]
    kinds: tuple[str, ...] = ()  # its type and those that this one extends, the nearest first

    @property
    def path(self) -> str:
        """Path of the node; subject of the operator's events."""
        return self.equipment.path

    def signal(self, name: str) -> Signal | None:
        """The signal with this path below the asset: 'power', or 'spindle/vibration' on a component."""
        return next((one for one in self.signals if one.path == f"{self.path}/{name}"), None)


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """What an update found. `samples.signals` are places in the operator's `outputs`.

    Predictions go into the record, each once; of one kind and model version there is at most one at a time.
    """

    events: tuple[Event, ...] = ()
    samples: SampleBatch = field(default_factory=SampleBatch.empty)
    predictions: tuple[Prediction, ...] = ()


class Operator(Protocol):
    """One instance serves one asset. It reads no clock and does no I/O, so that live and backtest give the same.

    inputs   signals that it wants; row i of a batch has in `batch.signals` the place of its signal in `inputs`
    outputs  signals that it makes; places in them are what `Output.samples.signals` holds
    """

    @property
    def inputs(self) -> Sequence[Signal]:
        """Fixed from the start."""
        ...

    @property
    def outputs(self) -> Sequence[Signal]:
        """Fixed from the start; may be empty."""
        ...

    def update(self, batch: SampleBatch) -> Output:
        """Take the next rows.

        Rows come in the order of their times, over all inputs and from call to call; rows of one time come in one
        batch. How the rows are cut into batches is chance: the result must not depend on it. Bad qualities, NaN and
        gaps are part of the input. The time of an event or a prediction is the time of the row that caused it; a
        sample's time is after that of the row before and not after that of the row that caused it.
        """
        ...

    def snapshot(self) -> bytes:
        """The whole state. Small: it is stored every few seconds."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Go on as the instance that gave the snapshot; called once, before the first update. Raises DataError."""
        ...


@dataclass(frozen=True, slots=True)
class OperatorSpec:
    """How an operator is named, configured and made; listed in operators/builtin.py, or an entry point."""

    name: str  # what plant files say: 'rule'
    title: str  # what people read
    options: type[BaseModel]  # keys under `options:`
    create: Callable[[Any, Asset], Operator | None]  # None: this asset lacks the signals that it needs
    description: str = ""  # one sentence for people
