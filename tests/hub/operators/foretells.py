"""An operator that foretells; loaded by worker processes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from lineshaft.config.section import Section
from lineshaft.model.equipment import Signal
from lineshaft.model.predictions import Prediction, PredictionKind
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output

HOUR = 3_600_000_000


class Options(Section):
    """None."""


class _Foretells:
    """Each hour the mean pressure so far; high is an alarm."""

    def __init__(self, asset: Asset, pressure: Signal) -> None:
        self.inputs: Sequence[Signal] = (pressure,)
        self.outputs: Sequence[Signal] = ()
        self._asset = asset
        self._hour, self._sum, self._count = 0, 0.0, 0

    def update(self, batch: SampleBatch) -> Output:
        found = []
        for time, value in zip(batch.times.tolist(), batch.values.tolist(), strict=True):
            if time // HOUR != self._hour and self._count:
                found.append(self._word(time))
                self._sum, self._count = 0.0, 0
            self._hour = time // HOUR
            if np.isfinite(value):
                self._sum, self._count = self._sum + value, self._count + 1
        return Output(predictions=tuple(found))

    def _word(self, time: int) -> Prediction:
        mean = self._sum / self._count
        return Prediction(
            time,
            self._asset.path,
            PredictionKind.ANOMALY,
            "mean-pressure",
            "1",
            mean,
            alarm=mean > 7.2,
            due=time + 24 * HOUR,
            inputs={"rows": self._count},
        )

    def snapshot(self) -> bytes:
        return json.dumps([self._hour, self._sum, self._count]).encode()

    def restore(self, snapshot: bytes) -> None:
        self._hour, self._sum, self._count = json.loads(snapshot)


def _create(options: Options, asset: Asset) -> Operator | None:
    pressure = asset.signal("pressure")
    return None if pressure is None else _Foretells(asset, pressure)


FORETELLS = OperatorSpec("foretells", "Foretells", Options, _create)
