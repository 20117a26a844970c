"""What the plant's gateway would have made of a past that was imported: events of edge rules, features of bursts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.gateway.plan import Plan
from lineshaft.gateway.steps.bursts import Bursts
from lineshaft.gateway.steps.rules import EdgeRules
from lineshaft.hub.api.bursts import bursts_of
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch


class PastRules:
    """Judges imported rows with the same rules as the gateway; state is carried from one file to the next."""

    def __init__(self, plan: Plan) -> None:
        wanted = {handle for rule in plan.rules for _, handle in rule.inputs}
        self._handles = {plan.signals[handle].signal.path: handle for handle in wanted}
        self._rules = EdgeRules(plan.rules, len(plan.signals))
        self._paths = [item.signal.path for item in plan.signals]
        self._waves = {one.path: one.handle for one in plan.bursts}
        self._bursts = Bursts(plan.bursts, len(plan.signals))

    def features(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows (path, time, value, quality) of the features of bursts, as the gateway would have computed them."""
        for batch in batches:
            found = bursts_of(batch)
            rows = [row for row, path in enumerate(found.paths) if path in self._waves]
            if not rows:
                continue
            bursts = SampleBatch.of_waves(
                [self._waves[found.paths[row]] for row in rows],
                [found.times[row] for row in rows],
                [found.waves[row] for row in rows],
                [found.qualities[row] for row in rows],
            )
            _, made, _ = self._bursts.features(bursts, lambda handle: None)
            yield pa.RecordBatch.from_pydict(
                {
                    "path": [self._paths[handle] for handle in made.signals.tolist()],
                    "time": made.times,
                    "value": made.values,
                    "quality": made.qualities,
                }
            )

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
