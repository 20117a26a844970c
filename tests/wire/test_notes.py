"""Notes between gateway and hub."""

from __future__ import annotations

import json

import pytest

from lineshaft.errors import DataError
from lineshaft.model.events import Event, Severity
from lineshaft.wire.notes import (
    BufferStatus,
    DeviceStatus,
    DropNote,
    DroppedRows,
    EventNote,
    LedgerNote,
    PipelineNote,
    SignalPipeline,
    StatusNote,
    StepStatus,
    UplinkStatus,
    decode_notes,
    encode_notes,
)


def test_every_kind_of_note_comes_back_as_it_was() -> None:
    """What the gateway encodes, the hub decodes to the same objects."""
    event = Event(5, "buffer.dropped", "acme/north/gateway-1", "Samples were dropped.", Severity.HIGH, {"rows": 3})
    notes = (
        EventNote(event),
        LedgerNote("ab" * 16, 7, {"acme/north/press/force": 12}),
        DropNote("ab" * 16, (DroppedRows("acme/north/press/force", 3, 1, 9, "buffer size"),)),
        StatusNote(
            9,
            (DeviceStatus("press", "online", 3, 8, 10.0, error="Ölstand niedrig"),),
            BufferStatus(1, 2, 3, 4),
            (UplinkStatus("hub", "waiting", 1),),
            "0.1.0",
        ),
    )
    assert decode_notes(encode_notes(notes)) == notes


def test_a_newer_gateway_is_understood() -> None:
    """Unknown note types and unknown status keys are skipped."""
    text = encode_notes([StatusNote(1, (DeviceStatus("a", "online", 2),))])
    items = json.loads(text)
    items[0]["devices"][0]["colour"] = "red"
    items.append({"type": "poem"})
    assert decode_notes(json.dumps(items)) == (StatusNote(1, (DeviceStatus("a", "online", 2),)),)


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[3]", '{"a": 1}', '[{"type":"ledger"}]', '[{"type":"drops","epoch":"","drops":[[1]]}]']
)
def test_malformed_text_is_a_data_error(text: str) -> None:
    """A note that cannot be read is refused with a typed error."""
    with pytest.raises(DataError):
        decode_notes(text)


def test_what_the_steps_did_comes_back_as_it_went() -> None:
    """Figures of signals and of steps round-trip; a status of an older gateway has no steps."""
    note = PipelineNote(
        7,
        {
            "a/b": SignalPipeline(10, 4, {"exception": 5, "door": 1}, {"scale": 10}),
            "a/c": SignalPipeline(3, 3),
        },
    )
    status = StatusNote(8, steps=(StepStatus("range", "measure", 10, 10, 2, 0),))
    assert decode_notes(encode_notes([note, status])) == (note, status)
    older = json.loads(encode_notes([status]))
    del older[0]["steps"]
    assert decode_notes(json.dumps(older)) == (StatusNote(8),)
