"""What the hub knows of one edge node between its birth and its death. Used by the intake thread alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lineshaft.hub.ingest.births import Birth, control_types, row_type
from lineshaft.hub.ingest.inbox import Arrival
from lineshaft.hub.ingest.sequence import Sequence
from lineshaft.model.samples import Int64Array, TextArray, UInt8Array, UInt32Array
from lineshaft.wire import names

UNKNOWN = -1


@dataclass(slots=True, eq=False)
class NodeSession:
    """One edge node.

    lookup, types   signal id (or UNKNOWN) and Sparkplug type by alias
    names_by_device, types_by_device   the same by metric name, for metrics that come by name
    devices   signal ids by device that is alive; '' stands for the node's own signals
    """

    group: str
    node: str
    born: bool = False
    acknowledges: bool = False
    """A Lineshaft gateway: what is not acknowledged is sent again."""
    takes_requests: bool = False
    bdseq: int | None = None
    sequence: Sequence = field(default_factory=Sequence)
    lookup: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))
    types: UInt8Array = field(default_factory=lambda: np.empty(0, np.uint8))
    header_aliases: dict[str, int] = field(default_factory=dict)
    """Alias of the batch header, by device."""
    names_by_device: dict[str, dict[str, int]] = field(default_factory=dict)
    types_by_device: dict[str, dict[str, int]] = field(default_factory=dict)
    devices: dict[str, UInt32Array] = field(default_factory=dict)
    highest: dict[tuple[str, bytes], int] = field(default_factory=dict)
    """Largest frame id that came live, by device and epoch: a smaller one is a repetition, not the current value."""
    held: deque[Arrival] = field(default_factory=deque)
    rebirth_asked: float = -1e9  # monotonic seconds
    rebirth_due: float | None = None

    @property
    def key(self) -> str:
        """Name of the node for catalogue, ledger and frame log."""
        return f"{self.group}/{self.node}"

    def begin(self, birth: Birth, seq: int | None) -> None:
        """Take an NBIRTH: everything learned before is void."""
        self.born = True
        self.acknowledges = birth.is_lineshaft
        self.takes_requests = birth.takes_requests
        self.bdseq = birth.bdseq
        self.sequence.begin(seq)
        self.rebirth_due = None
        self.held.clear()
        self.highest.clear()
        self.lookup = np.empty(0, np.int64)
        self.types = np.empty(0, np.uint8)
        self.header_aliases = {}
        self.names_by_device = {}
        self.types_by_device = {}
        self.devices = {}

    def learn(self, device: str, birth: Birth, ids: UInt32Array) -> None:
        """Take the signals of a birth; `ids` run in parallel to its metrics."""
        aliases = [metric.alias for metric in birth.metrics]
        highest = max([alias for alias in (*aliases, *birth.controls) if alias is not None], default=-1)
        missing = highest + 1 - len(self.lookup)
        if missing > 0:
            self.lookup = np.concatenate([self.lookup, np.full(missing, UNKNOWN)])
            self.types = np.concatenate([self.types, np.zeros(missing, np.uint8)])
        by_name: dict[str, int] = {}
        type_by_name: dict[str, int] = {}
        for metric, signal in zip(birth.metrics, ids.tolist(), strict=True):
            by_name[metric.name] = signal
            type_by_name[metric.name] = row_type(metric)
            if metric.alias is not None:
                self.lookup[metric.alias] = signal
                self.types[metric.alias] = row_type(metric)
        for alias, number in control_types(birth).items():
            self.lookup[alias] = UNKNOWN
            self.types[alias] = number
        for alias, name in birth.controls.items():
            if name == names.BATCH:
                self.header_aliases[device] = alias
        self.names_by_device[device] = by_name
        self.types_by_device[device] = type_by_name
        self.devices[device] = ids

    def die(self) -> UInt32Array:
        """The node is gone; gives the signals that are stale now."""
        stale = self.signals()
        self.born = False
        self.devices = {}
        self.held.clear()
        self.sequence.forgive()
        self.rebirth_due = None
        return stale

    def signals(self) -> UInt32Array:
        """Signals of everything that is alive."""
        return np.concatenate([np.empty(0, np.uint32), *self.devices.values()])

    def resolve(self, device: str, aliases: Int64Array, given: TextArray | None) -> NDArray[np.int64]:
        """Signal id of each row, UNKNOWN where no birth has told of it."""
        if len(self.lookup):
            inside = (aliases >= 0) & (aliases < len(self.lookup))
            ids = np.where(inside, self.lookup[np.where(inside, aliases, 0)], UNKNOWN)
        else:
            ids = np.full(len(aliases), UNKNOWN)
        if given is not None:
            known: Mapping[str, int] = self.names_by_device.get(device, {})
            for row in np.flatnonzero(ids == UNKNOWN).tolist():
                ids[row] = known.get(given[row], UNKNOWN)
        return ids
