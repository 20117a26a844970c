"""The events that the plant's edge rules would have made over a past that was imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.gateway.plan import Plan
from lineshaft.gateway.steps.rules import EdgeRules
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch


class PastRules:
    """Judges imported rows with the same rules as the gateway; state is carried from one file to the next."""

    def __init__(self, plan: Plan) -> None:
        wanted = {handle for rule in plan.rules for _, handle in rule.inputs}
        self._handles = {plan.signals[handle].signal.path: handle for handle in wanted}
        self._rules = EdgeRules(plan.rules, len(plan.signals))

    def events(self, batches: Iterable[pa.RecordBatch]) -> Sequence[Event]:
        """Events of the rows (path, time, value, quality) of one file, whatever order they are in."""
        paths = pa.array(list(self._handles), pa.string())
        parts = []
        for batch in batches if self._handles else ():
            path = batch.column("path").cast(pa.string())
            parts.append(pa.table(batch).set_column(batch.schema.get_field_index("path"), "path", path))
            parts[-1] = parts[-1].filter(pc.is_in(path, paths)).select(["path", "time", "value", "quality"])
        if not parts:
            return ()
        table = pa.concat_tables(parts).sort_by("time")
        encoded = table.column("path").combine_chunks().dictionary_encode()
        numbers = np.array([self._handles[path] for path in encoded.dictionary.to_pylist()], np.uint32)
        if not len(numbers):
            return ()
        return self._rules.update(
            SampleBatch.of(
                numbers[encoded.indices.to_numpy()],
                table.column("time").cast(pa.int64()).to_numpy(),
                pc.fill_null(table.column("value"), float("nan")).to_numpy(),
                pc.fill_null(table.column("quality"), int(Quality.GOOD)).to_numpy(),
            )
        )
