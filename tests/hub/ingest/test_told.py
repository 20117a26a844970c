"""What a gateway says of itself reaches the state of the hub: steps, and how fast each way out drains."""

from __future__ import annotations

from lineshaft.hub.ingest.told import Told
from lineshaft.hub.pipelines import Pipelines
from lineshaft.wire.notes import (
    PipelineNote,
    SignalPipeline,
    StatusNote,
    StepStatus,
    UplinkStatus,
    encode_notes,
)

from ..memory import MemoryCatalogue

NODE = "north/gw"


class NoAnswers:
    """Nobody asked."""

    def answered(self, node: str, part: bytes) -> None:
        raise AssertionError(node)


def status(seconds: int, acknowledged: int) -> str:
    uplink = UplinkStatus("hub", "online", 0, acknowledged_rows=acknowledged)
    steps = (StepStatus("exception", "measure", 100, 7, 0, 93),)
    return encode_notes([StatusNote(seconds * 1_000_000, uplinks=(uplink,), steps=steps)])


def test_the_drain_rate_is_what_was_acknowledged_between_two_statuses() -> None:
    """A status in parts of one time keeps the rate; a gateway that starts anew does not drain backwards."""
    catalogue, pipelines = MemoryCatalogue(), Pipelines()
    told = Told(catalogue, NoAnswers(), pipelines)
    rates = []
    for seconds, acknowledged in ((10, 1000), (15, 2000), (15, 2000), (20, 2050), (25, 5)):
        told.take(NODE, status(seconds, acknowledged))
        details = catalogue.sources[NODE, ""][2]
        rates.append(details["uplinks"]["hub"]["drain_rate"])
    assert rates == [0.0, 200.0, 200.0, 10.0, 0.0]
    assert details["steps"][0]["dropped"] == 93


def test_the_pipeline_of_a_signal_is_kept() -> None:
    """The newest figures of each signal, also when they come in parts."""
    pipelines = Pipelines()
    told = Told(MemoryCatalogue(), NoAnswers(), pipelines)
    for time, path, rows in ((1, "a", 5), (1, "b", 6), (2, "a", 9)):
        told.take(NODE, encode_notes([PipelineNote(time, {path: SignalPipeline(rows, 1)})]))
    kept = pipelines.of("a")
    assert kept is not None
    assert (kept.time, kept.figures.rows_in) == (2, 9)
    assert pipelines.of("c") is None
