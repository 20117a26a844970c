"""A figure over the hierarchy at regular times: a line's power, the mean of a fleet, consumption by output."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import numpy as np

from lineshaft.clock import MICROSECONDS
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id
from lineshaft.errors import DataError
from lineshaft.model.equipment import Signal
from lineshaft.model.samples import CLASS_MASK, GOOD_CLASS, Float64Array, Quality, SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output

_FUNCTIONS: Final[Mapping[str, Callable[[Float64Array], float]]] = {
    "sum": lambda values: float(values.sum()),
    "mean": lambda values: float(values.mean()),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
}


class TotalConfig(Section):
    """A figure over all signals of one name below an asset, a line or a site."""

    name: Id = key(..., "Name of the signal that is made.")
    signal: str = key(..., "Name of the signals that it is made of, like power; with a / the end of their paths.")
    function: Literal["sum", "mean", "min", "max"] = key("sum", "How their values are put together.")
    per: str = key("", "Name of signals whose sum it is divided by, like parts_rate.")
    interval: Duration = key(60.0, "A value at each multiple of this since 1970, UTC.", unit="s", ge=1)
    gap: Duration = key(900.0, "A signal that is silent for longer is missing.", unit="s", gt=0)
    unit: str = key("", "Unit of the result; that of the signals when empty and nothing divides it.")


class Total:
    """Implements operators.base.Operator. At each tick the newest value of each signal before it counts.

    The result is uncertain where a signal is missing, bad or uncertain, and bad where none is usable.
    """

    def __init__(self, config: TotalConfig, asset: Asset, parts: Sequence[Signal], per: Sequence[Signal]) -> None:
        self.inputs: Sequence[Signal] = (*parts, *per)
        unit = config.unit or (parts[0].unit if not per else "")
        words = f"{config.function} of {config.signal}" + (f" per {config.per}" if config.per else "")
        self.outputs: Sequence[Signal] = (Signal(asset.path, config.name, unit=unit, description=words),)
        self._config = config
        self._count = len(parts)
        self._interval = round(config.interval * MICROSECONDS)
        self._gap = round(config.gap * MICROSECONDS)
        self._values = np.full(len(self.inputs), np.nan)
        self._times = np.zeros(len(self.inputs), np.int64)
        self._qualities = np.zeros(len(self.inputs), np.uint8)
        self._tick: int | None = None

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        ticks: list[int] = []
        values: list[float] = []
        qualities: list[int] = []
        rows = zip(
            batch.signals.tolist(), batch.times.tolist(), batch.values.tolist(), batch.qualities.tolist(), strict=True
        )
        for place, time, value, quality in rows:
            if self._tick is None:
                self._tick = (time // self._interval + 1) * self._interval
            while self._tick <= time:
                result, grade = self._result(self._tick)
                ticks.append(self._tick)
                values.append(result)
                qualities.append(grade)
                self._tick += self._interval
                if result != result:  # NaN: nothing is known until the row that comes now
                    self._tick = max(self._tick, time // self._interval * self._interval)
            self._values[place], self._times[place], self._qualities[place] = value, time, quality
        return Output(samples=SampleBatch.of(np.zeros(len(ticks), np.uint32), ticks, values, qualities))

    def _result(self, tick: int) -> tuple[float, int]:
        usable = (self._qualities & CLASS_MASK != 0) & ~np.isnan(self._values) & (tick - self._times <= self._gap)
        parts, per = usable[: self._count], usable[self._count :]
        if not parts.any() or (len(per) and not per.any()):
            return float("nan"), int(Quality.BAD_NO_VALUE)
        result = _FUNCTIONS[self._config.function](self._values[: self._count][parts])
        if len(per):
            divisor = float(self._values[self._count :][per].sum())
            if divisor == 0:
                return float("nan"), int(Quality.BAD_NO_VALUE)
            result /= divisor
        whole = usable.all() and (self._qualities & CLASS_MASK == GOOD_CLASS).all()
        return result, int(Quality.GOOD if whole else Quality.UNCERTAIN_ESTIMATED)

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        values = [None if np.isnan(value) else value for value in self._values.tolist()]
        return json.dumps([values, self._times.tolist(), self._qualities.tolist(), self._tick]).encode()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        try:
            values, times, qualities, self._tick = json.loads(snapshot)
        except (ValueError, TypeError) as error:
            raise DataError(f"no snapshot of a total: {error}") from error
        if len(values) != len(self.inputs):
            raise DataError(f"the snapshot is of {len(values)} signals, there are {len(self.inputs)}")
        self._values = np.array([np.nan if value is None else value for value in values], np.float64)
        self._times, self._qualities = np.array(times, np.int64), np.array(qualities, np.uint8)


def _create(config: TotalConfig, asset: Asset) -> Operator | None:
    made = f"{asset.path}/{config.name}"
    parts = [one for one in asset.signals if one.path.endswith(f"/{config.signal}") and one.path != made]
    per = [one for one in asset.signals if config.per and one.path.endswith(f"/{config.per}")]
    if not parts or (config.per and not per):
        return None
    return Total(config, asset, parts, per)


SPEC = OperatorSpec(
    "total",
    "Figure over the hierarchy",
    TotalConfig,
    _create,
    "Sum, mean or ratio over all signals below a node.",
)
