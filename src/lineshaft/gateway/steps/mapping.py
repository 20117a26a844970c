"""State mapping: raw numbers and words of a device become the numbers or words of the plant."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineshaft.gateway.steps.base import SignalTable, StepCount
from lineshaft.model.samples import GOOD_CLASS, Quality, SampleBatch


class StateMap:
    """A raw value that is listed becomes what stands beside it; any other stays, and a good one is uncertain."""

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("map", len(table))
        self._maps: dict[int, dict[Any, float | str]] = {}
        for handle, more in table.more.items():
            if more.mapping:
                numbers = {float(raw): item for raw, item in more.mapping.items() if is_number(raw)}
                keys: dict[Any, float | str] = {**more.mapping, **numbers}
                self._maps[handle] = keys
        self._on = np.zeros(len(table), np.bool_)
        self._on[list(self._maps)] = True

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Batches without mapped signals stay as they are."""
        self.count.through(len(batch))
        if not self._maps:
            return batch
        rows = np.flatnonzero(self._on[batch.signals])
        if len(rows) == 0:
            return batch
        values, qualities = batch.values.copy(), batch.qualities.copy()
        texts = np.full(len(batch), None, object) if batch.texts is None else batch.texts.copy()
        columns = zip(rows.tolist(), batch.signals[rows].tolist(), values[rows].tolist(), texts[rows], strict=True)
        for row, signal, value, text in columns:
            if text is None and value != value:
                continue  # no value
            found = self._maps[signal].get(value if text is None else text)
            if found is None:
                if qualities[row] & GOOD_CLASS == GOOD_CLASS:
                    qualities[row] = Quality.UNCERTAIN
            elif isinstance(found, str):
                values[row], texts[row] = np.nan, found
            else:
                values[row], texts[row] = found, None
        self.count.change(batch.signals[rows])
        return SampleBatch(batch.signals, batch.times, values, qualities, texts)


def is_number(text: str) -> bool:
    """Whether a raw value of a map stands for a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
