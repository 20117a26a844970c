"""Operators that raise, hang, eat memory and cannot be saved; loaded by worker processes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lineshaft.config.section import Section
from lineshaft.model.equipment import Signal
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output


class Options(Section):
    """None."""


class _Base:
    def __init__(self, asset: Asset) -> None:
        self.inputs: Sequence[Signal] = asset.signals
        self.outputs: Sequence[Signal] = ()

    def snapshot(self) -> bytes:
        return b""

    def restore(self, snapshot: bytes) -> None:
        pass


class _Raises(_Base):
    def update(self, batch: SampleBatch) -> Output:
        raise ZeroDivisionError("a mistake of its author")


class _Hangs(_Base):
    def update(self, batch: SampleBatch) -> Output:
        threading.Event().wait()
        return Output()


class _Eats(_Base):
    def update(self, batch: SampleBatch) -> Output:
        pieces = []
        while True:
            pieces.append(bytearray(64 << 20))


class _Forgets(_Base):
    def update(self, batch: SampleBatch) -> Output:
        return Output()

    def snapshot(self) -> bytes:
        raise TypeError("cannot pickle it")


def _spec(kind: type[_Base]) -> OperatorSpec:
    def create(options: Options, asset: Asset) -> Operator:
        return kind(asset)  # type: ignore[return-value]

    return OperatorSpec(kind.__name__, kind.__name__, Options, create)


RAISES, HANGS, EATS, FORGETS = _spec(_Raises), _spec(_Hangs), _spec(_Eats), _spec(_Forgets)
